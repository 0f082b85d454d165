//! Security Token Service: who is calling.

use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Returns details about the IAM user or role whose credentials are used to call the operation.
    pub struct GetCallerIdentityRequest {
    }

    /// Who made the call.
    pub struct GetCallerIdentityResponse {
        /// The unique identifier of the calling entity.
        user_id: Option<String> = "UserId",
        /// The Amazon Web Services account ID number of the account that owns or contains the calling entity.
        account: Option<String> = "Account",
        /// The Amazon Web Services ARN associated with the calling entity.
        arn: Option<String> = "Arn",
    }
}

operation!(Sts, "GetCallerIdentity", GetCallerIdentityRequest => GetCallerIdentityResponse);
