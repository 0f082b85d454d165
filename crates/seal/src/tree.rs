//! The identity of a file tree.
//!
//! Two bakes from the same inputs must have the same tree. Counted are: path, type, mode, owner, size, content, link target, device
//! number, and extended attributes (with file capabilities and ACLs). Not counted are:
//! - times: they say when a file was made, not what it is, and `apply` clamps them;
//! - which names are hard links of one file: it is how content is stored, and the overlay itself breaks links when it copies up;
//! - `lost+found`, which belongs to the file system.
//!
//! A disk that grew out of one that was read before need not be read whole: [`KnownFiles`].

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use fs_err as fs;
use ovenbird_core::block::Digest;
pub use ovenbird_core::contents::Entry;
pub use ovenbird_core::contents::Kind;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::xattr;

/// Files and folders that are read at a time.
const THREADS: usize = 4;

/// Every entry of a tree, by path relative to its root (which is the empty path).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The entries.
    pub entries: BTreeMap<PathBuf, Entry>,
}

/// The contents of plain files that were read before, on this file system or on one that it is a copy of.
///
/// A file is a known one while it has the same inode, the same size, and the same time of its last change of any kind (`st_ctime`),
/// which the kernel sets by itself and no program can: as git does, and most backups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFiles(HashMap<u64, KnownFile>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownFile {
    /// Seconds and nanoseconds.
    changed: (i64, i64),
    size: u64,
    content: Digest,
}

impl KnownFiles {
    fn find(&self, found: &Metadata) -> Option<Digest> {
        let known = self.0.get(&found.ino())?;
        let is_same = known.changed == changed(found) && known.size == found.len();
        is_same.then_some(known.content)
    }
}

fn changed(found: &Metadata) -> (i64, i64) {
    (found.ctime(), found.ctime_nsec())
}

/// A difference between two trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// Both have it, and it is not the same.
    Changed,
}

impl Tree {
    /// Reads a tree on one file system: all of one depth side by side, since reading a folder is mostly waiting for the disk.
    ///
    /// # Errors
    /// When something in it cannot be read.
    pub fn scan(root: &Path) -> io::Result<Self> {
        Self::scan_known(root, &mut KnownFiles::default())
    }

    /// As [`Tree::scan`], without reading the files that are `known`; those of this tree are known then, and no others.
    ///
    /// # Errors
    /// When something in it cannot be read.
    pub fn scan_known(root: &Path, known: &mut KnownFiles) -> io::Result<Self> {
        let device = fs::symlink_metadata(root)?.dev();
        let (mut entries, mut files) = (Vec::new(), HashMap::new());
        let mut level = vec![root.to_owned()];
        while !level.is_empty() {
            let read = in_parallel(&level, |path| {
                let (entry, found) = read_known_entry(path, known)?;
                let is_open = entry.kind == Kind::Folder && found.dev() == device;
                let below = if is_open { list(path, path == root)? } else { Vec::new() };
                Ok((entry, (found.ino(), changed(&found)), below))
            })?;
            let mut next = Vec::new();
            for (path, (entry, (inode, changed), below)) in level.iter().zip(read) {
                if let Some(content) = entry.content.filter(|_| entry.kind == Kind::File) {
                    files.insert(inode, KnownFile { changed, size: entry.size, content });
                }
                entries.push((relative(path, root), entry));
                next.extend(below);
            }
            level = next;
        }
        *known = KnownFiles(files);
        Ok(Self { entries: entries.into_iter().collect() })
    }

    /// The tree's identity.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        hash.update(b"ovenbird tree 1\0");
        for (path, entry) in &self.entries {
            let path = path.as_os_str().as_bytes();
            hash.update(u64::try_from(path.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(path);
            hash.update([entry.kind as u8]);
            for number in [entry.mode, entry.uid, entry.gid] {
                hash.update(number.to_le_bytes());
            }
            hash.update(entry.size.to_le_bytes());
            for digest in [entry.content, entry.attributes] {
                hash.update(digest.map_or([0; 32], |digest| digest.0));
            }
        }
        Digest(hash.finalize().into())
    }

    /// What turns `self` into `other`, by path.
    #[must_use]
    pub fn differences(&self, other: &Self) -> BTreeMap<PathBuf, Difference> {
        let gone = self.entries.keys().filter(|path| !other.entries.contains_key(*path));
        let new = other.entries.iter().filter_map(|(path, entry)| match self.entries.get(path) {
            None => Some((path.clone(), Difference::Added)),
            Some(before) if before != entry => Some((path.clone(), Difference::Changed)),
            Some(_) => None,
        });
        gone.map(|path| (path.clone(), Difference::Removed)).chain(new).collect()
    }

    /// Bytes of all plain files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.entries.values().map(|entry| entry.size).sum()
    }
}

/// What a walk of `root` found, below it.
fn relative(path: &Path, root: &Path) -> PathBuf {
    let below = path.as_os_str().as_bytes().get(root.as_os_str().len()..).unwrap_or_default();
    PathBuf::from(OsStr::from_bytes(below.strip_prefix(b"/").unwrap_or(below)))
}

/// What is in the folder, but for what belongs to the file system.
fn list(folder: &Path, is_root: bool) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    paths.filter(|path| !is_root || !path.as_ref().is_ok_and(|path| path.ends_with("lost+found"))).collect()
}

/// Calls `read` for every path; the answers are in the paths' order.
fn in_parallel<T: Send>(paths: &[PathBuf], read: impl Fn(&Path) -> io::Result<T> + Sync) -> io::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(index) else { return Ok(done) };
            done.push((index, read(path)?));
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS.min(paths.len())).map(|_| scope.spawn(work)).collect();
        let answers =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        answers.collect::<io::Result<Vec<Vec<_>>>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, entry)| entry).collect())
}

