//! CreateImage: an image of the stopped instance's volumes.

use std::time::Duration;

use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use super::Watch;
use crate::error::BakeError;
use crate::error::calling;
use crate::images::is_published;
use crate::images::undo_images;
use crate::remote::find_named;
use crate::remote::undo_snapshot;

/// How long a snapshot of a whole volume may take. Packer's half an hour is known to be too short (packer.md 3.1).
const AVAILABLE: Duration = Duration::from_secs(4 * 3600);

/// Creates the image and answers its id as soon as EC2 knows it. Run twice for one bake, it is one image.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn create_image(
    client: &Client,
    bake: &str,
    request: ec2::CreateImageRequest,
) -> Result<String, BakeError> {
    let name = request.name.clone().unwrap_or_default();
    let answer = client.send(request).await.map(|answer| answer.image_id);
    image_of(client, bake, &name, answer).await
}

/// The image that was answered; or, where the name is taken, the bake's own of that name.
///
/// # Errors
/// AWS's refusals.
pub(super) async fn image_of(
    client: &Client,
    bake: &str,
    name: &str,
    answer: Result<Option<String>, aws::Error>,
) -> Result<String, BakeError> {
    let doing = || format!("create the image `{name}`");
    match answer {
        Ok(image) => Ok(image.unwrap_or_default()),
        // There is no client token: after an answer that got lost, the name and our tag say that it worked.
        Err(error) if error.has_code("InvalidAMIName.Duplicate") => {
            let named = find_named(client, name).await.map_err(calling(doing()))?;
            let ours = named.filter(|image| Tag::find(&image.tags, tags::BAKE) == Some(bake));
            ours.and_then(|image| image.image_id).ok_or_else(|| calling(doing())(error))
        }
        Err(error) => Err(calling(doing())(error)),
    }
}

impl Watch {
    /// Waits until the image is available, and answers the snapshot behind its root.
    ///
    /// # Errors
    /// AWS's refusals; an image that failed, with the reason that EC2 gives.
    pub(crate) async fn wait_for_image(&self, client: &Client, image: &str) -> Result<String, BakeError> {
        let what = format!("{image} to be available");
        let judge = |found: Option<ec2::Image>| {
            let Some(found) = found else { return Ok(None) };
            match found.state.as_deref() {
                Some("available") => Ok(root_snapshot(&found)),
                Some(state @ ("failed" | "error" | "invalid" | "deregistered")) => {
                    let reason = found.state_reason.as_ref().and_then(|reason| reason.message.clone());
                    let reason = reason.unwrap_or_else(|| "EC2 gives no reason".to_owned());
                    Err(BakeError::Instance(format!("{image} is {state}: {reason}")))
                }
                _ => Ok(None),
            }
        };
        self.images.wait_for(client, image, (&what, AVAILABLE), judge).await
    }
}

fn root_snapshot(image: &ec2::Image) -> Option<String> {
    let root = image.block_device_mappings.iter().find(|mapping| mapping.device_name == image.root_device_name)?;
    root.ebs.as_ref()?.snapshot_id.clone()
}

/// Takes back the image that a bake created and did not publish, with its snapshots. One that is gone is fine.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn undo_created_image(client: &Client, bake: &str, known: Option<&str>) -> Result<(), BakeError> {
    undo_images(client, bake, known).await?;
    let published = list_published_snapshots(client, bake).await?;
    for snapshot in list_snapshots_of_no_layer(client, bake).await? {
        if !published.contains(&snapshot) {
            undo_snapshot(client, &snapshot).await?;
        }
    }
    Ok(())
}

/// The bake's snapshots that CreateImage made: layers have their key, and stay.
async fn list_snapshots_of_no_layer(client: &Client, bake: &str) -> Result<Vec<String>, BakeError> {
    let filters = vec![Filter::tag(tags::BAKE, bake)];
    let request = ec2::DescribeSnapshotsRequest { filters, owner_ids: vec!["self".to_owned()], ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for snapshots of {bake}")))?;
    let snapshots = pages.into_iter().flat_map(|page| page.snapshots);
    let is_ours = |snapshot: &ec2::Snapshot| {
        Tag::find(&snapshot.tags, tags::BAKE) == Some(bake) && Tag::find(&snapshot.tags, tags::LAYER).is_none()
    };
    Ok(snapshots.filter(is_ours).filter_map(|snapshot| snapshot.snapshot_id).collect())
}

/// The snapshots of images that the bake did publish: they stay with them.
async fn list_published_snapshots(client: &Client, bake: &str) -> Result<Vec<String>, BakeError> {
    let filters = vec![Filter::tag(tags::BAKE, bake)];
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for images of {bake}")))?;
    let images = pages.into_iter().flat_map(|page| page.images);
    let volumes =
        images.filter(is_published).flat_map(|image| image.block_device_mappings).filter_map(|mapping| mapping.ebs);
    Ok(volumes.filter_map(|ebs| ebs.snapshot_id).collect())
}
