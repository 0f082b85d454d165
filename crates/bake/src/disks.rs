//! Disks of our own snapshots, kept on this machine as sparse raw files with their block maps.
//!
//! Only bases are kept whole; a layer's disk is its base's with the layer's few blocks over it.

use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_aws::Client;
use ovenbird_core::block::BlockMap;
use ovenbird_disk::blocks;

use crate::error::BakeError;
use crate::error::working;
use crate::folder::Folders;
use crate::folder::find_oldest;
use crate::folder::ignore_missing;
use crate::remote::fetch_changes;
use crate::remote::fetch_disk;
use crate::remote::note_of;
use crate::turn::Turn;

/// Bases that are kept; the one that was not used for longest goes.
const BASES: usize = 4;
/// Extension of a disk that is not whole yet.
const ARRIVING: &str = "arriving";

/// A base's disk in the cache.
#[derive(Clone, Debug)]
pub(crate) struct BaseDisk {
    /// The snapshot, our own.
    pub snapshot: String,
    /// The raw file. Never written to.
    pub path: PathBuf,
    /// What it holds.
    pub map: BlockMap,
}

impl BaseDisk {
    /// The file of what is known of the files on disks that were copied from it.
    pub(crate) fn known_files(&self) -> PathBuf {
        self.path.with_extension("files.json")
    }
}

/// The base's disk, fetched if this machine does not have it.
///
/// # Errors
/// AWS's refusals or the disk's; a disk that did not arrive whole is never taken for a base, but gone on with.
pub(crate) async fn ensure_base(
    client: &Client,
    folders: &Folders,
    snapshot: &str,
    on_block: impl FnMut(u64, u64),
) -> Result<BaseDisk, BakeError> {
    if let Some(found) = find_base(folders, snapshot) {
        touch(&found.path).map_err(working("mark a base of the cache as used"))?;
        return Ok(found);
    }
    let folder = disks(folders);
    fs_err::create_dir_all(&folder).map_err(working("create the cache of disks"))?;
    // Bakes side by side need the same base: one fetches it. The lock's file stays: who waits at it must find the same one.
    let _turn = Turn::take(&folder.join(format!("{snapshot}.lock")), "fetch the base")?;
    if let Some(found) = find_base(folders, snapshot) {
        return Ok(found);
    }
    drop_half_fetched_but(folders, Some(snapshot)).map_err(working("clear the cache of disks"))?;
    let fetching = fetching_lock(&folder).map_err(working("lock the cache of disks"))?;
    fetching.lock_shared().map_err(working("lock the cache of disks"))?;
    let arriving = Arriving::begin(&folder, snapshot).map_err(working("create a disk in the cache"))?;
    let map = match fetch_disk(client, snapshot, arriving.path(), on_block).await {
        Ok(map) => map,
        Err(error) => {
            let is_asked = matches!(error, BakeError::Interrupted);
            arriving.leave(is_asked).map_err(working("clear the cache of disks"))?;
            return Err(error);
        }
    };
    let path = disk_path(folders, snapshot);
    let text = serde_json::to_string(&map).map_err(working("write a block map"))?;
    // The map first, so that a disk is never without one.
    write_atomically(&map_path(folders, snapshot), &text)?;
    arriving.keep_as(&path).map_err(working("keep the fetched base in the cache"))?;
    drop_oldest(&folder).map_err(working("make room in the cache of disks"))?;
    Ok(BaseDisk { snapshot: snapshot.to_owned(), path, map })
}

/// Takes the disk of `twin`, which has the same content, for that of `snapshot`, if this machine has the one and not the other.
///
/// # Errors
/// The disk's.
pub(crate) fn adopt_base(folders: &Folders, twin: &str, snapshot: &str) -> Result<(), BakeError> {
    let Some(known) = find_base(folders, twin).filter(|_| find_base(folders, snapshot).is_none()) else {
        return Ok(());
    };
    let doing = "take a base of the cache for its copy";
    let text = serde_json::to_string(&known.map).map_err(working(doing))?;
    write_atomically(&map_path(folders, snapshot), &text)?;
    // Nobody writes to either, so both names may have one file. Another bake may have been faster, or made room.
    match fs_err::hard_link(&known.path, disk_path(folders, snapshot)) {
        Err(error) if ![ErrorKind::AlreadyExists, ErrorKind::NotFound].contains(&error.kind()) => {
            Err(working(doing)(error))
        }
        _ => Ok(()),
    }
}

