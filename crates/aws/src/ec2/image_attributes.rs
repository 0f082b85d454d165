//! Attributes of an image: who may launch it, and the rest that DescribeImages does not tell.

use super::Nothing;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the specified attribute of the specified AMI. One attribute a call.
    pub struct DescribeImageAttributeRequest {
        /// The attribute, such as `launchPermission` or `description`. Required.
        attribute: Option<String> = "Attribute",
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// An attribute of an image: the answer of DescribeImageAttribute, in the member that was asked for.
    pub struct ImageAttribute {
        /// A description for the AMI.
        description: Option<AttributeValue> = "description",
        /// The kernel ID.
        kernel_id: Option<AttributeValue> = "kernel",
        /// The RAM disk ID.
        ramdisk_id: Option<AttributeValue> = "ramdisk",
        /// `simple` where enhanced networking with the Intel 82599 Virtual Function interface is enabled.
        sriov_net_support: Option<AttributeValue> = "sriovNetSupport",
        /// The boot mode.
        boot_mode: Option<AttributeValue> = "bootMode",
        /// `v2.0` where the image is configured for NitroTPM support.
        tpm_support: Option<AttributeValue> = "tpmSupport",
        /// Base64 representation of the non-volatile UEFI variable store.
        uefi_data: Option<AttributeValue> = "uefiData",
        /// The date and time, in ISO 8601 format, when the AMI was last used to launch an instance; a day late.
        last_launched_time: Option<AttributeValue> = "lastLaunchedTime",
        /// `v2.0` where instances of the image take metadata requests with a token only.
        imds_support: Option<AttributeValue> = "imdsSupport",
        /// Indicates whether deregistration protection is enabled for the AMI.
        deregistration_protection: Option<AttributeValue> = "deregistrationProtection",
        /// The ID of the AMI.
        image_id: Option<String> = "imageId",
        /// The launch permissions.
        launch_permissions: Vec<LaunchPermission> = "launchPermission",
        /// The product codes.
        product_codes: Vec<ProductCode> = "productCodes",
    }

    /// Describes a product code.
    pub struct ProductCode {
        /// The product code.
        product_code_id: Option<String> = "productCode",
        /// The type of product code.
        product_code_type: Option<String> = "type",
    }

    /// Modifies the specified attribute of the specified AMI.
    pub struct ModifyImageAttributeRequest {
        /// The name of the attribute to modify.
        attribute: Option<String> = "Attribute",
        /// A new description for the AMI.
        description: Option<AttributeValue> = "Description",
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// `v2.0`: instances of the image take metadata requests with a token only, from now on for ever.
        imds_support: Option<AttributeValue> = "ImdsSupport",
        /// A new launch permission for the AMI.
        launch_permission: Option<LaunchPermissionModifications> = "LaunchPermission",
        /// The operation type.
        operation_type: Option<String> = "OperationType",
        /// The user groups.
        user_groups: Vec<String> = "UserGroup",
        /// The Amazon Web Services account IDs.
        user_ids: Vec<String> = "UserId",
        /// The value of the attribute being modified.
        value: Option<String> = "Value",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// Describes a value for a resource attribute that is a String.
    pub struct AttributeValue {
        /// The attribute value.
        value: Option<String> = "value",
    }

    /// Describes a launch permission modification.
    pub struct LaunchPermissionModifications {
        /// Accounts, groups, organizations or OUs that may launch the AMI from now on.
        add: Vec<LaunchPermission> = "Add",
        /// Accounts, groups, organizations or OUs that may no longer launch the AMI.
        remove: Vec<LaunchPermission> = "Remove",
    }

    /// Describes a launch permission.
    pub struct LaunchPermission {
        /// The Amazon Resource Name (ARN) of an organization.
        organization_arn: Option<String> = "organizationArn",
        /// The Amazon Resource Name (ARN) of an organizational unit (OU).
        organizational_unit_arn: Option<String> = "organizationalUnitArn",
        /// The Amazon Web Services account ID.
        user_id: Option<String> = "userId",
        /// The name of the group.
        group: Option<String> = "group",
    }
}

operation!(Ec2, "DescribeImageAttribute", DescribeImageAttributeRequest => ImageAttribute);
operation!(Ec2, "ModifyImageAttribute", ModifyImageAttributeRequest => Nothing);
