//! What an account says of the encryption of all its new volumes and snapshots in a region.

use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes whether EBS encryption by default is enabled for your account in the current Region.
    pub struct GetEbsEncryptionByDefaultRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of GetEbsEncryptionByDefault.
    pub struct GetEbsEncryptionByDefaultResult {
        /// Indicates whether encryption by default is enabled.
        ebs_encryption_by_default: Option<bool> = "ebsEncryptionByDefault",
        /// Reserved for future use.
        sse_type: Option<String> = "sseType",
    }

    /// Enables EBS encryption by default for your account in the current Region.
    pub struct EnableEbsEncryptionByDefaultRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of EnableEbsEncryptionByDefault.
    pub struct EnableEbsEncryptionByDefaultResult {
        /// The updated status of encryption by default.
        ebs_encryption_by_default: Option<bool> = "ebsEncryptionByDefault",
    }

    /// Disables EBS encryption by default for your account in the current Region.
    pub struct DisableEbsEncryptionByDefaultRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of DisableEbsEncryptionByDefault.
    pub struct DisableEbsEncryptionByDefaultResult {
        /// The updated status of encryption by default.
        ebs_encryption_by_default: Option<bool> = "ebsEncryptionByDefault",
    }

    /// Describes the default KMS key for EBS encryption by default for your account in this Region.
    pub struct GetEbsDefaultKmsKeyIdRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of GetEbsDefaultKmsKeyId.
    pub struct GetEbsDefaultKmsKeyIdResult {
        /// The Amazon Resource Name (ARN) of the default KMS key for encryption by default.
        kms_key_id: Option<String> = "kmsKeyId",
    }

    /// Changes the default KMS key for EBS encryption by default for your account in this Region.
    pub struct ModifyEbsDefaultKmsKeyIdRequest {
        /// The identifier of the KMS key to use for Amazon EBS encryption. Required.
        kms_key_id: Option<String> = "KmsKeyId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of ModifyEbsDefaultKmsKeyId.
    pub struct ModifyEbsDefaultKmsKeyIdResult {
        /// The Amazon Resource Name (ARN) of the default KMS key for encryption by default.
        kms_key_id: Option<String> = "kmsKeyId",
    }
}

operation!(Ec2, "GetEbsEncryptionByDefault", GetEbsEncryptionByDefaultRequest => GetEbsEncryptionByDefaultResult);
operation!(Ec2, "EnableEbsEncryptionByDefault", EnableEbsEncryptionByDefaultRequest => EnableEbsEncryptionByDefaultResult);
operation!(Ec2, "DisableEbsEncryptionByDefault", DisableEbsEncryptionByDefaultRequest => DisableEbsEncryptionByDefaultResult);
operation!(Ec2, "GetEbsDefaultKmsKeyId", GetEbsDefaultKmsKeyIdRequest => GetEbsDefaultKmsKeyIdResult);
operation!(Ec2, "ModifyEbsDefaultKmsKeyId", ModifyEbsDefaultKmsKeyIdRequest => ModifyEbsDefaultKmsKeyIdResult);
