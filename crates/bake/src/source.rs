//! The image that a bake starts from.

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_template::SourceImage as Query;

use crate::error::BakeError;
use crate::error::calling;

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
