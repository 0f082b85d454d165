//! Attributes of instances that may change after the launch.

use super::AttributeValue;
use super::GroupIdentifier;
use super::InstanceBlockDeviceMapping;
use super::Nothing;
use crate::wire::Blob;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the specified attribute of the specified instance.
    pub struct DescribeInstanceAttributeRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// The ID of the instance. Required.
        instance_id: Option<String> = "instanceId",
        /// The instance attribute. Required.
        attribute: Option<String> = "attribute",
    }

    /// Describes an instance attribute.
    pub struct InstanceAttribute {
        /// The block device mapping of the instance.
        block_device_mappings: Vec<InstanceBlockDeviceMapping> = "blockDeviceMapping",
        /// Indicates whether termination protection is enabled.
        disable_api_termination: Option<AttributeBooleanValue> = "disableApiTermination",
        /// Indicates whether enhanced networking with ENA is enabled.
        ena_support: Option<AttributeBooleanValue> = "enaSupport",
        /// Indicates whether the instance is optimized for Amazon EBS I/O.
        ebs_optimized: Option<AttributeBooleanValue> = "ebsOptimized",
        /// The ID of the instance.
        instance_id: Option<String> = "instanceId",
        /// Indicates whether an instance stops or terminates when you initiate shutdown from the instance (using the operating system command for system shutdown).
        instance_initiated_shutdown_behavior: Option<AttributeValue> = "instanceInitiatedShutdownBehavior",
        /// The instance type.
        instance_type: Option<AttributeValue> = "instanceType",
        /// The kernel ID.
        kernel_id: Option<AttributeValue> = "kernel",
        /// The RAM disk ID.
        ramdisk_id: Option<AttributeValue> = "ramdisk",
        /// The device name of the root device volume (for example, /dev/sda1).
        root_device_name: Option<AttributeValue> = "rootDeviceName",
        /// Indicates whether source/destination checks are enabled.
        source_dest_check: Option<AttributeBooleanValue> = "sourceDestCheck",
        /// Indicates whether enhanced networking with the Intel 82599 Virtual Function interface is enabled.
        sriov_net_support: Option<AttributeValue> = "sriovNetSupport",
        /// The user data.
        user_data: Option<AttributeValue> = "userData",
        /// Indicates whether stop protection is enabled for the instance.
        disable_api_stop: Option<AttributeBooleanValue> = "disableApiStop",
        /// The security groups associated with the instance.
        groups: Vec<GroupIdentifier> = "groupSet",
    }

    /// Describes a value for a resource attribute that is a Boolean value.
    pub struct AttributeBooleanValue {
        /// The attribute value.
        value: Option<bool> = "value",
    }

    /// Modifies the specified attribute of the specified instance.
    pub struct ModifyInstanceAttributeRequest {
        /// Enable or disable source/destination checks, which ensure that the instance is either the source or the destination of any traffic that it receives.
        source_dest_check: Option<AttributeBooleanValue> = "SourceDestCheck",
        /// Indicates whether an instance is enabled for stop protection.
        disable_api_stop: Option<AttributeBooleanValue> = "DisableApiStop",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// The ID of the instance. Required.
        instance_id: Option<String> = "instanceId",
        /// The name of the attribute to modify, in the older form with `Value`.
        attribute: Option<String> = "attribute",
        /// A new value for the attribute.
        value: Option<String> = "value",
        /// Modifies the DeleteOnTermination attribute for volumes that are currently attached.
        block_device_mappings: Vec<InstanceBlockDeviceMappingSpecification> = "blockDeviceMapping",
        /// Enable or disable termination protection for the instance.
        disable_api_termination: Option<AttributeBooleanValue> = "disableApiTermination",
        /// Changes the instance type to the specified value.
        instance_type: Option<AttributeValue> = "instanceType",
        /// Changes the instance's kernel to the specified value.
        kernel: Option<AttributeValue> = "kernel",
        /// Changes the instance's RAM disk to the specified value.
        ramdisk: Option<AttributeValue> = "ramdisk",
        /// Changes the instance's user data to the specified value.
        user_data: Option<BlobAttributeValue> = "userData",
        /// Specifies whether an instance stops or terminates when you initiate shutdown from the instance (using the operating system command for system shutdown).
        instance_initiated_shutdown_behavior: Option<AttributeValue> = "instanceInitiatedShutdownBehavior",
        /// Replaces the security groups of the instance with the specified security groups.
        groups: Vec<String> = "GroupId",
        /// Specifies whether the instance is optimized for Amazon EBS I/O.
        ebs_optimized: Option<AttributeBooleanValue> = "ebsOptimized",
        /// Set to simple to enable enhanced networking with the Intel 82599 Virtual Function interface for the instance.
        sriov_net_support: Option<AttributeValue> = "sriovNetSupport",
        /// Set to true to enable enhanced networking with ENA for the instance.
        ena_support: Option<AttributeBooleanValue> = "enaSupport",
    }

    /// Describes a block device mapping entry.
    pub struct InstanceBlockDeviceMappingSpecification {
        /// The device name.
        device_name: Option<String> = "deviceName",
        /// Parameters used to automatically set up EBS volumes when the instance is launched.
        ebs: Option<EbsInstanceBlockDeviceSpecification> = "ebs",
        /// The virtual device name.
        virtual_name: Option<String> = "virtualName",
        /// Suppresses the specified device included in the block device mapping.
        no_device: Option<String> = "noDevice",
    }

    /// Describes information used to set up an EBS volume specified in a block device mapping.
    pub struct EbsInstanceBlockDeviceSpecification {
        /// The ID of the EBS volume.
        volume_id: Option<String> = "volumeId",
        /// Indicates whether the volume is deleted on instance termination.
        delete_on_termination: Option<bool> = "deleteOnTermination",
    }

    /// Describes a value for a resource attribute that is bytes.
    pub struct BlobAttributeValue {
        /// The attribute value.
        value: Option<Blob> = "value",
    }
}

operation!(Ec2, "DescribeInstanceAttribute", DescribeInstanceAttributeRequest => InstanceAttribute);
operation!(Ec2, "ModifyInstanceAttribute", ModifyInstanceAttributeRequest => Nothing);
