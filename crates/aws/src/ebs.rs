//! EBS direct APIs: snapshots read and written block by block.

use jiff::Timestamp;

use crate::wire::Blob;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates a new Amazon EBS snapshot.
    pub struct StartSnapshotRequest {
        /// The size of the volume, in GiB. Required.
        volume_size: Option<i64> = "VolumeSize",
        /// The ID of the parent snapshot.
        parent_snapshot_id: Option<String> = "ParentSnapshotId",
        /// The tags to apply to the snapshot.
        tags: Vec<Tag> = "Tags",
        /// A description for the snapshot.
        description: Option<String> = "Description",
        /// A unique, case-sensitive identifier that you provide to ensure the idempotency of the request.
        client_token: Option<String> = "ClientToken",
        /// Indicates whether to encrypt the snapshot.
        encrypted: Option<bool> = "Encrypted",
        /// The Amazon Resource Name (ARN) of the Key Management Service (KMS) key to be used to encrypt the snapshot.
        kms_key_arn: Option<String> = "KmsKeyArn",
        /// Minutes without a block written or a completion after which the snapshot is cancelled; 60 where absent.
        timeout: Option<i32> = "Timeout",
    }

    /// The answer of StartSnapshot.
    pub struct StartSnapshotResponse {
        /// The description of the snapshot.
        description: Option<String> = "Description",
        /// The ID of the snapshot.
        snapshot_id: Option<String> = "SnapshotId",
        /// The Amazon Web Services account ID of the snapshot owner.
        owner_id: Option<String> = "OwnerId",
        /// The status of the snapshot.
        status: Option<String> = "Status",
        /// The timestamp when the snapshot was created.
        start_time: Option<Timestamp> = "StartTime",
        /// The size of the volume, in GiB.
        volume_size: Option<i64> = "VolumeSize",
        /// The size of the blocks in the snapshot, in bytes.
        block_size: Option<i32> = "BlockSize",
        /// The tags applied to the snapshot.
        tags: Vec<Tag> = "Tags",
        /// The ID of the parent snapshot.
        parent_snapshot_id: Option<String> = "ParentSnapshotId",
        /// The Amazon Resource Name (ARN) of the Key Management Service (KMS) key used to encrypt the snapshot.
        kms_key_arn: Option<String> = "KmsKeyArn",
        /// Reserved by the API.
        sse_type: Option<String> = "SseType",
    }

    /// Describes a tag.
    pub struct Tag {
        /// The key of the tag.
        key: Option<String> = "Key",
        /// The value of the tag.
        value: Option<String> = "Value",
    }

    /// Writes a block of data to a snapshot.
    pub struct PutSnapshotBlockRequest {
        /// The ID of the snapshot. Required.
        snapshot_id: Option<String> = "snapshotId" in Uri,
        /// The block index of the block in which to write the data. Required.
        block_index: Option<i32> = "blockIndex" in Uri,
        /// The data to write to the block. Required.
        block_data: Option<Blob> = "BlockData" in Payload,
        /// The size of the data to write to the block, in bytes. Required.
        data_length: Option<i32> = "x-amz-Data-Length" in Header,
        /// The progress of the write process, as a percentage.
        progress: Option<i32> = "x-amz-Progress" in Header,
        /// A Base64-encoded SHA256 checksum of the data. Required.
        checksum: Option<String> = "x-amz-Checksum" in Header,
        /// The algorithm used to generate the checksum. Required.
        checksum_algorithm: Option<String> = "x-amz-Checksum-Algorithm" in Header,
    }

    /// The answer of PutSnapshotBlock.
    pub struct PutSnapshotBlockResponse {
        /// The SHA256 checksum generated for the block data by Amazon EBS.
        checksum: Option<String> = "x-amz-Checksum" in Header,
        /// The algorithm used by Amazon EBS to generate the checksum.
        checksum_algorithm: Option<String> = "x-amz-Checksum-Algorithm" in Header,
    }

    /// Seals and completes the snapshot after all of the required blocks of data have been written to it.
    pub struct CompleteSnapshotRequest {
        /// The ID of the snapshot. Required.
        snapshot_id: Option<String> = "snapshotId" in Uri,
        /// The number of blocks that were written to the snapshot. Required.
        changed_blocks_count: Option<i32> = "x-amz-ChangedBlocksCount" in Header,
        /// An aggregated Base-64 SHA256 checksum based on the checksums of each written block.
        checksum: Option<String> = "x-amz-Checksum" in Header,
        /// The algorithm used to generate the checksum.
        checksum_algorithm: Option<String> = "x-amz-Checksum-Algorithm" in Header,
        /// The aggregation method used to generate the checksum.
        checksum_aggregation_method: Option<String> = "x-amz-Checksum-Aggregation-Method" in Header,
    }

    /// The answer of CompleteSnapshot.
    pub struct CompleteSnapshotResponse {
        /// The status of the snapshot.
        status: Option<String> = "Status",
    }

    /// Returns information about the blocks in an Amazon Elastic Block Store snapshot.
    pub struct ListSnapshotBlocksRequest {
        /// The ID of the snapshot from which to get block indexes and block tokens. Required.
        snapshot_id: Option<String> = "snapshotId" in Uri,
        /// The token to request the next page of results.
        next_token: Option<String> = "pageToken" in QueryString,
        /// The maximum number of blocks to be returned by the request.
        max_results: Option<i32> = "maxResults" in QueryString,
        /// The block index from which the list should start.
        starting_block_index: Option<i32> = "startingBlockIndex" in QueryString,
    }

    /// The answer of ListSnapshotBlocks.
    pub struct ListSnapshotBlocksResponse {
        /// The blocks, by index.
        blocks: Vec<Block> = "Blocks",
        /// The time when the BlockToken expires.
        expiry_time: Option<Timestamp> = "ExpiryTime",
        /// The size of the volume, in GiB.
        volume_size: Option<i64> = "VolumeSize",
        /// The size of the blocks in the snapshot, in bytes.
        block_size: Option<i32> = "BlockSize",
        /// The token to use to retrieve the next page of results.
        next_token: Option<String> = "NextToken",
    }

    /// A block of data in an Amazon Elastic Block Store snapshot.
    pub struct Block {
        /// The block index.
        block_index: Option<i32> = "BlockIndex",
        /// The block token for the block index.
        block_token: Option<String> = "BlockToken",
    }

    /// Lists the blocks that differ between two snapshots of the same volume or lineage.
    pub struct ListChangedBlocksRequest {
        /// The ID of the first snapshot to use for the comparison.
        first_snapshot_id: Option<String> = "firstSnapshotId" in QueryString,
        /// The ID of the second snapshot to use for the comparison. Required.
        second_snapshot_id: Option<String> = "secondSnapshotId" in Uri,
        /// The token to request the next page of results.
        next_token: Option<String> = "pageToken" in QueryString,
        /// The maximum number of blocks to be returned by the request.
        max_results: Option<i32> = "maxResults" in QueryString,
        /// The block index from which the comparison should start.
        starting_block_index: Option<i32> = "startingBlockIndex" in QueryString,
    }

    /// The answer of ListChangedBlocks.
    pub struct ListChangedBlocksResponse {
        /// The changed blocks, by index.
        changed_blocks: Vec<ChangedBlock> = "ChangedBlocks",
        /// The time when the BlockToken expires.
        expiry_time: Option<Timestamp> = "ExpiryTime",
        /// The size of the volume, in GiB.
        volume_size: Option<i64> = "VolumeSize",
        /// The size of the blocks in the snapshot, in bytes.
        block_size: Option<i32> = "BlockSize",
        /// The token to use to retrieve the next page of results.
        next_token: Option<String> = "NextToken",
    }

    /// A block that differs between two snapshots.
    pub struct ChangedBlock {
        /// The block index.
        block_index: Option<i32> = "BlockIndex",
        /// The block token for the block index of the FirstSnapshotId specified in the ListChangedBlocks operation.
        first_block_token: Option<String> = "FirstBlockToken",
        /// The block token for the block index of the SecondSnapshotId specified in the ListChangedBlocks operation.
        second_block_token: Option<String> = "SecondBlockToken",
    }

    /// Returns the data in a block in an Amazon Elastic Block Store snapshot.
    pub struct GetSnapshotBlockRequest {
        /// The ID of the snapshot containing the block from which to get data. Required.
        snapshot_id: Option<String> = "snapshotId" in Uri,
        /// The block index of the block in which to read the data. Required.
        block_index: Option<i32> = "blockIndex" in Uri,
        /// The block token of the block from which to get data. Required.
        block_token: Option<String> = "blockToken" in QueryString,
    }

    /// The answer of GetSnapshotBlock.
    pub struct GetSnapshotBlockResponse {
        /// The size of the data in the block.
        data_length: Option<i32> = "x-amz-Data-Length" in Header,
        /// The data content of the block.
        block_data: Option<Blob> = "BlockData" in Payload,
        /// The checksum generated for the block, which is Base64 encoded.
        checksum: Option<String> = "x-amz-Checksum" in Header,
        /// The algorithm used to generate the checksum for the block, such as SHA256.
        checksum_algorithm: Option<String> = "x-amz-Checksum-Algorithm" in Header,
    }
}

operation!(Ebs, "StartSnapshot", StartSnapshotRequest => StartSnapshotResponse, "POST" "/snapshots" 201, idempotent by client_token);
operation!(Ebs, "PutSnapshotBlock", PutSnapshotBlockRequest => PutSnapshotBlockResponse, "PUT" "/snapshots/{snapshotId}/blocks/{blockIndex}" 201, a block of snapshot_id);
operation!(Ebs, "CompleteSnapshot", CompleteSnapshotRequest => CompleteSnapshotResponse, "POST" "/snapshots/completion/{snapshotId}" 202);
operation!(Ebs, "ListSnapshotBlocks", ListSnapshotBlocksRequest => ListSnapshotBlocksResponse, "GET" "/snapshots/{snapshotId}/blocks" 200);
operation!(Ebs, "ListChangedBlocks", ListChangedBlocksRequest => ListChangedBlocksResponse, "GET" "/snapshots/{secondSnapshotId}/changedblocks" 200);
operation!(Ebs, "GetSnapshotBlock", GetSnapshotBlockRequest => GetSnapshotBlockResponse, "GET" "/snapshots/{snapshotId}/blocks/{blockIndex}" 200, a block of snapshot_id);
