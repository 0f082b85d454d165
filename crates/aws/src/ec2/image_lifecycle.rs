//! When images are deprecated, and whether they may be deregistered.

use jiff::Timestamp;

use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Enables deprecation of the specified AMI at the specified date and time.
    pub struct EnableImageDeprecationRequest {
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// When to deprecate the AMI, in UTC; seconds are rounded to the nearest minute. Required.
        deprecate_at: Option<Timestamp> = "DeprecateAt",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of EnableImageDeprecation.
    pub struct EnableImageDeprecationResult {
        /// Returns true if the request succeeds; otherwise, it returns an error.
        r#return: Option<bool> = "return",
    }

    /// Cancels the deprecation of the specified AMI.
    pub struct DisableImageDeprecationRequest {
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of DisableImageDeprecation.
    pub struct DisableImageDeprecationResult {
        /// Returns true if the request succeeds; otherwise, it returns an error.
        r#return: Option<bool> = "return",
    }

    /// Enables deregistration protection for an AMI.
    pub struct EnableImageDeregistrationProtectionRequest {
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// If true, enforces deregistration protection for 24 hours after deregistration protection is disabled.
        with_cooldown: Option<bool> = "WithCooldown",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of EnableImageDeregistrationProtection.
    pub struct EnableImageDeregistrationProtectionResult {
        /// Returns true if the request succeeds; otherwise, it returns an error.
        r#return: Option<String> = "return",
    }

    /// Disables deregistration protection for an AMI.
    pub struct DisableImageDeregistrationProtectionRequest {
        /// The ID of the AMI. Required.
        image_id: Option<String> = "ImageId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
    }

    /// The answer of DisableImageDeregistrationProtection.
    pub struct DisableImageDeregistrationProtectionResult {
        /// Returns true if the request succeeds; otherwise, it returns an error.
        r#return: Option<String> = "return",
    }
}

operation!(Ec2, "EnableImageDeprecation", EnableImageDeprecationRequest => EnableImageDeprecationResult);
operation!(Ec2, "DisableImageDeprecation", DisableImageDeprecationRequest => DisableImageDeprecationResult);
operation!(Ec2, "EnableImageDeregistrationProtection", EnableImageDeregistrationProtectionRequest => EnableImageDeregistrationProtectionResult);
operation!(Ec2, "DisableImageDeregistrationProtection", DisableImageDeregistrationProtectionRequest => DisableImageDeregistrationProtectionResult);
