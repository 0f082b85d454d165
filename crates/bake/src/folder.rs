//! Where bakes keep things on this machine, and the lock that says that a bake is alive.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ovenbird_disk::wait::wait_until;
use rustix::fs::FlockOperation;
use rustix::fs::flock;

use crate::error::BakeError;
use crate::error::working;

/// Logs that are kept.
const LOGS: usize = 20;

/// How long those are waited for that look at a bake which was cut off; `doctor` asks AWS meanwhile.
const LOOK: Duration = Duration::from_secs(10);

/// The file of a bake's folder that is locked while the bake lives.
const LOCK: &str = "lock";

/// The two folders of an installation: what may be thrown away, and what may not.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Disks, package archives, tool versions: anything here can be fetched again.
    pub cache: PathBuf,
    /// Bakes under way and the manifests of images.
    pub state: PathBuf,
}

impl Folders {
    /// Bakes that run, or that were cut off: a folder each.
    #[must_use]
    pub fn bakes(&self) -> PathBuf {
        self.state.join("bakes")
    }

    /// Logs of bakes, which outlive them: a folder each.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// What is known of the sources that Ansible packs.
    #[must_use]
    pub fn sources(&self) -> PathBuf {
        self.cache.join("ansible")
    }

    /// The manifest of `image`.
    #[must_use]
    pub fn manifest(&self, image: &str) -> PathBuf {
        self.state.join("manifests").join(format!("{image}.json"))
    }
}

/// A bake's folder. It is locked while the bake lives; the kernel drops the lock even after `kill -9`.
#[derive(Debug)]
pub(crate) struct BakeFolder {
    /// The bake's id, `bake-` and 16 hex digits.
    pub id: String,
    /// The folder.
    pub path: PathBuf,
    _lock: File,
}

impl BakeFolder {
    /// A new bake's folder.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn create(folders: &Folders) -> Result<Self, BakeError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| working("draw a bake id")(error.to_string()))?;
        let id = format!("bake-{}", data_encoding::HEXLOWER.encode(&random));
        let path = folders.bakes().join(&id);
        // It gets its name when it is locked: nobody ever sees a bake without a lock.
        let unnamed = folders.bakes().join(format!(".{id}"));
        fs_err::create_dir_all(&unnamed).map_err(working("create the bake's folder"))?;
        let lock = lock_file(&unnamed).map_err(working("lock the bake's folder"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(working("lock the bake's folder"))?;
        fs_err::rename(&unnamed, &path).map_err(working("create the bake's folder"))?;
        Ok(Self { id, path, _lock: lock })
    }

    /// The folder of a bake that no process works on, to look at: any number may, and none takes it up meanwhile. `None` where one works on
    /// it, or there is none.
    #[must_use]
    pub(crate) fn find_abandoned(folders: &Folders, id: &str) -> Option<Self> {
        Self::find_with(folders, id, FlockOperation::NonBlockingLockShared)
    }

    /// The same, to work on. Those that look at it are waited for.
    #[must_use]
    pub(crate) fn take_abandoned(folders: &Folders, id: &str) -> Option<Self> {
        let path = folders.bakes().join(id);
        let take = || match Self::find_with(folders, id, FlockOperation::NonBlockingLockExclusive) {
            None if path.is_dir() => None,
            taken => Some(taken),
        };
        wait_until(LOOK, Duration::from_millis(20), take).ok().flatten()
    }

    fn find_with(folders: &Folders, id: &str, operation: FlockOperation) -> Option<Self> {
        let path = folders.bakes().join(id);
        let lock = path.is_dir().then(|| lock_file(&path).ok()).flatten()?;
        flock(&lock, operation).ok()?;
        // Whoever had it may have removed it before we did.
        path.is_dir().then(|| Self { id: id.to_owned(), path, _lock: lock })
    }

    /// Removes all that is in the folder but its lock and the files of these names.
    ///
    /// # Errors
    /// The disk's; something may still be mounted in it.
    pub(crate) fn clear_but(&self, names: &[&str]) -> Result<(), BakeError> {
        let doing = || format!("clear what {} left on this machine", self.id);
        for entry in fs_err::read_dir(&self.path).map_err(working(doing()))? {
            let path = entry.map_err(working(doing()))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == LOCK || names.contains(&name) {
                continue;
            }
            let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
            let removed = if is_folder { fs_err::remove_dir_all(&path) } else { fs_err::remove_file(&path) };
            removed.map_err(working(doing()))?;
        }
        Ok(())
    }

    /// Removes the folder and all that is in it.
    ///
    /// # Errors
    /// The disk's; something may still be mounted in it.
    pub(crate) fn remove(self) -> Result<(), BakeError> {
        fs_err::remove_dir_all(&self.path).map_err(working(format!("remove what {} left on this machine", self.id)))
    }
}

fn lock_file(folder: &Path) -> std::io::Result<File> {
    Ok(fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))?.into_parts().0)
}

