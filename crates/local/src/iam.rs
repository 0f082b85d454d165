//! IAM: instance profiles. Nothing here keeps any: a name is a profile with one role of the same name, as RunInstances has it.

use jiff::Timestamp;
use ovenbird_aws::ApiError;
use ovenbird_aws::iam::GetInstanceProfileRequest;
use ovenbird_aws::iam::GetInstanceProfileResponse;
use ovenbird_aws::iam::InstanceProfile;
use ovenbird_aws::iam::Role;

use crate::failure::Answer;
use crate::failure::required;
use crate::world::Call;

/// The profile of this name.
pub(crate) fn get_instance_profile(
    call: &Call,
    request: &GetInstanceProfileRequest,
) -> Answer<GetInstanceProfileResponse> {
    let name = required(request.instance_profile_name.as_deref(), "InstanceProfileName")?;
    if !is_profile_name(name) {
        let text = "The specified value for instanceProfileName is invalid. It must contain only alphanumeric characters and/or \
                    the following: +=,.@_-";
        return Err(ApiError::client("ValidationError", text).into());
    }
    let account = &call.scope.account;
    let id = |kind: &str, arn: &str| Some(format!("{kind}{}", call.world.secret.letters("profile", arn, 17)));
    let arn = format!("arn:aws:iam::{account}:instance-profile/{name}");
    let role_arn = format!("arn:aws:iam::{account}:role/{name}");
    let role = Role {
        path: Some("/".to_owned()),
        role_name: Some(name.to_owned()),
        role_id: id("AROA", &role_arn),
        arn: Some(role_arn),
        create_date: Some(Timestamp::UNIX_EPOCH),
    };
    let profile = InstanceProfile {
        path: Some("/".to_owned()),
        instance_profile_name: Some(name.to_owned()),
        instance_profile_id: id("AIPA", &arn),
        arn: Some(arn),
        create_date: Some(Timestamp::UNIX_EPOCH),
        roles: vec![role],
    };
    Ok(GetInstanceProfileResponse { instance_profile: Some(profile) })
}

/// May a profile have this name? (API reference, GetInstanceProfile)
pub(crate) fn is_profile_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte))
}
