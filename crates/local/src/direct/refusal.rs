//! The direct APIs' errors: few codes, and a reason (API reference, "Common errors").

use ovenbird_aws::ApiError;

use crate::failure::Answer;

/// The request is not valid.
pub(crate) fn invalid<T>(reason: &str, message: impl Into<String>) -> Answer<T> {
    Err(ApiError::client("ValidationException", message).with_reason(reason).into())
}

/// There is no such snapshot.
pub(super) fn not_found<T>(id: &str) -> Answer<T> {
    let error = ApiError::client("ResourceNotFoundException", format!("The snapshot '{id}' does not exist."));
    Err(error.with_status(404).with_reason("SNAPSHOT_NOT_FOUND").into())
}

/// The snapshot is somebody else's: shared and public ones cannot be read here either.
pub(super) fn foreign<T>(id: &str) -> Answer<T> {
    let message = format!("The snapshot '{id}' belongs to another account; copy it into your own account first.");
    Err(ApiError::client("AccessDeniedException", message).with_status(403).with_reason("UNAUTHORIZED_ACCOUNT").into())
}

/// The client token was used for another request.
pub(super) fn conflict<T>() -> Answer<T> {
    let message = "The client token was used before with other request parameters.";
    Err(ApiError::client("ConflictException", message).with_status(409).into())
}

/// Too many at a time.
pub(super) fn quota<T>(message: &str) -> Answer<T> {
    let error = ApiError::client("ServiceQuotaExceededException", message);
    Err(error.with_status(402).with_reason("DEPENDENCY_SERVICE_QUOTA_EXCEEDED").into())
}
