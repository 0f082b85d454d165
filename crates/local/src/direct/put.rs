//! PutSnapshotBlock.

use ovenbird_aws::ebs::PutSnapshotBlockRequest;
use ovenbird_aws::ebs::PutSnapshotBlockResponse;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;

use super::block_within;
use super::refusal;
use super::writable_snapshot;
use crate::catalogue;
use crate::catalogue::snapshots;
use crate::failure::Answer;
use crate::world::Call;

/// Writes a block of a pending snapshot; the same block written again replaces the first.
pub(crate) fn put_snapshot_block(call: &Call, request: &PutSnapshotBlockRequest) -> Answer<PutSnapshotBlockResponse> {
    let bytes = request.block_data.as_ref().map(|Blob(bytes)| &bytes[..]).unwrap_or_default();
    let digest = verify_block(request, bytes)?;
    if request.progress.is_some_and(|percent| !(0..=100).contains(&percent)) {
        return refusal::invalid("INVALID_PARAMETER_VALUE", "x-amz-Progress must be 0 to 100.");
    }
    let id = request.snapshot_id.as_deref();
    // A refused put must not cost a write.
    call.world.catalogue.transact(|db| {
        let snapshot = writable_snapshot(db, call, id)?;
        block_within(request.block_index, snapshot.volume_size).map(drop)
    })?;
    let _kept = call.world.blocks.keep();
    call.world.blocks.put(&digest, bytes)?;
    let noted = call.world.catalogue.transact(|db| {
        let snapshot = writable_snapshot(db, call, id)?;
        let block = block_within(request.block_index, snapshot.volume_size)?;
        snapshots::put_block(db, &snapshot.id, block, &digest, request.progress.map(i64::from), call.now)
    });
    if noted.is_err() {
        // The snapshot was deleted or completed meanwhile: the stored block goes, unless something else refers to it.
        call.world.catalogue.transact(|db| catalogue::note_block(db, &digest))?;
    }
    noted?;
    Ok(PutSnapshotBlockResponse { checksum: Some(digest.base64()), checksum_algorithm: Some("SHA256".to_owned()) })
}

/// The block is whole, and what its sender meant to send.
fn verify_block(request: &PutSnapshotBlockRequest, bytes: &[u8]) -> Answer<Digest> {
    let bad = |message: String| refusal::invalid("INVALID_PARAMETER_VALUE", message);
    if request.checksum_algorithm.as_deref() != Some("SHA256") {
        return bad("x-amz-Checksum-Algorithm must be SHA256.".to_owned());
    }
    let lengths = (request.data_length.and_then(|length| u64::try_from(length).ok()), u64::try_from(bytes.len()).ok());
    if lengths != (Some(BLOCK_SIZE), Some(BLOCK_SIZE)) {
        return refusal::invalid("INVALID_BLOCK", format!("A block has {BLOCK_SIZE} bytes, here {}.", bytes.len()));
    }
    let Some(stated) = request.checksum.as_deref().and_then(Digest::from_base64) else {
        return bad("x-amz-Checksum must be the SHA-256 of the block in base64.".to_owned());
    };
    let actual = Digest::of(bytes);
    if stated == actual {
        Ok(actual)
    } else {
        bad("The block does not have the checksum that x-amz-Checksum states.".to_owned())
    }
}
