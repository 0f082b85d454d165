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
    /// What a sandbox finds in `/var/lib/apt/lists`. Beside them lies what apt made of them, which it finds in `/var/cache/apt`.
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

/// What apt makes of the lists alone, a second of work: it uses it only while each list has the size and time that it was made of. Not
/// `pkgcache.bin`, which holds the installed packages too: layers' times are clamped, so apt could take another layer's for its own.
fn is_digest(name: &OsStr) -> bool {
    name == "srcpkgcache.bin"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_made_of_the_lists_goes_with_them_and_what_it_knows_of_an_image_does_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = PackageCache { lists: dir.path().join("cache/lists"), archives: dir.path().join("cache/archives") };
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        let made = cache.open(&first).expect("opened");
        for file in ["lists/a_InRelease", "lists/lock", "cache/srcpkgcache.bin", "cache/pkgcache.bin"] {
            let (folder, name) = file.split_once('/').expect("a folder");
            let folder = if folder == "lists" { &made.lists } else { &made.cache };
            fs::write(folder.join(name), file).expect("written");
        }
        cache.replace_lists(&first).expect("replaced");
        let opened = cache.open(&second).expect("opened");
        assert_eq!(names(&opened.lists), ["a_InRelease"]);
        assert_eq!(names(&opened.cache), ["archives", "srcpkgcache.bin"]);
    }
}
