//! The disk that a bake works on, and a record of what is on it, so that a bake that was killed need not begin anew.

use std::path::Path;
use std::path::PathBuf;

use ovenbird_core::block::BlockMap;
use ovenbird_core::layer::LayerKey;
use serde::Deserialize;
use serde::Serialize;

use crate::disks::keep_for_copies;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::Folders;

/// Its file in the bake's folder.
pub(crate) const NAME: &str = "disk.raw";
/// The file of its record.
pub(crate) const RECORD: &str = "disk.json";

/// What is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// The snapshot whose content it was made from.
    pub(crate) snapshot: String,
    /// That content.
    pub(crate) map: BlockMap,
    /// The layer that has been applied since.
    pub(crate) layer: Option<LayerKey>,
}

/// The disk. Its record is gone while something writes to it.
#[derive(Clone, Debug)]
pub(crate) struct WorkingDisk {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
}

#[derive(Serialize, Deserialize)]
struct Record {
    /// The kernel that has the disk's pages: after a crash of the machine nobody knows which of them were written.
    boot: String,
    content: Content,
}

impl WorkingDisk {
    /// Where the disk of the bake in `folder` is.
    pub(crate) fn path_in(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// The disk of an earlier run of the bake in `folder`, if it is whole.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        let path = Self::path_in(folder);
        let record: Record = serde_json::from_slice(&fs_err::read(record_path(&path)).ok()?).ok()?;
        let is_whole = record.boot == boot_id().ok()? && path.is_file();
        is_whole.then_some(Self { path, content: record.content })
    }

    /// Begins to write it out, which whoever mounts it would wait for.
    pub(crate) fn write_out_soon(&self) {
        let path = self.path.clone();
        // A disk that is gone or cannot be written says so to those who use it.
        std::thread::spawn(move || fs_err::File::open(path).and_then(|file| file.sync_data()));
    }

    /// Removes the disk in `folder`, if there is one.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn remove(folder: &Path) -> Result<(), BakeError> {
        let path = Self::path_in(folder);
        Self::forget(&path)?;
        remove_file(&path).map_err(working("remove the bake's disk"))
    }

    /// Leaves the disk in `folder` to copies to come, if it is known what is on it and the cache is on the same file system.
    /// Else it goes with the folder.
    pub(crate) fn leave(folder: &Path, folders: &Folders) {
        if let Some(disk) = Self::find(folder).filter(|disk| disk.content.layer.is_none()) {
            _ = keep_for_copies(folders, &disk.path, &disk.content.snapshot, &disk.content.map);
        }
    }

    /// From now on, and until [`Self::record`], what is on the disk is unknown.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn forget(path: &Path) -> Result<(), BakeError> {
        remove_file(&record_path(path)).map_err(working("forget what is on the bake's disk"))
    }

    /// What is on the disk is this.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn record(path: PathBuf, content: Content) -> Result<Self, BakeError> {
        let doing = "write down what is on the bake's disk";
        let record = Record { boot: boot_id().map_err(working(doing))?, content };
        let text = serde_json::to_string(&record).map_err(working(doing))?;
        write_atomically(&record_path(&path), &text)?;
        Ok(Self { path, content: record.content })
    }
}

/// One that is gone already is fine.
fn remove_file(path: &Path) -> std::io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn record_path(disk: &Path) -> PathBuf {
    disk.with_file_name(RECORD)
}

fn boot_id() -> std::io::Result<String> {
    Ok(fs_err::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_disk_that_is_what_its_snapshot_is_is_left_to_copies() {
        let dir = tempfile::tempdir().expect("a folder");
        let folders = Folders { cache: dir.path().join("cache"), state: dir.path().join("state") };
        let bake = dir.path().join("bake");
        fs_err::create_dir(&bake).expect("made");
        let path = WorkingDisk::path_in(&bake);
        let map = BlockMap { volume_size: 3, ..BlockMap::default() };
        let is_left = |layer: Option<LayerKey>| {
            fs_err::write(&path, [0; 3]).expect("written");
            let content = Content { snapshot: "snap-1".to_owned(), map: map.clone(), layer };
            WorkingDisk::record(path.clone(), content).expect("recorded");
            WorkingDisk::leave(&bake, &folders);
            !path.exists()
        };
        assert!(
            !is_left(Some(LayerKey::from_hex(&"ab".repeat(32)).expect("a key"))),
            "its map is that of what is below"
        );
        assert!(is_left(None));
        WorkingDisk::forget(&path).expect("forgotten");
        fs_err::write(&path, [0; 3]).expect("written");
        WorkingDisk::leave(&bake, &folders);
        assert!(path.exists(), "nobody knows what is on it");
        assert!(folders.cache.join("disks/layers/snap-1.raw").exists());
    }
}
