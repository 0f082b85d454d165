//! Reading a snapshot into a raw disk.

use std::fs::File;
use std::path::Path;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use futures::stream;
use ovenbird_aws::Client;
use ovenbird_aws::ebs;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Digest;
use ovenbird_disk::blocks;

use super::IN_FLIGHT;
use super::size_in_bytes;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::interrupt::stop_if_interrupted;

/// A block to read, and the token that allows it. Tokens change with each listing: they name nothing.
struct Wanted {
    index: u32,
    token: String,
}

/// Writes the whole content of `snapshot` to `disk`, a new sparse raw file, and answers what it holds.
///
/// # Errors
/// AWS's refusals (someone else's public snapshot cannot be read), a wrong checksum, or the disk's.
pub async fn fetch_disk(
    client: &Client,
    snapshot: &str,
    disk: &Path,
    mut on_block: impl FnMut(u64, u64),
) -> Result<BlockMap, BakeError> {
    let request = ebs::ListSnapshotBlocksRequest {
        snapshot_id: Some(snapshot.to_owned()),
        max_results: Some(10_000),
        ..Default::default()
    };
    let pages = client.send_all(request).await.map_err(calling(format!("list the blocks of {snapshot}")))?;
    let volume_size = pages.first().and_then(|page| page.volume_size).map(size_in_bytes).unwrap_or_default();
    let wanted: Vec<Wanted> = pages
        .into_iter()
        .flat_map(|page| page.blocks)
        .filter_map(|block| Some(Wanted { index: index(block.block_index?)?, token: block.block_token? }))
        .collect();
    blocks::create_sparse(disk, volume_size).map_err(working(format!("create {}", disk.display())))?;
    let mut map = BlockMap { volume_size, ..BlockMap::default() };
    write_blocks(client, snapshot, wanted, disk, &mut map, &mut on_block).await?;
    Ok(map)
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
    mut on_block: impl FnMut(u64, u64),
) -> Result<(), BakeError> {
    let request = ebs::ListChangedBlocksRequest {
        first_snapshot_id: Some(parent.to_owned()),
        second_snapshot_id: Some(child.to_owned()),
        max_results: Some(10_000),
        ..Default::default()
    };
    let pages = client.send_all(request).await.map_err(calling(format!("list what {child} changed since {parent}")))?;
    let changed: Vec<_> = pages.into_iter().flat_map(|page| page.changed_blocks).collect();
    let file = open(disk)?;
    let (mut wanted, zeros) = (Vec::new(), vec![0; BLOCK_SIZE as usize]);
    for block in changed {
        let Some(index) = block.block_index.and_then(index) else { continue };
        match block.second_block_token {
            Some(token) => wanted.push(Wanted { index, token }),
            None => {
                blocks::write_block(&file, index, &zeros).map_err(working(format!("write {}", disk.display())))?;
                map.blocks.remove(&index);
            }
        }
    }
    write_blocks(client, child, wanted, disk, map, &mut on_block).await
}

fn index(index: i32) -> Option<u32> {
    u32::try_from(index).ok()
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
    on_block: &mut impl FnMut(u64, u64),
) -> Result<(), BakeError> {
    let file = open(disk)?;
    let total = wanted.len() as u64;
    let mut done = 0;
    let mut arriving =
        stream::iter(wanted).map(|wanted| get_block(client, snapshot, wanted)).buffer_unordered(IN_FLIGHT);
    while let Some((index, digest, block)) = arriving.try_next().await? {
        stop_if_interrupted()?;
        blocks::write_block(&file, index, &block).map_err(working(format!("write {}", disk.display())))?;
        if block.iter().all(|byte| *byte == 0) {
            map.blocks.remove(&index);
        } else {
            map.blocks.insert(index, digest);
        }
        done += 1;
        on_block(done, total);
    }
    Ok(())
}

async fn get_block(client: &Client, snapshot: &str, wanted: Wanted) -> Result<(u32, Digest, Vec<u8>), BakeError> {
    let request = ebs::GetSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: i32::try_from(wanted.index).ok(),
        block_token: Some(wanted.token),
    };
    let answer = client.send(request).await.map_err(calling(format!("read block {} of {snapshot}", wanted.index)))?;
    let block = answer.block_data.unwrap_or_default().0;
    let digest = Digest::of(&block);
    let is_whole = block.len() as u64 == BLOCK_SIZE;
    if !is_whole || answer.checksum.as_deref().and_then(Digest::from_base64) != Some(digest) {
        return Err(BakeError::Checksum { snapshot: snapshot.to_owned(), index: wanted.index });
    }
    Ok((wanted.index, digest, block))
}
