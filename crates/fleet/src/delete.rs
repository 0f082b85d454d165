//! Deleting one image: looked at once more, then gone with its snapshots in one call.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_core::retention::Policy;
use ovenbird_core::retention::Reason;

use crate::cleanup::Deleted;
use crate::cleanup::judge;
use crate::error::FleetError;
use crate::error::calling;
use crate::observe::Observation;

/// What speaks for `image` in this last look before it is deleted, if anything does.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn second_thoughts(
    client: &Client,
    fresh: &Observation,
    image: &str,
    now: Timestamp,
    policy: &Policy,
) -> Result<Vec<String>, FleetError> {
    match judge(fresh, now, policy).into_iter().find(|verdict| verdict.image == image) {
        Some(verdict) if !verdict.delete => Ok(verdict.why),
        Some(_) => {
            let with = list_shares(client, image).await?;
            Ok(if with.is_empty() { Vec::new() } else { vec![Reason::Shared { with }.to_string()] })
        }
        // It is gone already.
        None => Ok(Vec::new()),
    }
}

/// Deletes `image` with its snapshots, but for those that are `wanted`: a layer, and an image that stands on it.
///
/// # Errors
/// AWS's refusals. One that is gone already counts as deleted.
pub(crate) async fn delete_image(
    client: &Client,
    image: &str,
    wanted: &BTreeMap<String, String>,
) -> Result<Deleted, FleetError> {
    let request = ec2::DeregisterImageRequest {
        image_id: Some(image.to_owned()),
        // A wanted layer's snapshot is judged with the other layers, after the images.
        delete_associated_snapshots: Some(wanted.is_empty()),
        ..Default::default()
    };
    let answer = match client.send(request).await {
        Err(error) if error.is_not_found() || error.has_code("InvalidAMIID.Unavailable") => {
            return Ok(Deleted::default());
        }
        answer => answer.map_err(calling(format!("deregister {image}")))?,
    };
    let on_it = |(snapshot, other): (&String, &String)| (snapshot.clone(), format!("{other} was baked on this layer"));
    let mut deleted = Deleted { snapshots: Vec::new(), kept: wanted.iter().map(on_it).collect() };
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

/// Deletes a layer's snapshot; `false` where an image was registered from it meanwhile. One that is gone counts as deleted.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn delete_snapshot(client: &Client, snapshot: &str) -> Result<bool, FleetError> {
    let request = ec2::DeleteSnapshotRequest { snapshot_id: Some(snapshot.to_owned()), ..Default::default() };
    match client.send(request).await {
        Err(error) if error.has_code("InvalidSnapshot.InUse") => Ok(false),
        Err(error) if !error.is_not_found() => Err(calling(format!("delete snapshot {snapshot}"))(error)),
        _ => Ok(true),
    }
}
