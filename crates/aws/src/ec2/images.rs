//! Images: describe, register, copy, deregister.

use super::BlockDeviceMapping;
use super::Filter;
use super::ProductCode;
use super::Tag;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the specified images (AMIs, AKIs, and ARIs) available to you or all of the images available to you.
    pub struct DescribeImagesRequest {
        /// Scopes the images by users with explicit launch permissions.
        executable_users: Vec<String> = "ExecutableBy",
        /// The image IDs.
        image_ids: Vec<String> = "ImageId",
        /// Scopes the results to images with the specified owners.
        owners: Vec<String> = "Owner",
        /// Specifies whether to include deprecated AMIs.
        include_deprecated: Option<bool> = "IncludeDeprecated",
        /// Specifies whether to include disabled AMIs.
        include_disabled: Option<bool> = "IncludeDisabled",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
    }

    /// The answer of DescribeImages.
    pub struct DescribeImagesResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the images.
        images: Vec<Image> = "imagesSet",
    }

    /// Describes an image.
    pub struct Image {
        /// The platform details associated with the billing code of the AMI.
        platform_details: Option<String> = "platformDetails",
        /// The operation of the Amazon EC2 instance and the billing code that is associated with the AMI.
        usage_operation: Option<String> = "usageOperation",
        /// The volumes that an instance of the image gets.
        block_device_mappings: Vec<BlockDeviceMapping> = "blockDeviceMapping",
        /// The description of the AMI that was provided during image creation.
        description: Option<String> = "description",
        /// Specifies whether enhanced networking with ENA is enabled.
        ena_support: Option<bool> = "enaSupport",
        /// The hypervisor type of the image.
        hypervisor: Option<String> = "hypervisor",
        /// The owner alias (amazon | aws-backup-vault | aws-marketplace).
        image_owner_alias: Option<String> = "imageOwnerAlias",
        /// The name of the AMI that was provided during image creation.
        name: Option<String> = "name",
        /// The device name of the root device volume (for example, /dev/sda1).
        root_device_name: Option<String> = "rootDeviceName",
        /// The type of root device used by the AMI.
        root_device_type: Option<String> = "rootDeviceType",
        /// Specifies whether enhanced networking with the Intel 82599 Virtual Function interface is enabled.
        sriov_net_support: Option<String> = "sriovNetSupport",
        /// The reason for the state change.
        state_reason: Option<StateReason> = "stateReason",
        /// Any tags assigned to the image.
        tags: Vec<Tag> = "tagSet",
        /// The type of virtualization of the AMI.
        virtualization_type: Option<String> = "virtualizationType",
        /// The boot mode of the image.
        boot_mode: Option<String> = "bootMode",
        /// If the image is configured for NitroTPM support, the value is v2.0.
        tpm_support: Option<String> = "tpmSupport",
        /// The date and time to deprecate the AMI, in UTC, in the following format: YYYY-MM-DDTHH:MM:SSZ.
        deprecation_time: Option<String> = "deprecationTime",
        /// If v2.0, it indicates that IMDSv2 is specified in the AMI.
        imds_support: Option<String> = "imdsSupport",
        /// The ID of the instance that the AMI was created from if the AMI was created using CreateImage.
        source_instance_id: Option<String> = "sourceInstanceId",
        /// Indicates whether deregistration protection is enabled for the AMI.
        deregistration_protection: Option<String> = "deregistrationProtection",
        /// The date and time, in ISO 8601 date-time format, when the AMI was last used to launch an EC2 instance.
        last_launched_time: Option<String> = "lastLaunchedTime",
        /// The ID of the source AMI from which the AMI was created.
        source_image_id: Option<String> = "sourceImageId",
        /// The Region of the source AMI.
        source_image_region: Option<String> = "sourceImageRegion",
        /// The ID of the AMI.
        image_id: Option<String> = "imageId",
        /// The location of the AMI.
        image_location: Option<String> = "imageLocation",
        /// The current state of the AMI.
        state: Option<String> = "imageState",
        /// The ID of the Amazon Web Services account that owns the image.
        owner_id: Option<String> = "imageOwnerId",
        /// The date and time the image was created.
        creation_date: Option<String> = "creationDate",
        /// Indicates whether the image has public launch permissions.
        public: Option<bool> = "isPublic",
        /// The architecture of the image.
        architecture: Option<String> = "architecture",
        /// Any product codes associated with the AMI.
        product_codes: Vec<ProductCode> = "productCodes",
        /// The type of image.
        image_type: Option<String> = "imageType",
        /// This value is set to windows for Windows AMIs; otherwise, it is blank.
        platform: Option<String> = "platform",
    }

    /// Describes a state change.
    pub struct StateReason {
        /// The reason code for the state change.
        code: Option<String> = "code",
        /// The message for the state change.
        message: Option<String> = "message",
    }

    /// Registers an AMI.
    pub struct RegisterImageRequest {
        /// The full path to your AMI manifest in Amazon S3 storage.
        image_location: Option<String> = "ImageLocation",
        /// The billing product codes.
        billing_products: Vec<String> = "BillingProduct",
        /// The boot mode of the AMI.
        boot_mode: Option<String> = "BootMode",
        /// Set to v2.0 to enable Trusted Platform Module (TPM) support.
        tpm_support: Option<String> = "TpmSupport",
        /// Base64 representation of the non-volatile UEFI variable store.
        uefi_data: Option<String> = "UefiData",
        /// Set to v2.0 to indicate that IMDSv2 is specified in the AMI.
        imds_support: Option<String> = "ImdsSupport",
        /// The tags to apply to the AMI.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// A name for your AMI. Required.
        name: Option<String> = "name",
        /// A description for your AMI.
        description: Option<String> = "description",
        /// The architecture of the AMI.
        architecture: Option<String> = "architecture",
        /// The ID of the kernel.
        kernel_id: Option<String> = "kernelId",
        /// The ID of the RAM disk.
        ramdisk_id: Option<String> = "ramdiskId",
        /// The device name of the root device volume (for example, /dev/sda1).
        root_device_name: Option<String> = "rootDeviceName",
        /// The volumes that an instance of the image gets.
        block_device_mappings: Vec<BlockDeviceMapping> = "BlockDeviceMapping",
        /// The type of virtualization (hvm | paravirtual).
        virtualization_type: Option<String> = "virtualizationType",
        /// Set to `simple` to enable enhanced networking with the Intel 82599 Virtual Function interface.
        sriov_net_support: Option<String> = "sriovNetSupport",
        /// Set to true to enable enhanced networking with ENA for the AMI and any instances that you launch from the AMI.
        ena_support: Option<bool> = "enaSupport",
    }

    /// The answer of RegisterImage.
    pub struct RegisterImageResult {
        /// The ID of the newly registered AMI.
        image_id: Option<String> = "imageId",
    }

    /// Deregisters the specified AMI.
    pub struct DeregisterImageRequest {
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// Specifies whether to delete the snapshots associated with the AMI during deregistration.
        delete_associated_snapshots: Option<bool> = "DeleteAssociatedSnapshots",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of DeregisterImage.
    pub struct DeregisterImageResult {
        /// True where it succeeded.
        r#return: Option<bool> = "return",
        /// What became of each snapshot of the AMI, where their deletion was asked for.
        delete_snapshot_results: Vec<DeleteSnapshotReturnCode> = "deleteSnapshotResultSet",
    }

    /// The snapshot ID and its deletion result code.
    pub struct DeleteSnapshotReturnCode {
        /// The ID of the snapshot.
        snapshot_id: Option<String> = "snapshotId",
        /// What became of it: `success`, `skipped`, `missing-permissions`, `internal-error` or `client-error`.
        return_code: Option<String> = "returnCode",
    }

    /// Initiates an AMI copy operation.
    pub struct CopyImageRequest {
        /// Unique, case-sensitive identifier you provide to ensure idempotency of the request.
        client_token: Option<String> = "ClientToken",
        /// A description for the new AMI.
        description: Option<String> = "Description",
        /// Specifies whether to encrypt the snapshots of the copied image.
        encrypted: Option<bool> = "encrypted",
        /// The identifier of the symmetric Key Management Service (KMS) KMS key to use when creating encrypted volumes.
        kms_key_id: Option<String> = "kmsKeyId",
        /// The name of the new AMI. Required.
        name: Option<String> = "Name",
        /// The ID of the AMI to copy. Required.
        source_image_id: Option<String> = "SourceImageId",
        /// The name of the Region that contains the AMI to copy. Required.
        source_region: Option<String> = "SourceRegion",
        /// Specifies whether to copy your user-defined AMI tags to the new AMI.
        copy_image_tags: Option<bool> = "CopyImageTags",
        /// Specify a completion duration, in 15 minute increments, to initiate a time-based AMI copy.
        snapshot_copy_completion_duration_minutes: Option<i64> = "SnapshotCopyCompletionDurationMinutes",
        /// The tags to apply to the new AMI and new snapshots.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of CopyImage.
    pub struct CopyImageResult {
        /// The ID of the new AMI.
        image_id: Option<String> = "imageId",
    }
}

operation!(Ec2, "DescribeImages", DescribeImagesRequest => DescribeImagesResult);
operation!(Ec2, "RegisterImage", RegisterImageRequest => RegisterImageResult);
operation!(Ec2, "DeregisterImage", DeregisterImageRequest => DeregisterImageResult);
operation!(Ec2, "CopyImage", CopyImageRequest => CopyImageResult, idempotent by client_token);
