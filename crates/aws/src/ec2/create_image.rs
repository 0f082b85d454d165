//! An image of an instance.

use super::BlockDeviceMapping;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates an Amazon EBS-backed AMI from an Amazon EBS-backed instance that is either running or stopped.
    pub struct CreateImageRequest {
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// The Amazon S3 location where the snapshots will be stored.
        snapshot_location: Option<String> = "SnapshotLocation",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// The ID of the instance. Required.
        instance_id: Option<String> = "instanceId",
        /// A name for the new image: 3 to 128 characters of `A-Za-z0-9()[] ./-'@_`. Required.
        name: Option<String> = "name",
        /// A description for the new image.
        description: Option<String> = "description",
        /// Leaves the instance running while its volumes are snapshotted; without it EC2 reboots the instance first.
        no_reboot: Option<bool> = "noReboot",
        /// Devices to add to the image, to change, or to leave out (`NoDevice`).
        block_device_mappings: Vec<BlockDeviceMapping> = "blockDeviceMapping",
    }

    /// The answer of CreateImage.
    pub struct CreateImageResult {
        /// The ID of the new AMI.
        image_id: Option<String> = "imageId",
    }
}

operation!(Ec2, "CreateImage", CreateImageRequest => CreateImageResult);
