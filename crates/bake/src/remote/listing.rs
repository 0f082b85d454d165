//! Which blocks a snapshot has, with the tokens that open them. Tokens expire, of pages after an hour, of blocks after a week.

use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::client::Paged;
use ovenbird_aws::ebs;
use ovenbird_core::block::BLOCK_SIZE;

use super::size_in_bytes;

/// Blocks of a page: the most that the API gives. An account has 50 pages a second.
const PAGE: i32 = 10_000;
/// How often a listing is begun before an expired page token is an error: none should take an hour.
const BEGINNINGS: usize = 8;
/// How many empty pages may come before one with a block.
const EMPTY_PAGES: usize = 100;

/// A block to read, and the token that allows it. Tokens change with each listing: they name nothing.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) index: u32,
    pub(super) token: String,
}

/// What a snapshot holds.
pub(super) struct Listing {
    /// Bytes of the volume.
    pub(super) volume_size: u64,
    pub(super) blocks: Vec<Wanted>,
}

/// What a snapshot changed.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) written: Vec<Wanted>,
    /// Blocks that are zeros now.
    pub(super) cleared: Vec<u32>,
}

/// Every block that was written in `snapshot` or an ancestor.
pub(super) async fn list_blocks(client: &Client, snapshot: &str) -> Result<Listing, aws::Error> {
    let request = ebs::ListSnapshotBlocksRequest {
        snapshot_id: Some(snapshot.to_owned()),
        max_results: Some(PAGE),
        ..Default::default()
    };
    let pages = list_all(client, &request).await?;
    let volume_size = pages.iter().find_map(|page| page.volume_size).map(size_in_bytes);
    let blocks = pages.into_iter().flat_map(|page| page.blocks).map(|block| {
        let index = block.block_index.and_then(|index| u32::try_from(index).ok());
        index.zip(block.block_token).map(|(index, token)| Wanted { index, token })
    });
    Ok(Listing {
        volume_size: volume_size.ok_or_else(|| incomplete("VolumeSize"))?,
        blocks: blocks.collect::<Option<_>>().ok_or_else(|| incomplete("BlockToken"))?,
    })
}

/// The blocks in which `child` differs from `parent`.
pub(super) async fn list_changes(client: &Client, parent: &str, child: &str) -> Result<Changes, aws::Error> {
    let request = ebs::ListChangedBlocksRequest {
        first_snapshot_id: Some(parent.to_owned()),
        second_snapshot_id: Some(child.to_owned()),
        max_results: Some(PAGE),
        ..Default::default()
    };
    let mut changes = Changes::default();
    for block in list_all(client, &request).await?.into_iter().flat_map(|page| page.changed_blocks) {
        let index = block.block_index.and_then(|index| u32::try_from(index).ok());
        let index = index.ok_or(aws::Error::Incomplete { action: "ListChangedBlocks", member: "BlockIndex" })?;
        match block.second_block_token {
            Some(token) => changes.written.push(Wanted { index, token }),
            None => changes.cleared.push(index),
        }
    }
    Ok(changes)
}

/// Another token for the block, in the place of one that expired.
pub(super) async fn renew(client: &Client, snapshot: &str, index: u32) -> Result<Wanted, aws::Error> {
    let request = ebs::ListSnapshotBlocksRequest {
        snapshot_id: Some(snapshot.to_owned()),
        starting_block_index: i32::try_from(index).ok(),
        ..Default::default()
    };
    // The page may be empty although there is more.
    let pages = first_filled(client, request).await?;
    let is_it = |block: &ebs::Block| block.block_index.and_then(|found| u32::try_from(found).ok()) == Some(index);
    let found = pages.blocks.into_iter().find(is_it).and_then(|block| block.block_token);
    Ok(Wanted { index, token: found.ok_or_else(|| incomplete("BlockToken"))? })
}

/// The first page that is not empty; looked for anew where a page token has expired.
async fn first_filled(
    client: &Client,
    mut request: ebs::ListSnapshotBlocksRequest,
) -> Result<ebs::ListSnapshotBlocksResponse, aws::Error> {
    for _ in 0..EMPTY_PAGES {
        match client.send(request.clone()).await {
            Ok(ebs::ListSnapshotBlocksResponse { blocks, next_token: Some(token), .. }) if blocks.is_empty() => {
                request.set_token(token);
            }
            Err(error) if has_reason(&error, "INVALID_PAGE_TOKEN") => request.next_token = None,
            ended => return ended,
        }
    }
    Err(aws::Error::Endless { action: "ListSnapshotBlocks", pages: EMPTY_PAGES })
}

/// The whole listing; begun again where a page token has expired.
async fn list_all<P: Paged>(client: &Client, request: &P) -> Result<Vec<P::Answer>, aws::Error> {
    for _ in 1..BEGINNINGS {
        match client.send_all(request.clone()).await {
            Err(error) if has_reason(&error, "INVALID_PAGE_TOKEN") => {}
            ended => return ended,
        }
    }
    client.send_all(request.clone()).await
}

/// Did the direct APIs give this reason?
pub(super) fn has_reason(error: &aws::Error, reason: &str) -> bool {
    error.refusal().is_some_and(|refusal| refusal.reason.as_deref() == Some(reason))
}

fn incomplete(member: &'static str) -> aws::Error {
    aws::Error::Incomplete { action: "ListSnapshotBlocks", member }
}

/// The bytes of a block, as `usize`.
pub(super) const BLOCK: usize = BLOCK_SIZE as usize;
