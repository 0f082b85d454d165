//! Deprecation and deregistration protection of images.

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::ec2::DisableImageDeprecationRequest;
use ovenbird_aws::ec2::DisableImageDeprecationResult;
use ovenbird_aws::ec2::DisableImageDeregistrationProtectionRequest;
use ovenbird_aws::ec2::DisableImageDeregistrationProtectionResult;
use ovenbird_aws::ec2::EnableImageDeprecationRequest;
use ovenbird_aws::ec2::EnableImageDeprecationResult;
use ovenbird_aws::ec2::EnableImageDeregistrationProtectionRequest;
use ovenbird_aws::ec2::EnableImageDeregistrationProtectionResult;

use super::resources::own_image;
use crate::catalogue::images;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

/// The farthest that an image may be deprecated: ten years (API reference, EnableImageDeprecation).
const FARTHEST: SignedDuration = SignedDuration::from_hours(24 * 3653);

/// Says when an image is deprecated: to the minute, and not in the past.
pub(crate) fn enable_image_deprecation(
    call: &Call,
    request: &EnableImageDeprecationRequest,
) -> Answer<EnableImageDeprecationResult> {
    let at = required(request.deprecate_at, "DeprecateAt")?;
    let minute = Timestamp::from_second((at.as_second() + 30) / 60 * 60).unwrap_or(at);
    if at < call.now || at.duration_since(call.now) > FARTHEST {
        let text = format!("DeprecateAt ({at}) must be in the future, and no more than 10 years from now");
        return refuse("InvalidParameterValue", text);
    }
    set_deprecation(call, request.image_id.as_deref(), Some(minute))?;
    Ok(EnableImageDeprecationResult { r#return: Some(true) })
}

/// The image is not deprecated any more, and never will be.
pub(crate) fn disable_image_deprecation(
    call: &Call,
    request: &DisableImageDeprecationRequest,
) -> Answer<DisableImageDeprecationResult> {
    set_deprecation(call, request.image_id.as_deref(), None)?;
    Ok(DisableImageDeprecationResult { r#return: Some(true) })
}

fn set_deprecation(call: &Call, image: Option<&str>, at: Option<Timestamp>) -> Answer<()> {
    call.world.catalogue.transact(|db| {
        let image = own_image(db, call, image)?;
        images::set_deprecation(db, &image.id, at)
    })
}

/// The image may not be deregistered from now on.
pub(crate) fn enable_image_deregistration_protection(
    call: &Call,
    request: &EnableImageDeregistrationProtectionRequest,
) -> Answer<EnableImageDeregistrationProtectionResult> {
    if request.with_cooldown == Some(true) {
        return refuse(
            "UnsupportedOperation",
            "The embedded EC2 has deregistration protection without a cooldown only",
        );
    }
    set_protected(call, request.image_id.as_deref(), true)?;
    Ok(EnableImageDeregistrationProtectionResult { r#return: Some("true".to_owned()) })
}

/// The image may be deregistered again.
pub(crate) fn disable_image_deregistration_protection(
    call: &Call,
    request: &DisableImageDeregistrationProtectionRequest,
) -> Answer<DisableImageDeregistrationProtectionResult> {
    set_protected(call, request.image_id.as_deref(), false)?;
    Ok(DisableImageDeregistrationProtectionResult { r#return: Some("true".to_owned()) })
}

fn set_protected(call: &Call, image: Option<&str>, is_protected: bool) -> Answer<()> {
    call.world.catalogue.transact(|db| {
        let image = own_image(db, call, image)?;
        images::set_protected(db, &image.id, is_protected)
    })
}
