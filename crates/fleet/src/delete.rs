//! Deleting one image: looked at once more, then gone with its snapshots in one call.

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_core::retention::Policy;

use crate::cleanup::Deleted;
use crate::cleanup::judge;
use crate::error::FleetError;
use crate::error::calling;
use crate::observe::observe;

/// Deletes `image` if a fresh look still allows it; otherwise answers why it stays now.
///
/// # Errors
/// AWS's refusals. One that is gone already counts as deleted.
pub(crate) async fn delete_image(
    client: &Client,
    image: &str,
    now: Timestamp,
    policy: &Policy,
) -> Result<Result<Deleted, Vec<String>>, FleetError> {
    let seen = observe(client).await?;
    let Some(fresh) = judge(&seen, now, policy).into_iter().find(|fresh| fresh.image == image) else {
        return Ok(Ok(Deleted::default()));
    };
    if !fresh.delete {
        return Ok(Err(fresh.why));
    }
    let request = ec2::DeregisterImageRequest {
        image_id: Some(image.to_owned()),
        delete_associated_snapshots: Some(true),
        ..Default::default()
    };
    let answer = match client.send(request).await {
        Err(error) if error.is_not_found() || error.has_code("InvalidAMIID.Unavailable") => return Ok(Ok(Deleted::default())),
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
    Ok(Ok(deleted))
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
