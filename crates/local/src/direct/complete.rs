//! CompleteSnapshot.

use ovenbird_aws::ebs::CompleteSnapshotRequest;
use ovenbird_aws::ebs::CompleteSnapshotResponse;
use ovenbird_core::block::Digest;
use ovenbird_core::block::linear_checksum;

use super::own_snapshot;
use super::refusal;
use super::writable_snapshot;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Map;
use crate::delays::Delay;
use crate::failure::Answer;
use crate::failure::required;
use crate::faults::Twist;
use crate::world::Call;

/// Seals a pending snapshot. Asked again it answers again: the first answer may have been lost.
pub(crate) fn complete_snapshot(call: &Call, request: &CompleteSnapshotRequest) -> Answer<CompleteSnapshotResponse> {
    let changed = i64::from(required(request.changed_blocks_count, "x-amz-ChangedBlocksCount")?);
    let id = request.snapshot_id.as_deref();
    let puts = call.world.catalogue.transact(|db| {
        let snapshot = own_snapshot(db, call, id)?;
        if snapshot.state != "error" && snapshot.changed_blocks == Some(changed) {
            return Ok(None);
        }
        snapshots::list_puts(db, &writable_snapshot(db, call, id)?.id).map(Some)
    })?;
    if let Some(puts) = puts {
        call.world.blocks.sync_names(puts.values())?;
        call.world.catalogue.transact(|db| {
            let snapshot = writable_snapshot(db, call, id)?;
            let puts = snapshots::list_puts(db, &snapshot.id)?;
            verify_count(changed, &puts)?;
            verify_aggregate(request, &puts)?;
            let completes_at = call.world.delays.due(Delay::SnapshotCompleted, call.now);
            snapshots::seal_snapshot(db, &snapshot.id, &puts, completes_at)?;
            match call.twist {
                Some(Twist::Doomed) => snapshots::fail_snapshot(db, &snapshot.id),
                _ => Ok(()),
            }
        })?;
        call.world.catalogue.sync()?;
    }
    let state = call.world.catalogue.transact(|db| Ok(own_snapshot(db, call, id)?.state))?;
    Ok(CompleteSnapshotResponse { status: Some(state) })
}

fn verify_count(stated: i64, puts: &Map) -> Answer<()> {
    if usize::try_from(stated) == Ok(puts.len()) {
        return Ok(());
    }
    let text =
        format!("x-amz-ChangedBlocksCount says {stated} blocks, {} were put; put those that are missing.", puts.len());
    refusal::invalid("INVALID_PARAMETER_VALUE", text)
}

/// The optional checksum over all blocks: SHA-256 of the raw digests in index order (offline.md 1.1).
fn verify_aggregate(request: &CompleteSnapshotRequest, puts: &Map) -> Answer<()> {
    let Some(stated) = &request.checksum else { return Ok(()) };
    let bad = |message: &str| refusal::invalid("INVALID_PARAMETER_VALUE", message);
    if request.checksum_algorithm.as_deref() != Some("SHA256")
        || request.checksum_aggregation_method.as_deref() != Some("LINEAR")
    {
        return bad("A checksum needs x-amz-Checksum-Algorithm: SHA256 and x-amz-Checksum-Aggregation-Method: LINEAR.");
    }
    let matches = Digest::from_base64(stated) == Some(linear_checksum(puts.values()));
    if matches {
        Ok(())
    } else {
        bad("The blocks that were put do not have the aggregated checksum that x-amz-Checksum states.")
    }
}
