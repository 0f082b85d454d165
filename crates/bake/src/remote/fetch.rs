//! Reading a snapshot into a raw disk.

use std::fs::File;
use std::path::Path;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use futures::stream;
use ovenbird_aws::Client;
use ovenbird_aws::ebs;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Digest;
use ovenbird_core::manifest::Blocks;
use ovenbird_disk::blocks;

use super::IN_FLIGHT;
use super::arrived::Arrived;
use super::listing::BLOCK;
use super::listing::Wanted;
use super::listing::has_reason;
use super::listing::list_blocks;
use super::listing::list_changes;
use super::listing::renew;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::interrupt::stop_if_interrupted;

/// How often a block is read before its wrong content, or its token that has expired, is an error.
const READINGS: usize = 8;

/// Writes the whole content of `snapshot` to `disk`, a sparse raw file, and answers what it holds. Where `disk` is what an earlier
/// run of this had come to, it goes on from there: each block that is there already is read and compared with its digest.
///
/// # Errors
/// AWS's refusals (someone else's public snapshot cannot be read), a wrong checksum, or the disk's.
pub async fn fetch_disk(
    client: &Client,
    snapshot: &str,
    disk: &Path,
    on_block: impl FnMut(u64, u64),
) -> Result<BlockMap, BakeError> {
    let listing = list_blocks(client, snapshot).await.map_err(calling(format!("list the blocks of {snapshot}")))?;
    let mut map = BlockMap { volume_size: listing.volume_size, ..BlockMap::default() };
    let mut arrived = Arrived::open(disk, snapshot, listing.volume_size, &mut map)
        .map_err(working(format!("go on with {}", disk.display())))?;
    let missing = listing.blocks.into_iter().filter(|wanted| !arrived.has(wanted.index)).collect();
    write_blocks(client, snapshot, missing, disk, &mut map, &mut arrived, on_block).await?;
    arrived.finish().map_err(working(format!("finish {}", disk.display())))?;
    Ok(map)
}

/// How much a snapshot of our own holds.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn count_blocks(client: &Client, snapshot: &str) -> Result<Blocks, BakeError> {
    let request = ebs::ListSnapshotBlocksRequest {
        snapshot_id: Some(snapshot.to_owned()),
        max_results: Some(10_000),
        ..Default::default()
    };
    let pages = client.send_all(request).await.map_err(calling(format!("count the blocks of {snapshot}")))?;
    let volume_size = pages.first().and_then(|page| page.volume_size).map(super::size_in_bytes).unwrap_or_default();
    Ok(Blocks { count: pages.iter().map(|page| page.blocks.len() as u64).sum(), volume_size })
}

/// Turns `disk`, which holds `parent` with the content `map`, into `child`, reading only what differs.
///
/// # Errors
/// As [`fetch_disk`]; AWS answers `UNRELATED_SNAPSHOTS` where the two are not of one lineage.
pub async fn fetch_changes(
    client: &Client,
    (parent, child): (&str, &str),
    disk: &Path,
    map: &mut BlockMap,
    on_block: impl FnMut(u64, u64),
) -> Result<(), BakeError> {
    let changes = list_changes(client, parent, child).await;
    let changes = changes.map_err(calling(format!("list what {child} changed since {parent}")))?;
    let (file, zeros) = (open(disk)?, vec![0; BLOCK]);
    for index in changes.cleared {
        blocks::write_block(&file, index, &zeros).map_err(working(format!("write {}", disk.display())))?;
        map.blocks.remove(&index);
    }
    write_blocks(client, child, changes.written, disk, map, &mut Arrived::unrecorded(), on_block).await
}

fn open(disk: &Path) -> Result<File, BakeError> {
    let file = fs_err::OpenOptions::new().read(true).write(true).open(disk);
    Ok(file.map_err(working("open a disk of the cache"))?.into_parts().0)
}

async fn write_blocks(
    client: &Client,
    snapshot: &str,
    wanted: Vec<Wanted>,
    disk: &Path,
    map: &mut BlockMap,
    arrived: &mut Arrived,
    mut on_block: impl FnMut(u64, u64),
) -> Result<(), BakeError> {
    let file = open(disk)?;
    let total = wanted.len() as u64;
    let mut done = 0;
    let mut arriving =
        stream::iter(wanted).map(|wanted| get_block(client, snapshot, wanted)).buffer_unordered(IN_FLIGHT);
    while let Some((index, digest, block)) = arriving.try_next().await? {
        stop_if_interrupted()?;
        let doing = || format!("write {}", disk.display());
        blocks::write_block(&file, index, &block.0).map_err(working(doing()))?;
        arrived.note(index, digest).map_err(working(doing()))?;
        if digest == Digest::ZERO_BLOCK {
            map.blocks.remove(&index);
        } else {
            map.blocks.insert(index, digest);
        }
        done += 1;
        on_block(done, total);
    }
    Ok(())
}

/// A block and its digest, which the service's own checksum agrees with.
async fn get_block(client: &Client, snapshot: &str, mut wanted: Wanted) -> Result<(u32, Digest, Blob), BakeError> {
    let index = wanted.index;
    let doing = || format!("read block {index} of {snapshot}");
    for reading in 1.. {
        let request = ebs::GetSnapshotBlockRequest {
            snapshot_id: Some(snapshot.to_owned()),
            block_index: i32::try_from(index).ok(),
            block_token: Some(wanted.token.clone()),
        };
        match client.send(request).await {
            Ok(answer) => {
                let block = answer.block_data.unwrap_or_default();
                let digest = Digest::of(&block.0);
                if block.0.len() == BLOCK && answer.checksum.as_deref().and_then(Digest::from_base64) == Some(digest) {
                    return Ok((index, digest, block));
                }
            }
            Err(error) if has_reason(&error, "INVALID_BLOCK_TOKEN") && reading < READINGS => {
                wanted = renew(client, snapshot, index).await.map_err(calling(doing()))?;
            }
            Err(error) => return Err(calling(doing())(error)),
        }
        if reading >= READINGS {
            break;
        }
    }
    Err(BakeError::Checksum { snapshot: snapshot.to_owned(), index })
}
