//! GetSnapshotBlock.

use ovenbird_aws::ebs::GetSnapshotBlockRequest;
use ovenbird_aws::ebs::GetSnapshotBlockResponse;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BLOCK_SIZE;

use super::BLOCK_TOKEN;
use super::BlockToken;
use super::block_within;
use super::readable_snapshot;
use super::refusal;
use crate::failure::Answer;
use crate::failure::required;
use crate::faults::Twist;
use crate::seal::Unsealed;
use crate::world::Call;

/// Reads a block that a list call gave a token for.
pub(crate) fn get_snapshot_block(call: &Call, request: &GetSnapshotBlockRequest) -> Answer<GetSnapshotBlockResponse> {
    let token = required(request.block_token.as_deref(), "blockToken")?;
    let snapshot = call.world.catalogue.transact(|db| readable_snapshot(db, call, request.snapshot_id.as_deref()))?;
    let block = block_within(request.block_index, snapshot.volume_size)?;
    let token: BlockToken = call.world.secret.open(BLOCK_TOKEN, token, call.now).or_else(|why| {
        let why = if why == Unsealed::Expired { "has expired" } else { "is not valid" };
        refusal::invalid("INVALID_BLOCK_TOKEN", format!("The block token {why}; list the blocks again."))
    })?;
    if call.twist == Some(Twist::ExpiredToken) {
        return refusal::invalid("INVALID_BLOCK_TOKEN", "The block token has expired; list the blocks again.");
    }
    if token.snapshot != snapshot.id || token.block != block {
        return refusal::invalid("INVALID_BLOCK_TOKEN", "The block token belongs to another block.");
    }
    let mut bytes = call.world.blocks.get(&token.digest)?;
    if call.twist == Some(Twist::WrongBlock) {
        bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1);
    }
    Ok(GetSnapshotBlockResponse {
        data_length: i32::try_from(BLOCK_SIZE).ok(),
        block_data: Some(Blob(bytes.into())),
        checksum: Some(token.digest.base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
    })
}
