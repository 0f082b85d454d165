//! Snapshots: describe and delete. The EBS direct APIs make them.

use jiff::Timestamp;

use super::Filter;
use super::Nothing;
use super::Tag;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the specified EBS snapshots available to you or all of the EBS snapshots available to you.
    pub struct DescribeSnapshotsRequest {
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// Scopes the results to snapshots with the specified owners.
        owner_ids: Vec<String> = "Owner",
        /// The IDs of the Amazon Web Services accounts that can create volumes from the snapshot.
        restorable_by_user_ids: Vec<String> = "RestorableBy",
        /// The snapshot IDs.
        snapshot_ids: Vec<String> = "SnapshotId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
    }

    /// The answer of DescribeSnapshots.
    pub struct DescribeSnapshotsResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the snapshots.
        snapshots: Vec<Snapshot> = "snapshotSet",
    }

    /// Describes a snapshot.
    pub struct Snapshot {
        /// The Amazon Web Services owner alias, from an Amazon-maintained list (amazon).
        owner_alias: Option<String> = "ownerAlias",
        /// Any tags assigned to the snapshot.
        tags: Vec<Tag> = "tagSet",
        /// The ID of the snapshot.
        snapshot_id: Option<String> = "snapshotId",
        /// The ID of the volume that was used to create the snapshot.
        volume_id: Option<String> = "volumeId",
        /// The snapshot state.
        state: Option<String> = "status",
        /// Why the copy of an encrypted snapshot failed, where it did.
        state_message: Option<String> = "statusMessage",
        /// The time stamp when the snapshot was initiated.
        start_time: Option<Timestamp> = "startTime",
        /// The progress of the snapshot, as a percentage.
        progress: Option<String> = "progress",
        /// The ID of the Amazon Web Services account that owns the EBS snapshot.
        owner_id: Option<String> = "ownerId",
        /// The description for the snapshot.
        description: Option<String> = "description",
        /// The size of the volume, in GiB.
        volume_size: Option<i32> = "volumeSize",
        /// Indicates whether the snapshot is encrypted.
        encrypted: Option<bool> = "encrypted",
        /// The ARN of the KMS key that protects the volume's encryption key.
        kms_key_id: Option<String> = "kmsKeyId",
    }

    /// Deletes the specified snapshot.
    pub struct DeleteSnapshotRequest {
        /// The ID of the EBS snapshot. Required.
        snapshot_id: Option<String> = "SnapshotId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }
}

operation!(Ec2, "DescribeSnapshots", DescribeSnapshotsRequest => DescribeSnapshotsResult);
operation!(Ec2, "DeleteSnapshot", DeleteSnapshotRequest => Nothing);
