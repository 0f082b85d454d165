//! An image's tree from outside: every path counts from its root, also behind absolute links, so nothing in it can lead into the host.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::AtFlags;
use rustix::fs::Dir;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::fs::Stat;
use rustix::io::Errno;

/// How often one path may be raced against. Each race is lost to another process's work that was done, so few are enough.
const RACES: usize = 1000;

/// A root folder. Paths given to its functions are relative to it.
#[derive(Debug)]
pub(crate) struct Root {
    folder: OwnedFd,
    path: PathBuf,
}

impl Root {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| at(path, error))?;
        Ok(Self { folder, path: path.to_owned() })
    }

    /// What the path is, not following a link at its end; `None` when there is nothing.
    pub(crate) fn stat(&self, path: impl AsRef<Path>) -> io::Result<Option<Stat>> {
        let path = path.as_ref();
        let Some((parent, name)) = self.open_parent(path)? else { return Ok(None) };
        self.present(path, rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW))
    }

    /// Whether there is anything.
    pub(crate) fn has(&self, path: impl AsRef<Path>) -> io::Result<bool> {
        Ok(self.stat(path)?.is_some())
    }

    /// What the path is, when it is a plain file itself.
    pub(crate) fn stat_file(&self, path: impl AsRef<Path>) -> io::Result<Option<Stat>> {
        Ok(self.stat(path)?.filter(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile))
    }

    /// A file's content; links are followed inside the root. `None` when there is no file.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> io::Result<Option<Vec<u8>>> {
        self.read_start(path, usize::MAX)
    }

    /// At most the first `limit` bytes of a file.
    pub(crate) fn read_start(&self, path: impl AsRef<Path>, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        let Some(file) = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK)? else { return Ok(None) };
        let file = File::from(file);
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut content = Vec::new();
        file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    /// The names in a folder, sorted; none when there is no folder.
    pub(crate) fn list(&self, path: impl AsRef<Path>) -> io::Result<Vec<String>> {
        let path = path.as_ref();
        let Some(folder) = self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder).map_err(|error| at(path, error))? {
            let name = entry.map_err(|error| at(path, error))?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Gives an existing file this content; its owner and mode stay. Does nothing when it has it, or when there is no file.
    pub(crate) fn rewrite(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        let path = path.as_ref();
        if self.stat_file(path)?.is_none() || self.read(path)?.as_deref() == Some(content) {
            return Ok(());
        }
        let Some(file) = self.open_at(path, OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW)? else { return Ok(()) };
        File::from(file).write_all(content)
    }

    /// Makes an empty file that root writes and everybody reads, unless there is something already or the folder is missing.
    pub(crate) fn ensure_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o644);
        if self.has(path)? {
            return Ok(());
        }
        self.present(path, self.open_inside(path, flags, mode)).map(drop)
    }

    /// Removes a file, a link, or a folder with all that is in it; links are not followed. Fine when there is nothing.
    pub(crate) fn remove(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let Some(found) = self.stat(path)? else { return Ok(()) };
        let is_folder = FileType::from_raw_mode(found.st_mode) == FileType::Directory;
        if is_folder {
            self.clear(path)?;
        }
        let Some((parent, name)) = self.open_parent(path)? else { return Ok(()) };
        let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        self.present(path, rustix::fs::unlinkat(&parent, name, flags)).map(drop)
    }

    /// Removes everything in a folder, not the folder.
    pub(crate) fn clear(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        self.list(path)?.iter().try_for_each(|name| self.remove(path.join(name)))
    }

    /// All entries below a folder that are no folders themselves, with what they are; links are not followed.
    pub(crate) fn walk(&self, path: impl AsRef<Path>) -> io::Result<Vec<(PathBuf, Stat)>> {
        let mut found = Vec::new();
        let mut pending = vec![path.as_ref().to_owned()];
        while let Some(folder) = pending.pop() {
            for name in self.list(&folder)? {
                let path = folder.join(name);
                match self.stat(&path)? {
                    Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => pending.push(path),
                    Some(stat) => found.push((path, stat)),
                    None => {}
                }
            }
        }
        found.sort_by(|one, two| one.0.cmp(&two.0));
        Ok(found)
    }

    /// Bytes that an ordinary user could still write to the file system that the root is on.
    pub(crate) fn free_bytes(&self) -> io::Result<u64> {
        let found = rustix::fs::fstatvfs(&self.folder).map_err(|error| at(&self.path, error))?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn open_parent<'a>(&self, path: &'a Path) -> io::Result<Option<(OwnedFd, &'a OsStr)>> {
        let name = path.file_name().ok_or_else(|| at(path, Errno::INVAL))?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(self.open_at(parent, OFlags::PATH | OFlags::DIRECTORY)?.map(|parent| (parent, name)))
    }

    fn open_at(&self, path: &Path, flags: OFlags) -> io::Result<Option<OwnedFd>> {
        let flags = flags | OFlags::CLOEXEC;
        self.present(path, self.open_inside(path, flags, Mode::empty()))
    }

    /// The kernel asks to try again where anything on the machine was renamed or mounted while it followed a `..` (openat2(2), EAGAIN).
    fn open_inside(&self, path: &Path, flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
        let open = || rustix::fs::openat2(&self.folder, path, flags, mode, ResolveFlags::IN_ROOT);
        (1..RACES).map(|_| open()).find(|opened| !matches!(opened, Err(Errno::AGAIN))).unwrap_or_else(open)
    }

    /// Turns "there is nothing" into `None`.
    fn present<T>(&self, path: &Path, result: rustix::io::Result<T>) -> io::Result<Option<T>> {
        match result {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(at(&self.path.join(path), error)),
        }
    }
}

fn at(path: &Path, error: Errno) -> io::Error {
    io::Error::new(io::Error::from(error).kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_never_lead_out_of_the_root() {
        let dir = tempfile::tempdir().expect("a folder");
        let (inside, outside) = (dir.path().join("root"), dir.path().join("outside"));
        for folder in [&inside.join("real"), &outside] {
            fs_err::create_dir_all(folder).expect("made");
            fs_err::write(folder.join("file"), "content").expect("written");
        }
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, inside.join(name)).expect("linked");
        link(&outside, "host");
        link(Path::new("../../outside"), "up");
        link(Path::new("/real"), "absolute");
        let root = Root::open(&inside).expect("a root");
        for name in ["host/file", "up/file"] {
            assert_eq!(root.read(name).expect("read"), None, "{name}");
            root.remove(name).expect("nothing to remove");
        }
        assert_eq!(root.read("absolute/file").expect("read").as_deref(), Some(b"content".as_slice()));
        root.remove("host").expect("the link goes");
        root.clear("absolute").expect("cleared inside");
        assert!(outside.join("file").exists() && !inside.join("real/file").exists() && !inside.join("host").exists());
    }
}
