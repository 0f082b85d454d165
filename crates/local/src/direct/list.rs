//! ListSnapshotBlocks and ListChangedBlocks.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::ebs::Block;
use ovenbird_aws::ebs::ChangedBlock;
use ovenbird_aws::ebs::ListChangedBlocksRequest;
use ovenbird_aws::ebs::ListChangedBlocksResponse;
use ovenbird_aws::ebs::ListSnapshotBlocksRequest;
use ovenbird_aws::ebs::ListSnapshotBlocksResponse;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;

use super::BLOCK_TOKEN;
use super::BlockToken;
use super::readable_snapshot;
use super::refusal;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::failure::Answer;
use crate::faults::Twist;
use crate::seal::Unsealed;
use crate::world::Call;

/// How long tokens hold (offline.md 1.1).
const BLOCK_TOKENS_HOLD: SignedDuration = SignedDuration::from_hours(7 * 24);
const PAGE_TOKENS_HOLD: SignedDuration = SignedDuration::from_mins(60);

/// The purpose of sealed page tokens.
const PAGE_TOKEN: &str = "blocks-page";

/// Where a listing goes on, and how much of it is wanted.
struct Page {
    from: u32,
    size: usize,
    /// What is listed; a page token is good for nothing else.
    listing: String,
}

/// Lists the blocks that were written, in index order.
pub(crate) fn list_snapshot_blocks(
    call: &Call,
    request: &ListSnapshotBlocksRequest,
) -> Answer<ListSnapshotBlocksResponse> {
    let (snapshot, map) = call.world.catalogue.transact(|db| {
        let snapshot = readable_snapshot(db, call, request.snapshot_id.as_deref())?;
        let map = snapshots::map_of(db, &snapshot.id)?;
        Ok((snapshot, map))
    })?;
    let page =
        page(call, &snapshot.id, request.max_results, request.next_token.as_deref(), request.starting_block_index)?;
    let mut rest = map.range(page.from..);
    let expires = later(call.now, BLOCK_TOKENS_HOLD);
    let token = |block, digest| seal_block(call, &snapshot, block, digest, expires);
    let blocks = rest.by_ref().take(page.size).map(|(block, digest)| {
        Ok(Block { block_index: i32::try_from(*block).ok(), block_token: Some(token(*block, *digest)?) })
    });
    let blocks = blocks.collect::<Answer<Vec<_>>>()?;
    Ok(ListSnapshotBlocksResponse {
        blocks,
        expiry_time: Some(expires),
        volume_size: Some(snapshot.volume_size),
        block_size: i32::try_from(BLOCK_SIZE).ok(),
        next_token: rest.next().map(|(next, _)| seal_page(call, &page, *next)).transpose()?,
    })
}

/// Lists the blocks that differ between two snapshots of one lineage; without a first, all of the second.
pub(crate) fn list_changed_blocks(
    call: &Call,
    request: &ListChangedBlocksRequest,
) -> Answer<ListChangedBlocksResponse> {
    let (first, second, changes) = call.world.catalogue.transact(|db| {
        let second = readable_snapshot(db, call, request.second_snapshot_id.as_deref())?;
        let first = request.first_snapshot_id.as_deref().map(|id| readable_snapshot(db, call, Some(id))).transpose()?;
        if first.as_ref().is_some_and(|first| first.lineage != second.lineage) {
            let text = "The specified snapshots do not have the same snapshot lineage.";
            return refusal::invalid("UNRELATED_SNAPSHOTS", text);
        }
        let before = first.as_ref().map(|first| snapshots::map_of(db, &first.id)).transpose()?.unwrap_or_default();
        let changes = changes(&before, &snapshots::map_of(db, &second.id)?);
        Ok((first, second, changes))
    })?;
    let listing = format!("{}-{}", first.as_ref().map_or("", |first| &first.id), second.id);
    let page = page(call, &listing, request.max_results, request.next_token.as_deref(), request.starting_block_index)?;
    let expires = later(call.now, BLOCK_TOKENS_HOLD);
    let token = |snapshot: Option<&Snapshot>, block, digest: &Option<Digest>| {
        let sealed = snapshot.zip(*digest).map(|(snapshot, digest)| seal_block(call, snapshot, block, digest, expires));
        sealed.transpose()
    };
    let mut rest = changes.range(page.from..);
    let changed_blocks = rest.by_ref().take(page.size).map(|(block, (before, after))| {
        Ok(ChangedBlock {
            block_index: i32::try_from(*block).ok(),
            first_block_token: token(first.as_ref(), *block, before)?,
            second_block_token: token(Some(&second), *block, after)?,
        })
    });
    let changed_blocks = changed_blocks.collect::<Answer<Vec<_>>>()?;
    Ok(ListChangedBlocksResponse {
        changed_blocks,
        expiry_time: Some(expires),
        volume_size: Some(second.volume_size),
        block_size: i32::try_from(BLOCK_SIZE).ok(),
        next_token: rest.next().map(|(next, _)| seal_page(call, &page, *next)).transpose()?,
    })
}

