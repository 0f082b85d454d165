//! Disks of our own snapshots, kept on this machine as sparse raw files with their block maps: bases, and layers that others are run
//! over.

mod arriving;
mod shelf;

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use ovenbird_aws::Client;
use ovenbird_core::block::BlockMap;
use ovenbird_disk::blocks;

use self::arriving::Arriving;
use self::shelf::Shelf;
use self::shelf::put_last;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::Folders;
use crate::remote::fetch_changes;
use crate::remote::fetch_disk;
use crate::turn::Turn;

/// A disk of the cache. It is not removed while this lives.
#[derive(Clone, Debug)]
pub(crate) struct KeptDisk {
    /// The snapshot, our own.
    pub(crate) snapshot: String,
    /// The raw file. Never written to.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) map: BlockMap,
    /// Locked shared.
    _used: Arc<File>,
}

impl KeptDisk {
    /// One that is on no shelf.
    #[cfg(test)]
    pub(crate) fn of_test(snapshot: &str, path: &Path, map: BlockMap) -> Self {
        let used = Arc::new(File::open(path).expect("a disk"));
        Self { snapshot: snapshot.to_owned(), path: path.to_owned(), map, _used: used }
    }

    /// The file of what is known of the files on disks that were copied from it.
    pub(crate) fn known_files(&self) -> PathBuf {
        self.path.with_extension("files.json")
    }
}

/// Does this machine have the base's disk?
#[must_use]
pub(crate) fn has_base(folders: &Folders, snapshot: &str) -> bool {
    Shelf::of_bases(folders).find(snapshot).is_some()
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
) -> Result<KeptDisk, BakeError> {
    let fetch = async |disk: &Path| fetch_disk(client, snapshot, disk, on_block).await;
    ensure(&Shelf::of_bases(folders), snapshot, fetch).await
}

/// The disk of a layer over `base`: the base's with the blocks that the layers changed, which are fetched if this machine does not have it.
///
/// # Errors
/// As [`ensure_base`].
pub(crate) async fn ensure_layer(
    client: &Client,
    folders: &Folders,
    base: &KeptDisk,
    snapshot: &str,
    mut on_block: impl FnMut(u64, u64),
) -> Result<KeptDisk, BakeError> {
    let fetch = async |disk: &Path| {
        blocks::copy_sparse(&base.path, disk).map_err(working("copy the base's disk"))?;
        let mut map = base.map.clone();
        match fetch_changes(client, (&base.snapshot, snapshot), disk, &mut map, &mut on_block).await {
            Ok(()) => Ok(map),
            // The layer was baked over an earlier copy of the base: it is read whole.
            Err(error) if are_unrelated(&error) => fetch_disk(client, snapshot, disk, on_block).await,
            Err(error) => Err(error),
        }
    };
    ensure(&Shelf::of_layers(folders), snapshot, fetch).await
}

fn are_unrelated(error: &BakeError) -> bool {
    let BakeError::Aws { source, .. } = error else { return false };
    source.refusal().is_some_and(|refusal| refusal.reason.as_deref() == Some("UNRELATED_SNAPSHOTS"))
}

async fn ensure(
    shelf: &Shelf,
    snapshot: &str,
    fetch: impl AsyncFnOnce(&Path) -> Result<BlockMap, BakeError>,
) -> Result<KeptDisk, BakeError> {
    if let Some(found) = shelf.take(snapshot)? {
        return Ok(found);
    }
    let folder = shelf.ensure_folder()?;
    // Bakes side by side need the same disk: one fetches it. The lock's file stays with the disk: who waits at it
    // must find the same one.
    let _turn = Turn::take(&shelf.lock_path(snapshot), "fetch a disk")?;
    if let Some(found) = shelf.take(snapshot)? {
        return Ok(found);
    }
    shelf.drop_half_fetched_but(Some(snapshot)).map_err(working("clear the cache of disks"))?;
    let fetching = shelf.fetching_lock().map_err(working("lock the cache of disks"))?;
    fetching.lock_shared().map_err(working("lock the cache of disks"))?;
    let arriving = Arriving::begin(folder, snapshot).map_err(working("create a disk in the cache"))?;
    let map = match fetch(arriving.path()).await {
        Ok(map) => map,
        Err(error) => {
            let is_asked = matches!(error, BakeError::Interrupted);
            arriving.leave(is_asked).map_err(working("clear the cache of disks"))?;
            return Err(error);
        }
    };
    let kept = shelf.put(snapshot, &map, |path| arriving.keep_as(path).map(|()| true))?;
    kept.ok_or_else(|| {
        working("use a disk of the cache")(format!(
            "the disk of {snapshot} is gone again; is the cache being cleared? Bake once more"
        ))
    })
}

/// Takes the disk of `twin`, which has the same content, for that of `snapshot`, if this machine has the one and not the other.
///
/// # Errors
/// The disk's.
pub(crate) fn adopt_base(folders: &Folders, twin: &str, snapshot: &str) -> Result<(), BakeError> {
    let shelf = Shelf::of_bases(folders);
    let Some(known) = shelf.find(twin).filter(|_| shelf.find(snapshot).is_none()) else {
        return Ok(());
    };
    // Nobody writes to either, so both names may have one file. Another bake may have been faster.
    let link = |path: &Path| match fs_err::hard_link(&known.path, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(true),
    };
    shelf.put(snapshot, &known.map, link).map(drop)
}

/// Makes the `disk`, which is what `snapshot` is, one of the cache: it is there no more. `None`, and it stays, where the cache is on
/// another file system.
///
/// # Errors
/// The disk's.
pub(crate) fn keep_layer(
    folders: &Folders,
    disk: &Path,
    snapshot: &str,
    map: &BlockMap,
) -> Result<Option<KeptDisk>, BakeError> {
    let place = |path: &Path| {
        fs_err::File::open(disk)?.sync_data()?;
        match fs_err::rename(disk, path) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => Ok(false),
            renamed => renamed.map(|()| true),
        }
    };
    Shelf::of_layers(folders).put(snapshot, map, place)
}

/// Keeps the disk of a layer that nothing was run over yet. It goes before all others, as the beginning of a copy.
///
/// # Errors
/// The disk's.
pub(crate) fn keep_for_copies(folders: &Folders, disk: &Path, snapshot: &str, map: &BlockMap) -> Result<(), BakeError> {
    let kept = keep_layer(folders, disk, snapshot, map)?;
    kept.map_or(Ok(()), |kept| put_last(&kept.path)).map_err(working("keep a disk for copies"))
}

/// Moves a disk that the cache has no more room for to `path`, and tells what it holds: to copy another one over it, only what differs
/// has to be written.
///
/// # Errors
/// The disk's.
pub(crate) fn take_for_copy(folders: &Folders, path: &Path) -> Result<Option<BlockMap>, BakeError> {
    let taken = Shelf::of_layers(folders).give_up_one(path);
    taken.map_err(working("take a disk out of the cache"))
}

/// Removes what bakes that were killed had begun to fetch. While any bake fetches, all stays.
///
/// # Errors
/// The disk's.
pub fn drop_half_fetched(folders: &Folders) -> std::io::Result<()> {
    let shelves = [Shelf::of_bases(folders), Shelf::of_layers(folders)];
    shelves.iter().try_for_each(|shelf| shelf.drop_half_fetched_but(None))
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
