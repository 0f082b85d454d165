//! A folder of the cache with disks in it, of which only so many stay.

use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use ovenbird_core::block::BlockMap;

use super::KeptDisk;
use super::arriving::arriving_path;
use super::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::Folders;
use crate::folder::find_oldest;
use crate::folder::ignore_missing;
use crate::remote::note_of;

/// Extension of a disk that is not whole yet.
pub(super) const EXTENSION_OF_HALF: &str = "arriving";

const NOW: rustix::fs::Timespec = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };

/// The folder of one kind of disks.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    /// Disks that stay; the one that was not used for longest goes.
    room: usize,
}

impl Shelf {
    /// Bases.
    pub(super) fn of_bases(folders: &Folders) -> Self {
        Self { folder: folders.cache.join("disks"), room: 4 }
    }

    /// Layers: those that another one was run over, and the last ones of images, which become the next bake's copies.
    pub(super) fn of_layers(folders: &Folders) -> Self {
        Self { folder: folders.cache.join("disks").join("layers"), room: 4 }
    }

    /// The folder, made if it is missing. A disk holds what only root may read in the image.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn ensure_folder(&self) -> Result<&Path, BakeError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        // One of an earlier version is open to all.
        let closed = made.and_then(|()| std::fs::set_permissions(&self.folder, PermissionsExt::from_mode(0o700)));
        closed.map_err(working(format!("create {}", self.folder.display())))?;
        Ok(&self.folder)
    }

    pub(super) fn disk_path(&self, snapshot: &str) -> PathBuf {
        self.folder.join(format!("{snapshot}.raw"))
    }

    /// The file of its block map.
    fn map_path(&self, snapshot: &str) -> PathBuf {
        self.disk_path(snapshot).with_extension("blocks.json")
    }

    /// The file that is locked by the one process that gets the disk.
    pub(super) fn lock_path(&self, snapshot: &str) -> PathBuf {
        self.disk_path(snapshot).with_extension("lock")
    }

    /// The disk of `snapshot`, if this machine has it whole. It stays while the answer lives.
    pub(super) fn find(&self, snapshot: &str) -> Option<KeptDisk> {
        let path = self.disk_path(snapshot);
        let file = fs_err::File::open(&path).ok()?.into_parts().0;
        file.lock_shared().ok()?;
        let map: BlockMap = serde_json::from_slice(&fs_err::read(self.map_path(snapshot)).ok()?).ok()?;
        let is_whole = is_at(&file, &path) && file.metadata().is_ok_and(|found| found.len() == map.volume_size);
        is_whole.then(|| KeptDisk { snapshot: snapshot.to_owned(), path, map, _used: Arc::new(file) })
    }

    /// As [`Self::find`], for somebody who needs it: others go before it.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn take(&self, snapshot: &str) -> Result<Option<KeptDisk>, BakeError> {
        let found = self.find(snapshot);
        if let Some(found) = &found {
            touch(&found.path).map_err(working("mark a disk of the cache as used"))?;
        }
        Ok(found)
    }

    /// Gives the disk that `place` puts at the path it is told its place here. `None` where `place` says that it cannot be had.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn put(
        &self,
        snapshot: &str,
        map: &BlockMap,
        place: impl FnOnce(&Path) -> std::io::Result<bool>,
    ) -> Result<Option<KeptDisk>, BakeError> {
        let doing = || format!("keep the disk of {snapshot} in the cache");
        self.ensure_folder()?;
        // The map first, so that a disk is never without one.
        let text = serde_json::to_string(map).map_err(working(doing()))?;
        write_atomically(&self.map_path(snapshot), &text)?;
        if !place(&self.disk_path(snapshot)).map_err(working(doing()))? {
            ignore_missing(fs_err::remove_file(self.map_path(snapshot))).map_err(working(doing()))?;
            return Ok(None);
        }
        let kept = self.take(snapshot)?;
        self.make_room().map_err(working("make room in the cache of disks"))?;
        Ok(kept)
    }

    /// Where the shelf is full, moves the disk that would go next to `path`, and tells what it holds. `None` where there is room, no disk is
    /// free, or `path` is on another file system; also where nobody knows what the moved one holds: then it is overwritten whole.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn give_up_one(&self, path: &Path) -> std::io::Result<Option<BlockMap>> {
        if !self.folder.is_dir() {
            return Ok(None);
        }
        for disk in find_oldest(&self.folder, self.room - 1, is_disk)? {
            let Some((_held, map)) = self.hold_alone(&disk) else { continue };
            match fs_err::rename(&disk, path) {
                Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => return Ok(None),
                renamed => renamed?,
            }
            remove_beside(&disk)?;
            return Ok(map);
        }
        Ok(None)
    }

    /// A disk that any bake uses stays.
    fn make_room(&self) -> std::io::Result<()> {
        for disk in find_oldest(&self.folder, self.room, is_disk)? {
            let Some(_held) = self.hold_alone(&disk) else { continue };
            remove_beside(&disk)?;
            ignore_missing(fs_err::remove_file(disk))?;
        }
        Ok(())
    }

    /// The disk and what it holds, while nobody else uses it.
    fn hold_alone(&self, disk: &Path) -> Option<(std::fs::File, Option<BlockMap>)> {
        let file = fs_err::File::open(disk).ok()?.into_parts().0;
        file.try_lock().ok()?;
        let map = fs_err::read(disk.with_extension("blocks.json")).ok();
        is_at(&file, disk).then(|| (file, map.and_then(|text| serde_json::from_slice(&text).ok())))
    }

    /// Removes what bakes that were killed had begun to fetch, but for the disk of `wanted`. While any bake fetches, all stays.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn drop_half_fetched_but(&self, wanted: Option<&str>) -> std::io::Result<()> {
        if !self.folder.is_dir() {
            return Ok(());
        }
        let fetching = self.fetching_lock()?;
        if fetching.try_lock().is_err() {
            return Ok(());
        }
        for entry in fs_err::read_dir(&self.folder)? {
            let path = entry?.path();
            let is_half =
                path.extension().is_some_and(|extension| extension == EXTENSION_OF_HALF || extension == "blocks");
            let is_wanted = wanted
                .map(|snapshot| arriving_path(&self.folder, snapshot))
                .is_some_and(|wanted| path == wanted || path == note_of(&wanted));
            if is_half && !is_wanted {
                fs_err::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Held shared by every bake that fetches; the kernel drops it for one that is killed.
    pub(super) fn fetching_lock(&self) -> std::io::Result<std::fs::File> {
        let path = self.folder.join("fetching.lock");
        let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        Ok(file.into_parts().0)
    }
}

fn is_disk(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "raw")
}

