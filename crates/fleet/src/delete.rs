//! Deleting one image: looked at once more, then gone with its snapshots in one call.

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_core::retention::Policy;
use ovenbird_core::retention::Reason;

use crate::cleanup::Deleted;
use crate::cleanup::judge;
use crate::error::FleetError;
use crate::error::calling;
use crate::observe::observe;

/// A last look before `image` is deleted: what speaks for it now, if anything does.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn second_thoughts(
    client: &Client,
    image: &str,
    now: Timestamp,
    policy: &Policy,
) -> Result<Vec<String>, FleetError> {
    let seen = observe(client).await?;
    match judge(&seen, now, policy).into_iter().find(|fresh| fresh.image == image) {
        Some(fresh) if !fresh.delete => Ok(fresh.why),
        Some(_) => {
            let shared_with = list_shares(client, image).await?;
            Ok(if shared_with.is_empty() { Vec::new() } else { vec![Reason::Shared { with: shared_with }.to_string()] })
        }
        // It is gone already.
        None => Ok(Vec::new()),
    }
}

/// Deletes `image` with its snapshots.
///
/// # Errors
/// AWS's refusals. One that is gone already counts as deleted.
pub(crate) async fn delete_image(client: &Client, image: &str) -> Result<Deleted, FleetError> {
    let request = ec2::DeregisterImageRequest {
        image_id: Some(image.to_owned()),
        delete_associated_snapshots: Some(true),
        ..Default::default()
    };
    let answer = match client.send(request).await {
        Err(error) if error.is_not_found() || error.has_code("InvalidAMIID.Unavailable") => {
            return Ok(Deleted::default());
        }
        answer => answer.map_err(calling(format!("deregister {image}")))?,
    };
    let mut deleted = Deleted::default();
    for result in answer.delete_snapshot_results {
        let snapshot = result.snapshot_id.unwrap_or_default();
        match result.return_code.as_deref() {
            None | Some("success") => deleted.snapshots.push(snapshot),
            Some(code) => deleted.kept.push((snapshot, code.to_owned())),
        }
    }
    Ok(deleted)
}

/// Whom the image is shared with. Their instances cannot be seen from here, so a share speaks for the image.
async fn list_shares(client: &Client, image: &str) -> Result<Vec<String>, FleetError> {
    let request = ec2::DescribeImageAttributeRequest {
        image_id: Some(image.to_owned()),
        attribute: Some("launchPermission".to_owned()),
        ..Default::default()
    };
    let answer = match client.send(request).await {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        answer => answer.map_err(calling(format!("ask whom {image} is shared with")))?,
    };
    let name = |permission: ec2::LaunchPermission| {
        permission.user_id.or(permission.group).or(permission.organization_arn).or(permission.organizational_unit_arn)
    };
    Ok(answer.launch_permissions.into_iter().filter_map(name).collect())
}

/// Deletes a layer's snapshot. One that is gone, or that an image was registered from meanwhile, is left.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn delete_snapshot(client: &Client, snapshot: &str) -> Result<(), FleetError> {
    let request = ec2::DeleteSnapshotRequest { snapshot_id: Some(snapshot.to_owned()), ..Default::default() };
    match client.send(request).await {
        Err(error) if !error.is_not_found() && !error.has_code("InvalidSnapshot.InUse") => {
            Err(calling(format!("delete snapshot {snapshot}"))(error))
        }
        _ => Ok(()),
    }
}
