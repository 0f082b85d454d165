//! The services' own words for the faults that are refusals (offline.md 1.2; API references, "Common errors").

use ovenbird_aws::ApiError;
use ovenbird_aws::wire::Service;

use super::Mode;

/// What a service answers to a call that meets `mode`.
pub(super) fn of(mode: Mode, service: Service, nth: u64) -> ApiError {
    match mode {
        Mode::LateSnapshot => ApiError::client("ResourceNotFoundException", "The snapshot does not exist.")
            .with_status(404)
            .with_reason("SNAPSHOT_NOT_FOUND"),
        Mode::ThrottleAccount if service == Service::Ebs => {
            ApiError::client("ThrottlingException", "Rate exceeded").with_reason("ACCOUNT_THROTTLED")
        }
        Mode::ThrottleAccount => ApiError::client("ThrottlingException", "Rate exceeded"),
        Mode::ThrottleSnapshot => {
            ApiError::client("RequestThrottledException", "The rate of requests for this snapshot was exceeded.")
                .with_reason("RESOURCE_LEVEL_THROTTLE")
        }
        Mode::Ec2Throttle => ApiError::client("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
        Mode::ReadFailed => ApiError::client("ValidationException", "Failed to read block data"),
        Mode::BadSignature => {
            let text = "The request signature we calculated does not match the signature you provided.";
            ApiError::client("InvalidSignatureException", text).with_status(403)
        }
        Mode::ExpiredCredentials if service == Service::Ec2 => {
            ApiError::client("RequestExpired", "Request has expired.")
        }
        Mode::ExpiredCredentials => {
            let text = "The security token included in the request is expired";
            ApiError::client("ExpiredTokenException", text).with_status(403)
        }
        Mode::Quota => {
            let text = "You have reached the limit of pending snapshots for this account.";
            ApiError::client("ServiceQuotaExceededException", text)
                .with_status(402)
                .with_reason("DEPENDENCY_SERVICE_QUOTA_EXCEEDED")
        }
        Mode::Capacity => {
            let text = "We currently do not have sufficient capacity in the Availability Zone you requested. \
                        Our system will be working on provisioning additional capacity.";
            ApiError::client("InsufficientInstanceCapacity", text).with_status(500)
        }
        _ => server_error(service, nth),
    }
}

/// Now a failure, now a service that is not there.
fn server_error(service: Service, nth: u64) -> ApiError {
    if nth % 2 == 1 {
        let code = if service == Service::Ec2 { "Unavailable" } else { "ServiceUnavailableException" };
        return ApiError::client(code, "The server is overloaded and can't handle the request.").with_status(503);
    }
    // The door has each protocol's own word for it.
    ApiError::client("InternalError", "An internal error has occurred").with_status(500)
}
