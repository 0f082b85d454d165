//! The image that a bake starts from, and our own copy of it.
//!
//! The EBS direct APIs refuse public snapshots, and only a snapshot of our own may be a parent. So someone else's image is
//! copied into the account once: within a region that moves no data.

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
use ovenbird_template::SourceImage as Query;

use crate::error::BakeError;
use crate::error::calling;

/// How long CopyImage within a region may take.
const COPY: Duration = Duration::from_secs(1800);

/// The image that a template's `source_ami` or `source_ami_filter` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `ami-…`
    pub image: String,
    /// Its name, such as `debian-12-amd64-20261101`.
    pub name: String,
    /// Its owner's account.
    pub owner: String,
    /// Alias of well-known owners, such as `amazon`.
    pub owner_alias: Option<String>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// When it was made, as the API writes it.
    pub created: String,
    /// `uefi`, `legacy-bios`, `uefi-preferred`; absent means the instance type's default.
    pub boot_mode: Option<String>,
    /// Such as `/dev/xvda`.
    pub root_device: String,
    /// The snapshot behind the root device.
    pub snapshot: String,
    /// Its size in GiB.
    pub size: i32,
    /// Its tags, for the template's `{{.SourceAMITags}}`.
    pub tags: Vec<(String, String)>,
    /// The billing code that it carries, such as `RunInstances:0010` for Red Hat's; `None` for plain Linux.
    pub billing: Option<String>,
    /// Is the root volume's snapshot encrypted?
    pub is_encrypted: bool,
    /// The key that our copy of it must be encrypted with; `None` where it is to be as it is. See [`crate::find_base`].
    pub copy_key: Option<String>,
}

/// Finds the image of the template. It must be one, with an EBS root of its own platform.
///
/// # Errors
/// AWS's refusals; no image, or several without `most_recent`.
pub async fn find_source(client: &Client, query: &Query) -> Result<Source, BakeError> {
    let image = match query {
        Query::Id(id) => only(describe(client, vec![id.clone()], &[], vec![]).await?, id, false)?,
        Query::Filter(query) => {
            let filters: Vec<Filter> =
                query.filters.iter().map(|(name, values)| Filter::new(name, values.clone())).collect();
            let found = describe(client, vec![], &query.owners, filters).await?;
            only(found, "source_ami_filter", query.most_recent)?
        }
    };
    read(image)
}

pub(crate) async fn describe(
    client: &Client,
    image_ids: Vec<String>,
    owners: &[String],
    filters: Vec<Filter>,
) -> Result<Vec<ec2::Image>, BakeError> {
    let request = ec2::DescribeImagesRequest { image_ids, owners: owners.to_vec(), filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("look for the source image"))?;
    Ok(pages.into_iter().flat_map(|page| page.images).collect())
}

fn only(mut found: Vec<ec2::Image>, asked: &str, most_recent: bool) -> Result<ec2::Image, BakeError> {
    found.retain(|image| image.state.as_deref() == Some("available"));
    found.sort_by(|a, b| (&a.creation_date, &a.image_id).cmp(&(&b.creation_date, &b.image_id)));
    let count = found.len();
    if count > 1 && !most_recent {
        let ids: Vec<&str> = found.iter().filter_map(|image| image.image_id.as_deref()).collect();
        return Err(BakeError::Source(format!(
            "{asked} fits {count} images ({}): narrow the filter, or set `most_recent` to true",
            ids.join(", ")
        )));
    }
    found.pop().ok_or_else(|| {
        BakeError::Source(format!(
            "no available image fits {asked} in this region: check its name pattern and owners \
             (on the embedded EC2, `ovenbird local base debian-12` makes Debian's)"
        ))
    })
}

