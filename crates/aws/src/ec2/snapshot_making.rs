//! Snapshots of volumes, copies of snapshots.

use super::Snapshot;
use super::Tag;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates a snapshot of an EBS volume and stores it in Amazon S3.
    pub struct CreateSnapshotRequest {
        /// A description for the snapshot.
        description: Option<String> = "Description",
        /// To create the snapshot on the same Outpost as the source volume, specify the ARN of that Outpost.
        outpost_arn: Option<String> = "OutpostArn",
        /// The ID of the Amazon EBS volume. Required.
        volume_id: Option<String> = "VolumeId",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// To create a local snapshot in the same Local Zone as the source volume, specify local.
        location: Option<String> = "Location",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// Creates an exact copy of an Amazon EBS snapshot.
    pub struct CopySnapshotRequest {
        /// A description for the EBS snapshot.
        description: Option<String> = "Description",
        /// The Amazon Resource Name (ARN) of the Outpost to which to copy the snapshot.
        destination_outpost_arn: Option<String> = "DestinationOutpostArn",
        /// The destination Region to use in the PresignedUrl parameter of a snapshot copy operation.
        destination_region: Option<String> = "destinationRegion",
        /// To encrypt a copy of an unencrypted snapshot if encryption by default is not enabled, enable encryption using this parameter.
        encrypted: Option<bool> = "encrypted",
        /// The identifier of the KMS key to use for Amazon EBS encryption.
        kms_key_id: Option<String> = "kmsKeyId",
        /// When you copy an encrypted source snapshot using the Amazon EC2 Query API, you must supply a pre-signed URL.
        presigned_url: Option<String> = "presignedUrl",
        /// The ID of the Region that contains the snapshot to be copied. Required.
        source_region: Option<String> = "SourceRegion",
        /// The ID of the EBS snapshot to copy. Required.
        source_snapshot_id: Option<String> = "SourceSnapshotId",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Specify a completion duration, in 15 minute increments, to initiate a time-based snapshot copy.
        completion_duration_minutes: Option<i32> = "CompletionDurationMinutes",
        /// The Local Zone, for example, cn-north-1-pkx-1a to which to copy the snapshot.
        destination_availability_zone: Option<String> = "DestinationAvailabilityZone",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of CopySnapshot.
    pub struct CopySnapshotResult {
        /// Any tags applied to the new snapshot.
        tags: Vec<Tag> = "tagSet",
        /// The ID of the new snapshot.
        snapshot_id: Option<String> = "snapshotId",
    }
}

operation!(Ec2, "CreateSnapshot", CreateSnapshotRequest => Snapshot);
operation!(Ec2, "CopySnapshot", CopySnapshotRequest => CopySnapshotResult);
