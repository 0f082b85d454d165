//! STS: who is calling.

use ovenbird_aws::sts::GetCallerIdentityRequest;
use ovenbird_aws::sts::GetCallerIdentityResponse;

use crate::failure::Answer;
use crate::world::Call;

/// The account, or the role that an instance took in it.
pub(crate) fn get_caller_identity(call: &Call, _: &GetCallerIdentityRequest) -> Answer<GetCallerIdentityResponse> {
    let account = &call.scope.account;
    let (user_id, arn) = match &call.identity.role {
        None => (format!("AIDA{}", call.world.secret.letters("user", account, 17)), call.arn()),
        Some((role, instance)) => {
            (format!("AROA{}:{instance}", call.world.secret.letters("role", role, 17)), call.arn())
        }
    };
    Ok(GetCallerIdentityResponse { user_id: Some(user_id), account: Some(account.clone()), arn: Some(arn) })
}

impl Call {
    /// The caller's ARN.
    pub(crate) fn arn(&self) -> String {
        let account = &self.scope.account;
        match &self.identity.role {
            None => format!("arn:aws:iam::{account}:user/ovenbird"),
            Some((role, instance)) => format!("arn:aws:sts::{account}:assumed-role/{role}/{instance}"),
        }
    }
}