/// The image as a source.
///
/// # Errors
/// When it has no EBS snapshot behind its root.
pub(crate) fn read(image: ec2::Image) -> Result<Source, BakeError> {
    let id = image.image_id.clone().unwrap_or_default();
    let root_device = image.root_device_name.clone().unwrap_or_default();
    let root = image
        .block_device_mappings
        .iter()
        .find(|mapping| mapping.device_name.as_deref() == Some(&root_device))
        .and_then(|mapping| mapping.ebs.as_ref());
    let Some((snapshot, size)) = root.and_then(|ebs| Some((ebs.snapshot_id.clone()?, ebs.volume_size?))) else {
        return Err(BakeError::Source(format!("image {id} has no EBS snapshot behind its root device {root_device}")));
    };
    let is_encrypted = root.is_some_and(|ebs| ebs.encrypted == Some(true));
    let tags = image.tags.iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone()?))).collect();
    Ok(Source {
        image: id,
        name: image.name.unwrap_or_default(),
        owner: image.owner_id.unwrap_or_default(),
        owner_alias: image.image_owner_alias,
        architecture: image.architecture.unwrap_or_default(),
        created: image.creation_date.unwrap_or_default(),
        boot_mode: image.boot_mode,
        root_device,
        snapshot,
        size,
        tags,
        billing: billing(&image.product_codes, image.platform_details, image.usage_operation),
        is_encrypted,
        copy_key: None,
    })
}

/// What is billed for the software in an image, in words. (EC2 user guide, "AMI billing information fields")
fn billing(products: &[ec2::ProductCode], platform: Option<String>, operation: Option<String>) -> Option<String> {
    let products: Vec<&str> = products.iter().filter_map(|product| product.product_code_id.as_deref()).collect();
    if !products.is_empty() {
        return Some(format!("product code {}", products.join(", ")));
    }
    let operation = operation.filter(|code| code != "RunInstances")?;
    Some(match platform {
        Some(platform) => format!("billing code {operation} ({platform})"),
        None => format!("billing code {operation}"),
    })
}

/// Our own snapshot with the content of `source`, encrypted as it must be: the source's own if it is ours and fits, else that of our
/// copy of it.
///
/// # Errors
/// AWS's refusals; a copy that does not become available.
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

/// The image once it is available; listings may not know it yet.
async fn find_available(client: &Client, image: &str) -> Result<Option<ec2::Image>, aws::Error> {
    let filters = vec![Filter::new("image-id", [image])];
    let pages = client.send_all(ec2::DescribeImagesRequest { filters, ..Default::default() }).await?;
    let Some(found) = pages.into_iter().flat_map(|page| page.images).next() else { return Ok(None) };
    match found.state.as_deref() {
        Some("available") => Ok(Some(found)),
        Some(state @ ("failed" | "error" | "invalid")) => Err(aws::Error::Ended {
            what: format!("the copy {image}"),
            state: state.to_owned(),
            why: found
                .state_reason
                .and_then(|reason| reason.message)
                .unwrap_or_else(|| "AWS gives no reason; deregister it, and bake again".to_owned()),
        }),
        _ => Ok(None),
    }
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
/// is AWS's word; a tag would not do.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn list_twins(client: &Client, source: &Source) -> Result<Vec<String>, BakeError> {
    let copies =
        describe(client, vec![], &["self".to_owned()], vec![Filter::tag(tags::BASE_OF, &source.image)]).await?;
    let is_copy = |image: &ec2::Image| {
        image.source_image_id.as_ref() == Some(&source.image) && image.source_image_region.as_deref() == client.region()
    };
    let copied = copies.into_iter().filter(is_copy).filter_map(|image| Some(read(image).ok()?.snapshot));
    Ok(std::iter::once(source.snapshot.clone()).chain(copied).collect())
}

async fn copy_image(client: &Client, source: &Source) -> Result<String, BakeError> {
    let mut marks = vec![Tag::new(tags::BASE_OF, &source.image), Tag::new(tags::NAME, format!("base {}", source.name))];
    marks.extend(source.copy_key.as_ref().map(|key| Tag::new(tags::BASE_KEY, key)));
    let which = match &source.copy_key {
        Some(key) => format!("{}-{:.8}", source.image, Digest::of(key.as_bytes()).hex()),
        None => source.image.clone(),
    };
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
    fn only_plain_linux_bills_nothing() {
        let text = |text: &str| Some(text.to_owned());
        let product = ec2::ProductCode { product_code_id: text("a1b2"), product_code_type: text("marketplace") };
        assert_eq!(billing(&[], text("Linux/UNIX"), text("RunInstances")), None);
        assert_eq!(billing(&[], None, None), None);
        assert_eq!(
            billing(&[], text("Red Hat Enterprise Linux"), text("RunInstances:0010")).as_deref(),
            Some("billing code RunInstances:0010 (Red Hat Enterprise Linux)")
        );
        assert_eq!(billing(&[product], text("Linux/UNIX"), text("RunInstances")).as_deref(), Some("product code a1b2"));
    }
}
