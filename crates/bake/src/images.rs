//! Images in AWS: what is behind them, and how they are taken back.

use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::tags;

use crate::error::BakeError;
use crate::error::calling;

/// The snapshots behind an image; none where the image is not known.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn list_snapshots(client: &Client, image: &str) -> Result<Vec<String>, BakeError> {
    let images = list_images(client, vec![Filter::new("image-id", [image])], image).await?;
    let mappings = images.into_iter().flat_map(|image| image.block_device_mappings);
    Ok(mappings.filter_map(|mapping| mapping.ebs?.snapshot_id).collect())
}

/// The image once it is available; listings may not know it yet.
///
/// # Errors
/// AWS's refusals; an image that never becomes available.
pub(crate) async fn find_available(client: &Client, image: &str) -> Result<Option<ec2::Image>, aws::Error> {
    let filters = vec![Filter::new("image-id", [image])];
    let pages = client.send_all(ec2::DescribeImagesRequest { filters, ..Default::default() }).await?;
    let Some(found) = pages.into_iter().flat_map(|page| page.images).next() else { return Ok(None) };
    match found.state.as_deref() {
        Some("available") => Ok(Some(found)),
        Some(state @ ("failed" | "error" | "invalid")) => Err(aws::Error::Ended {
            what: format!("the image {image}"),
            state: state.to_owned(),
            why: found
                .state_reason
                .and_then(|reason| reason.message)
                .unwrap_or_else(|| "AWS gives no reason; deregister it, and bake again".to_owned()),
        }),
        _ => Ok(None),
    }
}

/// Is the image a result, or a base that is whole? Either has a tag by which later bakes find it.
pub(crate) fn is_published(image: &ec2::Image) -> bool {
    [tags::KEY, tags::BASE_OF].iter().any(|tag| Tag::find(&image.tags, tag).is_some())
}

/// The bake's images that nobody else finds.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn list_unpublished_images(client: &Client, bake: &str) -> Result<Vec<String>, BakeError> {
    let images = list_images(client, vec![Filter::tag(tags::BAKE, bake)], bake).await?;
    // The filter is the service's; the tags are looked at again, since what is found here is deregistered.
    let is_unpublished = |image: &ec2::Image| Tag::find(&image.tags, tags::BAKE) == Some(bake) && !is_published(image);
    Ok(images.into_iter().filter(is_unpublished).filter_map(|image| image.image_id).collect())
}

/// The image of this name that the bake has published with this key, if it has.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn find_published(
    client: &Client,
    bake: &str,
    (name, key): (&str, LayerKey),
) -> Result<Option<String>, BakeError> {
    let images = list_images(client, vec![Filter::tag(tags::BAKE, bake)], bake).await?;
    let is_it = |image: &ec2::Image| {
        Tag::find(&image.tags, tags::BAKE) == Some(bake)
            && Tag::find(&image.tags, tags::KEY) == Some(key.hex().as_str())
            && image.name.as_deref() == Some(name)
    };
    Ok(images.into_iter().find(is_it).and_then(|image| image.image_id))
}

/// The service's published images whose name begins so.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn list_named_like(client: &Client, service: &str, start: &str) -> Result<Vec<String>, BakeError> {
    let images = list_images(client, vec![Filter::tag(tags::SERVICE, service)], service).await?;
    let is_like = |image: &ec2::Image| {
        Tag::find(&image.tags, tags::SERVICE) == Some(service)
            && image.name.as_deref().is_some_and(|name| name.starts_with(start))
    };
    Ok(images.into_iter().filter(is_like).filter_map(|image| image.image_id).collect())
}

async fn list_images(client: &Client, filters: Vec<Filter>, of: &str) -> Result<Vec<ec2::Image>, BakeError> {
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for images of {of}")))?;
    Ok(pages.into_iter().flat_map(|page| page.images).collect())
}

/// Takes back the images that a bake made and did not publish, and the one that is `known` to be its own. None is fine.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn undo_images(client: &Client, bake: &str, known: Option<&str>) -> Result<(), BakeError> {
    let mut images = list_unpublished_images(client, bake).await?;
    // A listing may not have it yet.
    images.extend(known.map(str::to_owned));
    for image in images {
        deregister(client, &image).await?;
    }
    Ok(())
}

/// Deregisters an image. One that is gone is fine. Its snapshots stay.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn deregister(client: &Client, image: &str) -> Result<(), BakeError> {
    let request = ec2::DeregisterImageRequest { image_id: Some(image.to_owned()), ..Default::default() };
    match client.send(request).await {
        Err(error) if !error.is_not_found() => Err(calling(format!("deregister {image}"))(error)),
        _ => Ok(()),
    }
}