/// What counts of one entry; links are not followed.
///
/// # Errors
/// When it cannot be read.
pub fn read_entry(path: &Path) -> io::Result<Entry> {
    read_known_entry(path, &KnownFiles::default()).map(|(entry, _)| entry)
}

fn read_known_entry(path: &Path, known: &KnownFiles) -> io::Result<(Entry, Metadata)> {
    let found = fs::symlink_metadata(path)?;
    let kind = kind_of(&found);
    let content = match kind {
        Kind::File => Some(known.find(&found).map_or_else(|| hash_file(path), Ok)?),
        Kind::Link => Some(Digest::of(fs::read_link(path)?.as_os_str().as_bytes())),
        Kind::CharacterDevice | Kind::BlockDevice => Some(Digest::of(&found.rdev().to_le_bytes())),
        Kind::Folder | Kind::Pipe | Kind::Socket => None,
    };
    let attributes = xattr::list(path)?;
    let text: Vec<u8> =
        attributes.iter().flat_map(|(name, value)| [name.as_slice(), b"=", value, b"\0"].concat()).collect();
    let entry = Entry {
        kind,
        mode: found.mode() & 0o7777,
        uid: found.uid(),
        gid: found.gid(),
        size: if kind == Kind::File { found.len() } else { 0 },
        content,
        attributes: (!text.is_empty()).then(|| Digest::of(&text)),
    };
    Ok((entry, found))
}

fn hash_file(path: &Path) -> io::Result<Digest> {
    let mut file = fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest(hash.finalize().into())),
            length => hash.update(&buffer[..length]),
        }
    }
}

/// The type of an entry that was looked at without following links.
#[must_use]
pub fn kind_of(found: &Metadata) -> Kind {
    let kind = found.file_type();
    match () {
        () if kind.is_dir() => Kind::Folder,
        () if kind.is_symlink() => Kind::Link,
        () if kind.is_char_device() => Kind::CharacterDevice,
        () if kind.is_block_device() => Kind::BlockDevice,
        () if kind.is_fifo() => Kind::Pipe,
        () if kind.is_socket() => Kind::Socket,
        () => Kind::File,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn make() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("etc")).expect("made");
        fs::write(dir.path().join("etc/a"), "one").expect("written");
        std::os::unix::fs::symlink("a", dir.path().join("etc/b")).expect("linked");
        dir
    }

    fn digest(dir: &tempfile::TempDir) -> Digest {
        Tree::scan(dir.path()).expect("a tree").digest()
    }

    #[test]
    fn two_trees_alike_are_one_and_times_do_not_count() {
        let (one, two) = (make(), make());
        fs::File::open(two.path().join("etc/a"))
            .and_then(|file| file.file().set_modified(std::time::UNIX_EPOCH))
            .expect("the time is set");
        fs::create_dir(two.path().join("lost+found")).expect("made");
        assert_eq!(digest(&one), digest(&two));
    }

    #[test]
    fn everything_else_counts() {
        let before = digest(&make());
        let changes: [fn(&Path); 5] = [
            |root| fs::write(root.join("etc/a"), "two").expect("written"),
            |root| fs::rename(root.join("etc/a"), root.join("etc/c")).expect("renamed"),
            |root| fs::set_permissions(root.join("etc/a"), PermissionsExt::from_mode(0o600)).expect("changed"),
            |root| {
                fs::remove_file(root.join("etc/b")).expect("removed");
                std::os::unix::fs::symlink("c", root.join("etc/b")).expect("linked");
            },
            |root| fs::create_dir(root.join("etc/d")).expect("made"),
        ];
        for (index, change) in changes.iter().enumerate() {
            let dir = make();
            change(dir.path());
            assert_ne!(digest(&dir), before, "change {index}");
        }
    }

    #[test]
    fn what_is_known_is_not_read_again_and_what_changed_is() {
        let dir = make();
        let file = dir.path().join("etc/a");
        let mut known = KnownFiles::default();
        let before = Tree::scan_known(dir.path(), &mut known).expect("a tree");
        assert_eq!(known.0.len(), 1);
        let mut wrong = known.clone();
        wrong.0.values_mut().for_each(|file| file.content = Digest::of(b"not read"));
        assert_ne!(Tree::scan_known(dir.path(), &mut wrong).expect("a tree"), before, "the file was not read");

        // As long as before, and as old as before for all who ask for the time of its content.
        let time = fs::metadata(&file).expect("there").modified().expect("a time");
        #[expect(
            clippy::disallowed_methods,
            reason = "the file system's clock is to move on, and nobody says when it has"
        )]
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&file, "six").expect("written");
        fs::File::open(&file).and_then(|file| file.file().set_modified(time)).expect("the time is set");
        let again = Tree::scan_known(dir.path(), &mut known).expect("a tree");
        assert_eq!(again, Tree::scan(dir.path()).expect("a tree"));
        assert_ne!(again, before);
        assert_eq!(Tree::scan_known(dir.path(), &mut known).expect("a tree"), again);
    }

    #[test]
    fn says_what_differs() {
        let (one, two) = (make(), make());
        fs::write(two.path().join("etc/a"), "two").expect("written");
        fs::remove_file(two.path().join("etc/b")).expect("removed");
        fs::write(two.path().join("new"), "").expect("written");
        let scan = |dir: &tempfile::TempDir| Tree::scan(dir.path()).expect("a tree");
        let found: Vec<_> = scan(&one).differences(&scan(&two)).into_iter().collect();
        let wanted = [("etc/a", Difference::Changed), ("etc/b", Difference::Removed), ("new", Difference::Added)];
        assert_eq!(found, wanted.map(|(path, difference)| (PathBuf::from(path), difference)));
    }
}
