//! Volumes: create, attach, detach, delete.

use jiff::Timestamp;

use super::Filter;
use super::Nothing;
use super::Tag;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates an EBS volume that can be attached to an instance in the same Availability Zone.
    pub struct CreateVolumeRequest {
        /// The ID of the Availability Zone in which to create the volume.
        availability_zone: Option<String> = "AvailabilityZone",
        /// Indicates whether the volume should be encrypted.
        encrypted: Option<bool> = "encrypted",
        /// The number of I/O operations per second (IOPS) to provision for the volume.
        iops: Option<i32> = "Iops",
        /// The identifier of the KMS key to use for Amazon EBS encryption.
        kms_key_id: Option<String> = "KmsKeyId",
        /// The size of the volume, in GiBs.
        size: Option<i32> = "Size",
        /// The snapshot from which to create the volume.
        snapshot_id: Option<String> = "SnapshotId",
        /// The volume type.
        volume_type: Option<String> = "VolumeType",
        /// The tags to apply to the volume during creation.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Indicates whether to enable Amazon EBS Multi-Attach.
        multi_attach_enabled: Option<bool> = "MultiAttachEnabled",
        /// The throughput to provision for the volume, in MiB/s.
        throughput: Option<i32> = "Throughput",
        /// Unique, case-sensitive identifier that you provide to ensure the idempotency of the request.
        client_token: Option<String> = "ClientToken",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// Describes a volume.
    pub struct Volume {
        /// The number of I/O operations per second (IOPS).
        iops: Option<i32> = "iops",
        /// Any tags assigned to the volume.
        tags: Vec<Tag> = "tagSet",
        /// The volume type.
        volume_type: Option<String> = "volumeType",
        /// Indicates whether Amazon EBS Multi-Attach is enabled.
        multi_attach_enabled: Option<bool> = "multiAttachEnabled",
        /// The throughput that the volume supports, in MiB/s.
        throughput: Option<i32> = "throughput",
        /// The ID of the volume.
        volume_id: Option<String> = "volumeId",
        /// The size of the volume, in GiBs.
        size: Option<i32> = "size",
        /// The snapshot from which the volume was created, if applicable.
        snapshot_id: Option<String> = "snapshotId",
        /// The Availability Zone for the volume.
        availability_zone: Option<String> = "availabilityZone",
        /// The volume state.
        state: Option<String> = "status",
        /// The time stamp when volume creation was initiated.
        create_time: Option<Timestamp> = "createTime",
        /// Information about the volume attachments.
        attachments: Vec<VolumeAttachment> = "attachmentSet",
        /// Indicates whether the volume is encrypted.
        encrypted: Option<bool> = "encrypted",
        /// The ARN of the KMS key that protects the volume's encryption key.
        kms_key_id: Option<String> = "kmsKeyId",
    }

    /// Describes volume attachment details.
    pub struct VolumeAttachment {
        /// Indicates whether the EBS volume is deleted on instance termination.
        delete_on_termination: Option<bool> = "deleteOnTermination",
        /// The ID of the volume.
        volume_id: Option<String> = "volumeId",
        /// The ID of the instance.
        instance_id: Option<String> = "instanceId",
        /// The device name.
        device: Option<String> = "device",
        /// The attachment state of the volume.
        state: Option<String> = "status",
        /// The time stamp when the attachment initiated.
        attach_time: Option<Timestamp> = "attachTime",
    }

    /// Describes the specified EBS volumes or all of your EBS volumes.
    pub struct DescribeVolumesRequest {
        /// The volume IDs.
        volume_ids: Vec<String> = "VolumeId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "nextToken",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "maxResults",
    }

    /// The answer of DescribeVolumes.
    pub struct DescribeVolumesResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the volumes.
        volumes: Vec<Volume> = "volumeSet",
    }

    /// Attaches an EBS volume to a running or stopped instance, under a device name.
    pub struct AttachVolumeRequest {
        /// The device name (for example, /dev/sdh or xvdh). Required.
        device: Option<String> = "Device",
        /// The ID of the instance. Required.
        instance_id: Option<String> = "InstanceId",
        /// The ID of the EBS volume. Required.
        volume_id: Option<String> = "VolumeId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// Detaches an EBS volume from an instance.
    pub struct DetachVolumeRequest {
        /// The device name.
        device: Option<String> = "Device",
        /// Detaches even where the instance still uses the volume; data may be lost.
        force: Option<bool> = "Force",
        /// The ID of the instance.
        instance_id: Option<String> = "InstanceId",
        /// The ID of the volume. Required.
        volume_id: Option<String> = "VolumeId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// Deletes the specified EBS volume.
    pub struct DeleteVolumeRequest {
        /// The ID of the volume. Required.
        volume_id: Option<String> = "VolumeId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }
}

operation!(Ec2, "CreateVolume", CreateVolumeRequest => Volume, idempotent by client_token);
operation!(Ec2, "DescribeVolumes", DescribeVolumesRequest => DescribeVolumesResult);
operation!(Ec2, "AttachVolume", AttachVolumeRequest => VolumeAttachment);
operation!(Ec2, "DetachVolume", DetachVolumeRequest => VolumeAttachment);
operation!(Ec2, "DeleteVolume", DeleteVolumeRequest => Nothing);