/// Removes what belongs to the disk.
fn remove_beside(disk: &Path) -> std::io::Result<()> {
    let beside = ["blocks.json", "files.json", "lock"];
    beside.iter().try_for_each(|extension| ignore_missing(fs_err::remove_file(disk.with_extension(extension))))
}

/// Does `path` still lead to the open `file`?
pub(super) fn is_at(file: &std::fs::File, path: &Path) -> bool {
    let same =
        |held: std::fs::Metadata, named: std::fs::Metadata| (held.dev(), held.ino()) == (named.dev(), named.ino());
    file.metadata().ok().zip(fs_err::metadata(path).ok()).is_some_and(|(held, named)| same(held, named))
}

/// It was used now.
fn touch(disk: &Path) -> std::io::Result<()> {
    set_used(disk, NOW)
}

/// It goes before all others.
pub(super) fn put_last(disk: &Path) -> std::io::Result<()> {
    set_used(disk, rustix::fs::Timespec { tv_sec: 0, tv_nsec: 0 })
}

fn set_used(disk: &Path, time: rustix::fs::Timespec) -> std::io::Result<()> {
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::utimensat(rustix::fs::CWD, disk, &times, rustix::fs::AtFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_was_not_used_for_longest_goes_and_never_one_in_use() {
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = Shelf { folder: dir.path().join("disks"), room: 2 };
        let put = |snapshot: &str| {
            let map = BlockMap { volume_size: 4, ..BlockMap::default() };
            let place = |path: &Path| fs_err::write(path, "disk").map(|()| true);
            shelf.put(snapshot, &map, place).expect("kept").expect("there")
        };
        let set_used = |snapshot: &str, seconds: u64| {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            let file = fs_err::File::open(shelf.disk_path(snapshot)).expect("there");
            file.file().set_modified(time).expect("the time is set");
        };
        let first = put("snap-1");
        set_used("snap-1", 1);
        drop(put("snap-2"));
        set_used("snap-2", 2);
        drop(put("snap-3"));
        set_used("snap-3", 3);
        assert!(shelf.find("snap-1").is_some(), "it is in use");
        assert!(shelf.find("snap-2").is_some() && shelf.find("snap-3").is_some(), "there is room for these");
        drop(first);
        drop(shelf.take("snap-2").expect("read").expect("there"));
        drop(put("snap-4"));
        let names = || fs_err::read_dir(&shelf.folder).expect("readable").count();
        assert!(shelf.find("snap-1").is_none() && shelf.find("snap-3").is_none(), "nobody used them since");
        assert!(shelf.find("snap-2").is_some() && shelf.find("snap-4").is_some());
        assert_eq!(names(), 4, "two disks and their maps");

        let refused = shelf.put("snap-5", &BlockMap::default(), |_| Ok(false)).expect("no failure");
        assert!(refused.is_none() && names() == 4, "what cannot be had leaves nothing");
    }

    #[test]
    fn a_full_shelf_gives_up_the_disk_that_would_go_next_and_what_it_holds() {
        let dir = tempfile::tempdir().expect("a folder");
        let shelf = Shelf { folder: dir.path().join("disks"), room: 2 };
        let to = dir.path().join("to.raw");
        let put = |snapshot: &str, size: u64| {
            let map = BlockMap { volume_size: size, ..BlockMap::default() };
            let place = |path: &Path| fs_err::write(path, vec![1; map.volume_size as usize]).map(|()| true);
            shelf.put(snapshot, &map, place).expect("kept").expect("there")
        };
        let give_up = || shelf.give_up_one(&to).expect("no failure").map(|map| map.volume_size);
        assert_eq!(give_up(), None, "there is no shelf yet");
        let first = put("snap-1", 1);
        assert_eq!(give_up(), None, "there is room for another one");
        let second = put("snap-2", 2);
        put_last(&second.path).expect("marked");
        assert_eq!(give_up(), None, "both are in use");
        drop((first, second));
        assert_eq!(give_up(), Some(2), "the newer one is to go before all others");
        assert_eq!(fs_err::metadata(&to).expect("moved").len(), 2);
        assert!(shelf.find("snap-1").is_some() && shelf.find("snap-2").is_none());
        assert_eq!(fs_err::read_dir(&shelf.folder).expect("readable").count(), 2, "a disk and its map");

        drop(put("snap-3", 3));
        fs_err::write(shelf.map_path("snap-1"), "{").expect("spoilt");
        assert_eq!(give_up(), None, "nobody knows what it holds");
    }

    #[test]
    fn a_disk_of_another_size_than_its_map_says_is_none_and_the_folder_is_roots() {
        let dir = tempfile::tempdir().expect("a folder");
        fs_err::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).expect("opened");
        let shelf = Shelf { folder: dir.path().to_owned(), room: 2 };
        let map = BlockMap { volume_size: 4, ..BlockMap::default() };
        let kept = shelf.put("snap-1", &map, |path| fs_err::write(path, "cut").map(|()| true)).expect("no failure");
        assert!(kept.is_none());
        let mode = fs_err::metadata(dir.path()).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "it holds what only root may read in the image");
    }
}