/// Removes all but the latest logs.
///
/// # Errors
/// The disk's.
pub(crate) fn drop_old_logs(folders: &Folders) -> std::io::Result<()> {
    find_oldest(&folders.logs(), LOGS, |_| true)?
        .iter()
        .try_for_each(|path| ignore_missing(fs_err::remove_dir_all(path)))
}

/// The entries of `folder` that are wanted, without the `most` latest. Bakes side by side clear the same folders, so what is gone while
/// we look is gone.
///
/// # Errors
/// The disk's.
pub(crate) fn find_oldest(folder: &Path, most: usize, want: impl Fn(&Path) -> bool) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        match fs_err::symlink_metadata(&path).and_then(|found| found.modified()) {
            Ok(modified) if want(&path) => found.push((modified, path)),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    found.sort();
    found.truncate(found.len().saturating_sub(most));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// A removal of what somebody else has removed went well.
///
/// # Errors
/// Any other.
pub(crate) fn ignore_missing(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The ids of all bakes that have a folder, alive or not.
///
/// # Errors
/// The disk's.
pub(crate) fn list_bakes(folders: &Folders) -> Result<Vec<String>, BakeError> {
    let entries = match fs_err::read_dir(folders.bakes()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(working("list the bakes of this machine")(error)),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<String> = names.filter(|name| name.starts_with("bake-")).collect();
    ids.sort();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_look_at_what_was_cut_off_and_one_takes_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let folders = Folders { cache: dir.path().join("cache"), state: dir.path().join("state") };
        let alive = BakeFolder::create(&folders).expect("made");
        let id = alive.id.clone();
        assert!(BakeFolder::find_abandoned(&folders, &id).is_none(), "somebody works on it");
        drop(alive);
        let looks = [(); 2].map(|()| BakeFolder::find_abandoned(&folders, &id).expect("nobody does"));
        std::thread::scope(|scope| {
            let takes = scope.spawn(|| BakeFolder::take_abandoned(&folders, &id));
            drop(looks);
            let taken = takes.join().expect("well").expect("nobody looks any more");
            assert!(BakeFolder::find_abandoned(&folders, &id).is_none());
            taken.remove().expect("removed");
        });
        assert!(BakeFolder::find_abandoned(&folders, &id).is_none(), "it is gone");
    }

    #[test]
    fn bakes_side_by_side_may_clear_the_same_logs() {
        let dir = tempfile::tempdir().expect("a folder");
        let folders = Folders { cache: dir.path().join("cache"), state: dir.path().join("state") };
        std::thread::scope(|scope| {
            for bake in 0..4 {
                let folders = &folders;
                scope.spawn(move || {
                    for number in 0..50 {
                        let log = folders.logs().join(format!("bake-{bake}-{number}"));
                        fs_err::create_dir_all(log).expect("made");
                        drop_old_logs(folders).expect("cleared");
                    }
                });
            }
        });
        assert_eq!(fs_err::read_dir(folders.logs()).expect("the logs").count(), LOGS);
    }
}
