//! Our own copy of the image that a bake starts from.
//!
//! The EBS direct APIs refuse public snapshots, and only a snapshot of our own may be a parent. So someone else's image is
//! copied into the account once: within a region that moves no data. What may not be copied is owned by a launch ([`crate::own`]).

use std::time::Duration;

use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::block::Digest;
use ovenbird_core::tags;

use crate::error::BakeError;
use crate::error::calling;
use crate::images::find_available;
use crate::source::Source;
use crate::source::describe;
use crate::source::read;

/// How long CopyImage within a region may take.
const COPY: Duration = Duration::from_secs(1800);

/// Our own snapshot with the content of `source`, encrypted as it must be: the source's own if it is ours and fits, else that of our
/// copy of it.
///
/// # Errors
/// [`BakeError::NotToBeCopied`] where its owner lets it be launched, and not be read; AWS's other refusals; a copy that does not become
/// available.
pub(crate) async fn ensure_owned(client: &Client, source: &Source, account: &str) -> Result<String, BakeError> {
    if source.owner == account && source.copy_key.is_none() {
        return Ok(source.snapshot.clone());
    }
    let copy = match find_copy(client, source).await? {
        Some(copy) => copy,
        None => copy_image(client, source).await?,
    };
    let doing = || format!("copy {} into this account", source.image);
    let copied = wait(
        format!("{copy}, our copy of {}, to be available", source.image),
        COPY,
        Duration::from_millis(500),
        async || find_available(client, &copy).await,
    );
    let image = copied.await.map_err(calling(doing()))?;
    Ok(read(image)?.snapshot)
}

/// The id of our copy of `source`, if there is one.
pub(crate) async fn find_copy(client: &Client, source: &Source) -> Result<Option<String>, BakeError> {
    let filters = vec![Filter::tag(tags::BASE_OF, &source.image), Filter::new("state", ["available", "pending"])];
    let found = client
        .send_all(ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() })
        .await
        .map_err(calling(format!("look for our copy of {}", source.image)))?;
    // Each key has a copy of its own.
    let fits = |image: &ec2::Image| Tag::find(&image.tags, tags::BASE_KEY) == source.copy_key.as_deref();
    Ok(found.into_iter().flat_map(|page| page.images).filter(fits).filter_map(|image| image.image_id).min())
}

/// Snapshots with the very content of `source`: its own, and those of our copies of it, whatever key each has. What an image is a copy of
/// is AWS's word; a tag would not do. An image of an instance has the same word, and another content.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn list_twins(client: &Client, source: &Source) -> Result<Vec<String>, BakeError> {
    let copies =
        describe(client, vec![], &["self".to_owned()], vec![Filter::tag(tags::BASE_OF, &source.image)]).await?;
    let copied = copies
        .into_iter()
        .filter(|image| is_copy(image, &source.image, client.region()))
        .filter_map(|image| Some(read(image).ok()?.snapshot));
    Ok(std::iter::once(source.snapshot.clone()).chain(copied).collect())
}

fn is_copy(image: &ec2::Image, of: &str, region: Option<&str>) -> bool {
    image.source_image_id.as_deref() == Some(of)
        && image.source_image_region.as_deref() == region
        && image.source_instance_id.is_none()
}

/// The tags that our copy of `source` is found by.
pub(crate) fn marks(source: &Source) -> Vec<Tag> {
    let mut marks = vec![Tag::new(tags::BASE_OF, &source.image), Tag::new(tags::NAME, format!("base {}", source.name))];
    marks.extend(source.copy_key.as_ref().map(|key| Tag::new(tags::BASE_KEY, key)));
    marks
}

/// The image and the key of our copy, for its name.
pub(crate) fn which(source: &Source) -> String {
    match &source.copy_key {
        Some(key) => format!("{}-{:.8}", source.image, Digest::of(key.as_bytes()).hex()),
        None => source.image.clone(),
    }
}

async fn copy_image(client: &Client, source: &Source) -> Result<String, BakeError> {
    let (marks, which) = (marks(source), which(source));
    let request = ec2::CopyImageRequest {
        // One copy per source and key, however often this is tried.
        client_token: Some(format!("ovenbird-base-{which}")),
        name: Some(format!("ovenbird base {} {which}", source.name)),
        description: Some(format!("Ovenbird's own copy of {}, so that bakes may read it", source.image)),
        source_image_id: Some(source.image.clone()),
        source_region: client.region().map(str::to_owned),
        encrypted: source.copy_key.as_ref().map(|_| true),
        kms_key_id: source.copy_key.clone(),
        tag_specifications: vec![
            TagSpecification::new("image", marks.clone()),
            TagSpecification::new("snapshot", marks),
        ],
        ..Default::default()
    };
    let doing = || format!("copy {} into this account", source.image);
    let answer = match client.send(request).await {
        Err(error) if is_kept_from_us(&error) => return Err(not_to_be_copied(source, error)),
        answer => answer.map_err(calling(doing()))?,
    };
    answer
        .image_id
        .ok_or_else(|| calling(doing())(ovenbird_aws::Error::Incomplete { action: "CopyImage", member: "ImageId" }))
}

/// Some owners let anybody launch an image, and nobody read its storage; images with product codes cannot be copied at all
/// (offline.md 1.6).
fn is_kept_from_us(error: &aws::Error) -> bool {
    ["InvalidRequest", "AuthFailure", "OperationNotPermitted"].iter().any(|code| error.has_code(code))
}

fn not_to_be_copied(source: &Source, error: aws::Error) -> BakeError {
    BakeError::NotToBeCopied { image: source.image.clone(), source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_instance_lies_between_is_a_copy() {
        let text = |text: &str| Some(text.to_owned());
        let copy =
            ec2::Image { source_image_id: text("ami-1"), source_image_region: text("us-east-1"), ..Default::default() };
        assert!(is_copy(&copy, "ami-1", Some("us-east-1")));
        assert!(!is_copy(&copy, "ami-2", Some("us-east-1")) && !is_copy(&copy, "ami-1", Some("eu-west-1")));
        // CreateImage names the image that the instance was launched of.
        let launched = ec2::Image { source_instance_id: text("i-1"), ..copy };
        assert!(!is_copy(&launched, "ami-1", Some("us-east-1")));
        assert!(!is_copy(&ec2::Image::default(), "ami-1", Some("us-east-1")));
    }
}