/// Block to its content before and after, where they differ.
fn changes(before: &snapshots::Map, after: &snapshots::Map) -> BTreeMap<u32, (Option<Digest>, Option<Digest>)> {
    let both = before.keys().chain(after.keys());
    both.map(|block| (*block, (before.get(block).copied(), after.get(block).copied())))
        .filter(|(_, (before, after))| before != after)
        .collect()
}

/// 100 to 10000 blocks; fewer than 100 are never asked of the service in one page (user guide, FAQ).
fn page(call: &Call, listing: &str, max: Option<i32>, token: Option<&str>, start: Option<i32>) -> Answer<Page> {
    let size = match max {
        None | Some(0..=100) => 100,
        Some(max @ 101..=10_000) => usize::try_from(max).unwrap_or(100),
        Some(_) => return refusal::invalid("INVALID_PARAMETER_VALUE", "MaxResults must be 100 to 10000."),
    };
    let start = match start.map(u32::try_from) {
        None => 0,
        Some(Ok(start)) => start,
        Some(Err(_)) => return refusal::invalid("INVALID_BLOCK", "The starting block index must not be negative."),
    };
    let size = match call.twist {
        Some(Twist::EmptyPage) if token.is_none() => 0,
        Some(Twist::ShortPage) => 1,
        _ => size,
    };
    let from = match token {
        None => start,
        Some(_) if call.twist == Some(Twist::ExpiredToken) => {
            return refusal::invalid("INVALID_PAGE_TOKEN", "The page token has expired; begin the listing again.");
        }
        Some(token) => {
            let opened: (String, u32) = call.world.secret.open(PAGE_TOKEN, token, call.now).or_else(|why| {
                let why = if why == Unsealed::Expired { "has expired" } else { "is not valid" };
                refusal::invalid("INVALID_PAGE_TOKEN", format!("The page token {why}; begin the listing again."))
            })?;
            if opened.0 != listing {
                return refusal::invalid("INVALID_PAGE_TOKEN", "The page token belongs to another listing.");
            }
            opened.1
        }
    };
    Ok(Page { from, size, listing: listing.to_owned() })
}

fn seal_page(call: &Call, page: &Page, next: u32) -> Answer<String> {
    call.world.secret.seal(PAGE_TOKEN, &(&page.listing, next), later(call.now, PAGE_TOKENS_HOLD))
}

fn seal_block(call: &Call, snapshot: &Snapshot, block: u32, digest: Digest, expires: Timestamp) -> Answer<String> {
    call.world.secret.seal(BLOCK_TOKEN, &BlockToken { snapshot: snapshot.id.clone(), block, digest }, expires)
}

fn later(now: Timestamp, hold: SignedDuration) -> Timestamp {
    now.saturating_add(hold).unwrap_or(Timestamp::MAX)
}
