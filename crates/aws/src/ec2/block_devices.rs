//! Block device mappings: which volumes an image or instance has.

use jiff::Timestamp;

use crate::wire::shape;

shape! {
    /// A volume that an instance gets when it is launched, and the device name that it appears under.
    pub struct BlockDeviceMapping {
        /// Parameters used to automatically set up EBS volumes when the instance is launched.
        ebs: Option<EbsBlockDevice> = "ebs",
        /// An empty string omits the device that the image maps under this name.
        no_device: Option<String> = "noDevice",
        /// The device name.
        device_name: Option<String> = "deviceName",
        /// The virtual device name (ephemeralN).
        virtual_name: Option<String> = "virtualName",
    }

    /// Describes a block device for an EBS volume.
    pub struct EbsBlockDevice {
        /// Indicates whether the EBS volume is deleted on instance termination.
        delete_on_termination: Option<bool> = "deleteOnTermination",
        /// The number of I/O operations per second (IOPS).
        iops: Option<i32> = "iops",
        /// The ID of the snapshot.
        snapshot_id: Option<String> = "snapshotId",
        /// The size of the volume, in GiBs.
        volume_size: Option<i32> = "volumeSize",
        /// The volume type.
        volume_type: Option<String> = "volumeType",
        /// The KMS key of an encrypted volume: key ID, key alias, key ARN, or alias ARN.
        kms_key_id: Option<String> = "kmsKeyId",
        /// The throughput that the volume supports, in MiB/s.
        throughput: Option<i32> = "throughput",
        /// Indicates whether the volume is encrypted; one from an encrypted snapshot always is.
        encrypted: Option<bool> = "encrypted",
    }

    /// Describes a block device mapping.
    pub struct InstanceBlockDeviceMapping {
        /// The device name.
        device_name: Option<String> = "deviceName",
        /// Parameters used to automatically set up EBS volumes when the instance is launched.
        ebs: Option<EbsInstanceBlockDevice> = "ebs",
    }

    /// Describes a parameter used to set up an EBS volume in a block device mapping.
    pub struct EbsInstanceBlockDevice {
        /// The time stamp when the attachment initiated.
        attach_time: Option<Timestamp> = "attachTime",
        /// Indicates whether the volume is deleted on instance termination.
        delete_on_termination: Option<bool> = "deleteOnTermination",
        /// The attachment state.
        status: Option<String> = "status",
        /// The ID of the EBS volume.
        volume_id: Option<String> = "volumeId",
    }
}
