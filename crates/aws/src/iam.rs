//! Identity and Access Management: whether an instance profile is there, which other builders ask before they launch.

use jiff::Timestamp;

use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Retrieves information about the specified instance profile.
    pub struct GetInstanceProfileRequest {
        /// The name of the instance profile to get information about. Required.
        instance_profile_name: Option<String> = "InstanceProfileName",
    }

    /// The answer of GetInstanceProfile.
    pub struct GetInstanceProfileResponse {
        /// A structure containing details about the instance profile.
        instance_profile: Option<InstanceProfile> = "InstanceProfile",
    }

    /// An instance profile and the roles in it.
    pub struct InstanceProfile {
        /// The path to the instance profile.
        path: Option<String> = "Path",
        /// The name identifying the instance profile.
        instance_profile_name: Option<String> = "InstanceProfileName",
        /// The stable and unique string identifying the instance profile.
        instance_profile_id: Option<String> = "InstanceProfileId",
        /// The Amazon Resource Name (ARN) specifying the instance profile.
        arn: Option<String> = "Arn",
        /// The date when the instance profile was created.
        create_date: Option<Timestamp> = "CreateDate",
        /// The role associated with the instance profile.
        roles: Vec<Role> = "Roles",
    }

    /// Contains information about an IAM role.
    pub struct Role {
        /// The path to the role.
        path: Option<String> = "Path",
        /// The friendly name that identifies the role.
        role_name: Option<String> = "RoleName",
        /// The stable and unique string identifying the role.
        role_id: Option<String> = "RoleId",
        /// The Amazon Resource Name (ARN) specifying the role.
        arn: Option<String> = "Arn",
        /// The date and time, in ISO 8601 date-time format, when the role was created.
        create_date: Option<Timestamp> = "CreateDate",
    }
}

operation!(Iam, "GetInstanceProfile", GetInstanceProfileRequest => GetInstanceProfileResponse);