/// A disk that is not whole yet.
enum Arriving {
    /// One that the next bake goes on with if this one does not come to its end.
    Shared { path: PathBuf, _held: std::fs::File },
    /// Another bake fetches the same just now: one of our own, that goes with us.
    Own(tempfile::TempPath),
}

impl Arriving {
    fn begin(folder: &Path, snapshot: &str) -> std::io::Result<Self> {
        let path = arriving_path(folder, snapshot);
        let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?.into_parts().0;
        // The other may have made it whole between our opening and our locking it: then the name leads elsewhere.
        if file.try_lock().is_ok() && is_at(&file, &path) {
            return Ok(Self::Shared { path, _held: file });
        }
        let own = tempfile::Builder::new()
            .prefix(&format!("{snapshot}."))
            .suffix(&format!(".{ARRIVING}"))
            .tempfile_in(folder)?;
        Ok(Self::Own(own.into_temp_path()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Shared { path, .. } => path,
            Self::Own(path) => path,
        }
    }

    /// After a failure the next bake goes on with it; a bake that was asked to end leaves nothing.
    fn leave(self, is_asked: bool) -> std::io::Result<()> {
        let is_kept = matches!(self, Self::Shared { .. }) && !is_asked;
        if is_kept {
            return Ok(());
        }
        for path in [note_of(self.path()), self.path().to_owned()].into_iter().filter(|path| path.exists()) {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    fn keep_as(self, whole: &Path) -> std::io::Result<()> {
        match self {
            Self::Shared { path, .. } => fs_err::rename(path, whole),
            Self::Own(path) => path.persist(whole).map_err(|error| error.error),
        }
    }
}

fn is_at(file: &std::fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same =
        |held: std::fs::Metadata, named: std::fs::Metadata| (held.dev(), held.ino()) == (named.dev(), named.ino());
    file.metadata().ok().zip(fs_err::metadata(path).ok()).is_some_and(|(held, named)| same(held, named))
}

fn arriving_path(folder: &Path, snapshot: &str) -> PathBuf {
    folder.join(format!("{snapshot}.{ARRIVING}"))
}

/// The base's disk, if this machine has it whole.
#[must_use]
pub(crate) fn find_base(folders: &Folders, snapshot: &str) -> Option<BaseDisk> {
    let path = disk_path(folders, snapshot);
    let map: BlockMap = serde_json::from_slice(&fs_err::read(map_path(folders, snapshot)).ok()?).ok()?;
    let is_whole = fs_err::metadata(&path).is_ok_and(|found| found.len() == map.volume_size);
    is_whole.then(|| BaseDisk { snapshot: snapshot.to_owned(), path, map })
}

fn touch(disk: &Path) -> std::io::Result<()> {
    let times = rustix::fs::Timestamps { last_access: NOW, last_modification: NOW };
    Ok(rustix::fs::utimensat(rustix::fs::CWD, disk, &times, rustix::fs::AtFlags::empty())?)
}

const NOW: rustix::fs::Timespec = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };

/// Removes what bakes that were killed had begun to fetch. While any bake fetches, all stays.
///
/// # Errors
/// The disk's.
pub fn drop_half_fetched(folders: &Folders) -> std::io::Result<()> {
    drop_half_fetched_but(folders, None)
}

fn drop_half_fetched_but(folders: &Folders, wanted: Option<&str>) -> std::io::Result<()> {
    let folder = disks(folders);
    if !folder.is_dir() {
        return Ok(());
    }
    let fetching = fetching_lock(&folder)?;
    if fetching.try_lock().is_err() {
        return Ok(());
    }
    for entry in fs_err::read_dir(&folder)? {
        let path = entry?.path();
        let is_half = path.extension().is_some_and(|extension| extension == ARRIVING || extension == "blocks");
        let is_wanted = wanted
            .map(|snapshot| arriving_path(&folder, snapshot))
            .is_some_and(|wanted| path == wanted || path == note_of(&wanted));
        if is_half && !is_wanted {
            fs_err::remove_file(path)?;
        }
    }
    Ok(())
}

/// Held shared by every bake that fetches; the kernel drops it for one that is killed.
fn fetching_lock(folder: &Path) -> std::io::Result<std::fs::File> {
    let file =
        fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("fetching.lock"))?;
    Ok(file.into_parts().0)
}

/// A bake that reads a disk just now has it open, so it goes on with it.
fn drop_oldest(folder: &Path) -> std::io::Result<()> {
    let is_disk = |path: &Path| path.extension().is_some_and(|extension| extension == "raw");
    for disk in find_oldest(folder, BASES, is_disk)? {
        for file in [disk.with_extension("blocks.json"), disk.with_extension("files.json"), disk] {
            ignore_missing(fs_err::remove_file(file))?;
        }
    }
    Ok(())
}

/// A disk that may be written to, with the content of `snapshot`, a descendant of `base` (or `base` itself).
///
/// # Errors
/// AWS's refusals or the disk's.
pub(crate) async fn working_copy(
    client: &Client,
    base: &BaseDisk,
    snapshot: &str,
    path: &Path,
    mut on_block: impl FnMut(u64, u64),
) -> Result<BlockMap, BakeError> {
    blocks::copy_sparse(&base.path, path).map_err(working("copy the base's disk"))?;
    let mut map = base.map.clone();
    if snapshot == base.snapshot {
        return Ok(map);
    }
    match fetch_changes(client, (&base.snapshot, snapshot), path, &mut map, &mut on_block).await {
        Ok(()) => Ok(map),
        // The layer was baked over an earlier copy of the base: it is read whole.
        Err(error) if are_unrelated(&error) => fetch_disk(client, snapshot, path, on_block).await,
        Err(error) => Err(error),
    }
}

fn are_unrelated(error: &BakeError) -> bool {
    let BakeError::Aws { source, .. } = error else { return false };
    source.refusal().is_some_and(|refusal| refusal.reason.as_deref() == Some("UNRELATED_SNAPSHOTS"))
}

fn disks(folders: &Folders) -> PathBuf {
    folders.cache.join("disks")
}

fn disk_path(folders: &Folders, snapshot: &str) -> PathBuf {
    disks(folders).join(format!("{snapshot}.raw"))
}

fn map_path(folders: &Folders, snapshot: &str) -> PathBuf {
    disks(folders).join(format!("{snapshot}.blocks.json"))
}

/// Writes `content` so that a reader sees all of it or none.
pub(crate) fn write_atomically(path: &Path, content: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), BakeError> {
    let doing = || format!("write {}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder).map_err(working(doing()))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(working(doing()))?;
    std::io::Write::write_all(&mut file, content.as_ref()).map_err(working(doing()))?;
    file.as_file().sync_all().map_err(working(doing()))?;
    file.persist(path).map_err(|error| working(doing())(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_on_its_way_is_gone_on_with_by_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = folder.path().join("snap-1.raw");
        let first = Arriving::begin(folder.path(), "snap-1").expect("begun");
        let second = Arriving::begin(folder.path(), "snap-1").expect("begun");
        assert_eq!(first.path(), arriving_path(folder.path(), "snap-1"));
        assert_ne!(second.path(), first.path(), "the first is at it");
        fs_err::write(first.path(), "half").expect("written");
        fs_err::write(note_of(second.path()), "noted").expect("written");
        second.leave(false).expect("left");
        first.leave(false).expect("left");
        let names = || fs_err::read_dir(folder.path()).expect("readable").count();
        assert_eq!(names(), 1, "one's own goes, the shared one stays");

        let third = Arriving::begin(folder.path(), "snap-1").expect("begun");
        assert_eq!(fs_err::read_to_string(third.path()).expect("read"), "half");
        third.leave(true).expect("left");
        assert_eq!(names(), 0, "who is asked to end leaves nothing");
        Arriving::begin(folder.path(), "snap-1").expect("begun").keep_as(&whole).expect("kept");
        assert!(whole.exists() && names() == 1);
    }
}
