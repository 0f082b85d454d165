//! Package lists and archives that live on the host, so that they are fetched once and never end in an image.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

use super::SandboxError;

/// Folders that outlive the bakes. Each sandbox gets hard links of its own: bakes side by side need no lock, a play's
/// `apt-get clean` cleans its own links, and `apt-get update` in a play cannot change what other bakes see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageCache {
    /// What a sandbox finds in `/var/lib/apt/lists`; and in `/var/cache/apt`, for apt's own digests of them lie beside them.
    pub lists: PathBuf,
    /// What it finds in `/var/cache/apt/archives`: `.deb` files.
    pub archives: PathBuf,
}

/// A sandbox's own links of the cache.
pub(super) struct Opened {
    pub(super) lists: PathBuf,
    /// The whole of `/var/cache/apt`.
    pub(super) cache: PathBuf,
}

impl PackageCache {
    pub(super) fn open(&self, room: &Path) -> io::Result<Opened> {
        let opened = Opened::at(room);
        let lock = self.lock()?;
        lock.lock_shared()?;
        link_files(&self.lists, &opened.lists, is_list)?;
        link_files(&self.lists, &opened.cache, is_digest)?;
        link_files(&self.archives, &opened.cache.join("archives"), is_archive)?;
        Ok(opened)
    }

    /// Held for moments: shared to read the lists, alone to replace them.
    fn lock(&self) -> io::Result<std::fs::File> {
        let file = self.lists.with_extension("lock");
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::OpenOptions::new().create(true).truncate(false).write(true).open(file)?.into_parts().0)
    }

    /// Keeps the archives that were downloaded. Another bake may keep the same one at the same time: either is good.
    pub(super) fn keep(&self, room: &Path) -> Result<(), SandboxError> {
        link_files(&Opened::at(room).cache.join("archives"), &self.archives, is_archive)?;
        Ok(())
    }

    /// Makes the sandbox's lists the cache's. A bake that opens the cache at that moment sees the old ones or the new ones.
    pub(super) fn replace_lists(&self, room: &Path) -> Result<(), SandboxError> {
        let lock = self.lock()?;
        lock.lock()?;
        let fresh = tempfile::tempdir_in(self.lists.parent().unwrap_or(Path::new("/")))?;
        let (new, old) = (fresh.path().join("new"), fresh.path().join("old"));
        link_files(&Opened::at(room).lists, &new, is_list)?;
        link_files(&Opened::at(room).cache, &new, is_digest)?;
        if self.lists.exists() {
            fs::rename(&self.lists, old)?;
        }
        fs::rename(new, &self.lists)?;
        Ok(())
    }
}

impl Opened {
    fn at(room: &Path) -> Self {
        Self { lists: room.join("apt-lists"), cache: room.join("apt-cache") }
    }
}

/// What apt makes of the lists, a second of work: it uses it only while each list is the one that it was made of.
fn is_digest(name: &OsStr) -> bool {
    name == "srcpkgcache.bin" || name == "pkgcache.bin"
}

fn is_list(name: &OsStr) -> bool {
    name != "lock" && !is_digest(name)
}

fn is_archive(name: &OsStr) -> bool {
    Path::new(name).extension() == Some(OsStr::new("deb"))
}

/// Links the wanted plain files of `from`, which need not exist, into `to`; copies across file systems.
fn link_files(from: &Path, to: &Path, want: impl Fn(&OsStr) -> bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if !entry.file_type()?.is_file() || !want(&name) || target.exists() {
            continue;
        }
        match fs::hard_link(entry.path(), &target) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_whole(&entry.path(), &target)?,
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Copies under another name first, so that nobody ever finds half a file.
fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let half = tempfile::NamedTempFile::new_in(to.parent().unwrap_or(Path::new("/")))?;
    fs::copy(from, half.path())?;
    half.persist(to).map_err(|error| error.error)?;
    Ok(())
}
