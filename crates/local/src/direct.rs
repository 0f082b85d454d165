//! EBS direct APIs: snapshots read and written block by block (offline.md sections 1 and 9).

pub(crate) mod complete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod put;
pub(crate) mod refusal;
pub(crate) mod start;
#[cfg(test)]
mod tests;

use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::GIB;
use rusqlite::Connection;
use serde::Deserialize;
use serde::Serialize;

use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::failure::Answer;
use crate::failure::required;
use crate::world::Call;

/// Blocks in a GiB.
const BLOCKS_PER_GIB: i64 = (GIB / BLOCK_SIZE).cast_signed();

/// The purpose of sealed block tokens.
const BLOCK_TOKEN: &str = "block";

/// What a block token says.
#[derive(Serialize, Deserialize)]
struct BlockToken {
    snapshot: String,
    block: u32,
    digest: ovenbird_core::block::Digest,
}

/// The caller's own snapshot.
fn own_snapshot(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Snapshot> {
    let id = required(id, "snapshotId")?;
    let Some(snapshot) = snapshots::find_snapshot(db, &call.scope.region, id)? else { return refusal::not_found(id) };
    if snapshot.scope == call.scope { Ok(snapshot) } else { refusal::foreign(id) }
}

/// The caller's own snapshot, readable.
fn readable_snapshot(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Snapshot> {
    let snapshot = own_snapshot(db, call, id)?;
    if snapshot.state == "completed" {
        return Ok(snapshot);
    }
    refusal::invalid(
        "INVALID_SNAPSHOT_ID",
        format!("The snapshot '{}' is {}; only completed ones can be read.", snapshot.id, snapshot.state),
    )
}

/// The caller's own snapshot, writable.
fn writable_snapshot(db: &Connection, call: &Call, id: Option<&str>) -> Answer<Snapshot> {
    let snapshot = own_snapshot(db, call, id)?;
    if snapshot.state == "pending" && snapshot.completes_at.is_none() {
        return Ok(snapshot);
    }
    refusal::invalid("INVALID_SNAPSHOT_ID", format!("The snapshot '{}' is not in the pending state.", snapshot.id))
}

/// The index of a block that a volume of `volume_size` GiB has.
fn block_within(index: Option<i32>, volume_size: i64) -> Answer<u32> {
    let index = required(index, "blockIndex")?;
    match u32::try_from(index) {
        Ok(block) if i64::from(block) < volume_size * BLOCKS_PER_GIB => Ok(block),
        _ => refusal::invalid(
            "INVALID_BLOCK",
            format!("The block index {index} is not in a volume of {volume_size} GiB."),
        ),
    }
}
