//! Whom a snapshot is shared with.

use super::Nothing;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the specified attribute of the specified snapshot.
    pub struct DescribeSnapshotAttributeRequest {
        /// The snapshot attribute you would like to view. Required.
        attribute: Option<String> = "Attribute",
        /// The ID of the EBS snapshot. Required.
        snapshot_id: Option<String> = "SnapshotId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of DescribeSnapshotAttribute.
    pub struct DescribeSnapshotAttributeResult {
        /// The ID of the EBS snapshot.
        snapshot_id: Option<String> = "snapshotId",
        /// The users and groups that have the permissions for creating volumes from the snapshot.
        create_volume_permissions: Vec<CreateVolumePermission> = "createVolumePermission",
    }

    /// Describes the user or group to be added or removed from the list of create volume permissions for a volume.
    pub struct CreateVolumePermission {
        /// The ID of the Amazon Web Services account to be added or removed.
        user_id: Option<String> = "userId",
        /// The group to be added or removed.
        group: Option<String> = "group",
    }

    /// Adds or removes permission settings for the specified snapshot.
    pub struct ModifySnapshotAttributeRequest {
        /// The snapshot attribute to modify: `createVolumePermission`.
        attribute: Option<String> = "Attribute",
        /// A JSON representation of the snapshot attribute modification.
        create_volume_permission: Option<CreateVolumePermissionModifications> = "CreateVolumePermission",
        /// The group to modify for the snapshot.
        group_names: Vec<String> = "UserGroup",
        /// The type of operation to perform to the attribute.
        operation_type: Option<String> = "OperationType",
        /// The ID of the snapshot. Required.
        snapshot_id: Option<String> = "SnapshotId",
        /// The account ID to modify for the snapshot.
        user_ids: Vec<String> = "UserId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// Describes modifications to the list of create volume permissions for a volume.
    pub struct CreateVolumePermissionModifications {
        /// Adds the specified Amazon Web Services account ID or group to the list.
        add: Vec<CreateVolumePermission> = "Add",
        /// Removes the specified Amazon Web Services account ID or group from the list.
        remove: Vec<CreateVolumePermission> = "Remove",
    }
}

operation!(Ec2, "DescribeSnapshotAttribute", DescribeSnapshotAttributeRequest => DescribeSnapshotAttributeResult);
operation!(Ec2, "ModifySnapshotAttribute", ModifySnapshotAttributeRequest => Nothing);
