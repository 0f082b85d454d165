//! ModifyImageAttribute: whom an image is shared with, and its description.

use ovenbird_aws::ec2::LaunchPermission;
use ovenbird_aws::ec2::LaunchPermissionModifications;
use ovenbird_aws::ec2::ModifyImageAttributeRequest;
use ovenbird_aws::ec2::Nothing;
use rusqlite::Connection;

use super::encryption::managed_key;
use super::register_image::verify_description;
use super::resources::own_image;
use crate::accounts::is_account;
use crate::catalogue::images;
use crate::catalogue::images::Image;
use crate::catalogue::snapshots;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::world::Call;

/// Changes one attribute, in the newer form (`LaunchPermission.Add.1.UserId`) or the older (`Attribute`, `OperationType`, `UserId.1`).
pub(crate) fn modify_image_attribute(call: &Call, request: &ModifyImageAttributeRequest) -> Answer<Nothing> {
    let permissions = permissions(request)?;
    let description = request.description.as_ref().and_then(|value| value.value.clone());
    let description =
        description.or_else(|| request.value.clone().filter(|_| request.attribute.as_deref() == Some("description")));
    verify_description(description.as_deref())?;
    let imds_support = request.imds_support.as_ref().and_then(|value| value.value.as_deref());
    if imds_support.is_some_and(|support| support != "v2.0") {
        return refuse("InvalidParameterValue", "ImdsSupport can be set to v2.0 only");
    }
    if permissions.is_none() && description.is_none() && imds_support.is_none() {
        return refuse(
            "InvalidParameterCombination",
            "No attributes specified: name a LaunchPermission or a Description",
        );
    }
    call.world.catalogue.transact(|db| {
        let image = own_image(db, call, request.image_id.as_deref())?;
        if let Some(LaunchPermissionModifications { add, remove }) = &permissions {
            verify_shareable(db, call, &image, add)?;
            add.iter().try_for_each(|permission| apply(db, &image.id, permission, true))?;
            remove.iter().try_for_each(|permission| apply(db, &image.id, permission, false))?;
        }
        if let Some(description) = &description {
            images::set_description(db, &image.id, description)?;
        }
        if imds_support.is_some() {
            images::set_imds_support(db, &image.id)?;
        }
        Ok(Nothing {})
    })
}

/// Who is to launch an image needs the keys of its snapshots: nobody can be given the one that AWS manages, and none is everybody's (EC2 user guide,
/// "Share an AMI with specific AWS accounts", "Make your AMI publicly available"; the first refusal in EC2's words).
fn verify_shareable(db: &Connection, call: &Call, image: &Image, add: &[LaunchPermission]) -> Answer<()> {
    if add.is_empty() {
        return Ok(());
    }
    let is_public = add.iter().any(|permission| permission.group.is_some());
    for id in image.snapshots() {
        let key = snapshots::find_snapshot(db, &image.scope.region, id)?.and_then(|snapshot| snapshot.kms_key);
        match key {
            Some(key) if key == managed_key(&call.scope) => {
                let text = "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another snapshot.";
                return refuse("InvalidParameter", text);
            }
            Some(_) if is_public => {
                return refuse("InvalidParameter", format!("{id} is encrypted, and can't be made public."));
            }
            _ => {}
        }
    }
    Ok(())
}

fn permissions(request: &ModifyImageAttributeRequest) -> Answer<Option<LaunchPermissionModifications>> {
    if request.launch_permission.is_some() || request.attribute.as_deref() != Some("launchPermission") {
        return Ok(request.launch_permission.clone());
    }
    let users = request
        .user_ids
        .iter()
        .map(|user| LaunchPermission { user_id: Some(user.clone()), ..LaunchPermission::default() });
    let groups = request
        .user_groups
        .iter()
        .map(|group| LaunchPermission { group: Some(group.clone()), ..LaunchPermission::default() });
    let named = users.chain(groups).collect();
    match request.operation_type.as_deref() {
        Some("add") => Ok(Some(LaunchPermissionModifications { add: named, remove: Vec::new() })),
        Some("remove") => Ok(Some(LaunchPermissionModifications { add: Vec::new(), remove: named })),
        _ => refuse("InvalidParameterValue", "OperationType must be add or remove"),
    }
}

fn apply(db: &Connection, image: &str, permission: &LaunchPermission, add: bool) -> Answer<()> {
    match (&permission.user_id, permission.group.as_deref()) {
        (Some(account), None) if !is_account(account) => refuse(
            "InvalidAMIAttributeItemValue",
            format!("Invalid attribute item value \"{account}\" for userId item type."),
        ),
        (Some(account), None) if add => images::share(db, image, account),
        (Some(account), None) => images::unshare(db, image, account),
        (None, Some("all")) => images::set_public(db, image, add),
        _ => refuse("InvalidAMIAttributeItemValue", "A launch permission names a UserId, or the Group all"),
    }
}
