//! Where bakes keep things on this machine, and the lock that says that a bake is alive.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::FlockOperation;
use rustix::fs::flock;

use crate::error::BakeError;
use crate::error::working;

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
        fs_err::create_dir_all(&path).map_err(working("create the bake's folder"))?;
        let lock = lock_file(&path).map_err(working("lock the bake's folder"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(working("lock the bake's folder"))?;
        Ok(Self { id, path, _lock: lock })
    }

    /// The folder of a bake that no process holds; `None` where one does, or there is none.
    #[must_use]
    pub(crate) fn find_abandoned(folders: &Folders, id: &str) -> Option<Self> {
        let path = folders.bakes().join(id);
        let lock = path.is_dir().then(|| lock_file(&path).ok()).flatten()?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(Self { id: id.to_owned(), path, _lock: lock })
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
    Ok(fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"))?.into_parts().0)
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
    let mut ids: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    ids.sort();
    Ok(ids)
}
