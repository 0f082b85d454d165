//! Launch templates: make and delete.

use jiff::Timestamp;

use super::RequestLaunchTemplateData;
use super::Tag;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates a launch template.
    pub struct CreateLaunchTemplateRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
        /// Unique, case-sensitive identifier you provide to ensure the idempotency of the request.
        client_token: Option<String> = "ClientToken",
        /// A name for the launch template. Required.
        launch_template_name: Option<String> = "LaunchTemplateName",
        /// A description for the first version of the launch template.
        version_description: Option<String> = "VersionDescription",
        /// The information for the launch template. Required.
        launch_template_data: Option<RequestLaunchTemplateData> = "LaunchTemplateData",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
    }

    /// The answer of CreateLaunchTemplate.
    pub struct CreateLaunchTemplateResult {
        /// Information about the launch template.
        launch_template: Option<LaunchTemplate> = "launchTemplate",
        /// If the launch template contains parameters or parameter combinations that are not valid, an error code and an error message are returned for each issue that's found.
        warning: Option<ValidationWarning> = "warning",
    }

    /// Describes a launch template.
    pub struct LaunchTemplate {
        /// The ID of the launch template.
        launch_template_id: Option<String> = "launchTemplateId",
        /// The name of the launch template.
        launch_template_name: Option<String> = "launchTemplateName",
        /// The time launch template was created.
        create_time: Option<Timestamp> = "createTime",
        /// The principal that created the launch template.
        created_by: Option<String> = "createdBy",
        /// The version number of the default version of the launch template.
        default_version_number: Option<i64> = "defaultVersionNumber",
        /// The version number of the latest version of the launch template.
        latest_version_number: Option<i64> = "latestVersionNumber",
        /// The tags for the launch template.
        tags: Vec<Tag> = "tagSet",
    }

    /// The error codes and error messages that are returned for the parameters or parameter combinations that are not valid when a new launch template or new version of a launch template is created.
    pub struct ValidationWarning {
        /// The error codes and error messages.
        errors: Vec<ValidationError> = "errorSet",
    }

    /// The error code and error message that is returned for a parameter or parameter combination that is not valid when a new launch template or new version of a launch template is created.
    pub struct ValidationError {
        /// The error code that indicates why the parameter or parameter combination is not valid.
        code: Option<String> = "code",
        /// The error message that describes why the parameter or parameter combination is not valid.
        message: Option<String> = "message",
    }

    /// Deletes a launch template.
    pub struct DeleteLaunchTemplateRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
        /// The ID of the launch template.
        launch_template_id: Option<String> = "LaunchTemplateId",
        /// The name of the launch template.
        launch_template_name: Option<String> = "LaunchTemplateName",
    }

    /// The answer of DeleteLaunchTemplate.
    pub struct DeleteLaunchTemplateResult {
        /// Information about the launch template.
        launch_template: Option<LaunchTemplate> = "launchTemplate",
    }
}

operation!(Ec2, "CreateLaunchTemplate", CreateLaunchTemplateRequest => CreateLaunchTemplateResult, idempotent by client_token);
operation!(Ec2, "DeleteLaunchTemplate", DeleteLaunchTemplateRequest => DeleteLaunchTemplateResult);
