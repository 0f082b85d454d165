//! ModifySnapshotAttribute and DescribeSnapshotAttribute: whom a snapshot is shared with.

use ovenbird_aws::ec2::CreateVolumePermission;
use ovenbird_aws::ec2::DescribeSnapshotAttributeRequest;
use ovenbird_aws::ec2::DescribeSnapshotAttributeResult;
use ovenbird_aws::ec2::ModifySnapshotAttributeRequest;
use ovenbird_aws::ec2::Nothing;
use rusqlite::Connection;

use super::encryption::managed_key;
use super::resources::own_snapshot;
use crate::accounts::is_account;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

const PERMISSION: &str = "createVolumePermission";

/// Shares a snapshot or takes that back, in the newer form (`CreateVolumePermission.Add.1.UserId`) or the older
/// (`OperationType`, `UserId.1`).
pub(crate) fn modify_snapshot_attribute(call: &Call, request: &ModifySnapshotAttributeRequest) -> Answer<Nothing> {
    if request.attribute.as_deref().is_some_and(|attribute| attribute != PERMISSION) {
        return refuse("InvalidParameterValue", "The only attribute that can be modified is createVolumePermission");
    }
    let (add, remove) = permissions(request)?;
    required(add.first().or(remove.first()), "CreateVolumePermission")?;
    call.world.catalogue.transact(|db| {
        let snapshot = own_snapshot(db, call, request.snapshot_id.as_deref())?;
        verify_shareable(call, &snapshot, &add)?;
        add.iter().try_for_each(|permission| apply(db, &snapshot.id, permission, true))?;
        remove.iter().try_for_each(|permission| apply(db, &snapshot.id, permission, false))?;
        Ok(Nothing {})
    })
}

/// Nobody can be given the key that AWS manages, and no key is everybody's.
fn verify_shareable(call: &Call, snapshot: &Snapshot, add: &[CreateVolumePermission]) -> Answer<()> {
    let Some(key) = &snapshot.kms_key else { return Ok(()) };
    if add.iter().any(|permission| permission.group.is_some()) {
        return refuse("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly");
    }
    if !add.is_empty() && *key == managed_key(&call.scope) {
        return refuse("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared");
    }
    Ok(())
}

type Permissions = Vec<CreateVolumePermission>;

fn permissions(request: &ModifySnapshotAttributeRequest) -> Answer<(Permissions, Permissions)> {
    if let Some(modification) = &request.create_volume_permission {
        return Ok((modification.add.clone(), modification.remove.clone()));
    }
    let users = request.user_ids.iter().map(|user| CreateVolumePermission { user_id: Some(user.clone()), group: None });
    let groups =
        request.group_names.iter().map(|group| CreateVolumePermission { user_id: None, group: Some(group.clone()) });
    let named: Permissions = users.chain(groups).collect();
    match request.operation_type.as_deref() {
        Some("add") => Ok((named, Vec::new())),
        Some("remove") => Ok((Vec::new(), named)),
        _ => refuse("InvalidParameterValue", "OperationType must be add or remove"),
    }
}

fn apply(db: &Connection, snapshot: &str, permission: &CreateVolumePermission, add: bool) -> Answer<()> {
    match (&permission.user_id, permission.group.as_deref()) {
        (Some(account), None) if is_account(account) => snapshots::set_share(db, snapshot, account, add),
        (None, Some("all")) => snapshots::set_public(db, snapshot, add),
        _ => {
            refuse("InvalidParameterValue", "A create volume permission names a UserId of 12 digits, or the Group all")
        }
    }
}

/// Whom a snapshot is shared with, which only its owner learns.
pub(crate) fn describe_snapshot_attribute(
    call: &Call,
    request: &DescribeSnapshotAttributeRequest,
) -> Answer<DescribeSnapshotAttributeResult> {
    let attribute = required(request.attribute.as_deref(), "Attribute")?;
    call.world.catalogue.transact(|db| {
        let snapshot = own_snapshot(db, call, request.snapshot_id.as_deref())?;
        let mut answer =
            DescribeSnapshotAttributeResult { snapshot_id: Some(snapshot.id.clone()), ..Default::default() };
        match attribute {
            PERMISSION => {
                let accounts = snapshots::list_shares(db, &snapshot.id)?.into_iter();
                answer.create_volume_permissions =
                    accounts.map(|account| CreateVolumePermission { user_id: Some(account), group: None }).collect();
                if snapshot.public {
                    let all = CreateVolumePermission { user_id: None, group: Some("all".to_owned()) };
                    answer.create_volume_permissions.push(all);
                }
                Ok(answer)
            }
            "productCodes" => Ok(answer),
            other => {
                refuse("InvalidParameterValue", format!("Invalid value '{other}' for the attribute of a snapshot"))
            }
        }
    })
}
