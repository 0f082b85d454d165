//! CopyImage within the region: the image under another name, with all that EC2 keeps of it (billing codes, UEFI variables). It moves no data
//! as long as the key stays the same.

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;

use super::image::image_of;
use crate::error::BakeError;
use crate::error::calling;
use crate::images::list_snapshots;

/// Copies the image and answers the copy's id as soon as EC2 knows it. Run twice for one bake, it is one image.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn copy_image(
    client: &Client,
    bake: &str,
    request: ec2::CopyImageRequest,
) -> Result<String, BakeError> {
    let name = request.name.clone().unwrap_or_default();
    let answer = client.send(request).await.map(|answer| answer.image_id);
    image_of(client, bake, &name, answer).await
}

/// The key that a copy of the image must have to be as the image is; `None` where nothing of it is encrypted.
///
/// # Errors
/// AWS's refusals; [`BakeError::Unsupported`] where no copy would be as the image is.
pub(crate) async fn find_key(client: &Client, image: &str) -> Result<Option<String>, BakeError> {
    let ids = list_snapshots(client, image).await?;
    if ids.is_empty() {
        return Err(BakeError::Instance(format!(
            "{image} cannot be copied: it has no snapshots, or is gone; bake again"
        )));
    }
    let filters = vec![Filter::new("snapshot-id", ids)];
    let request = ec2::DescribeSnapshotsRequest { filters, owner_ids: vec!["self".to_owned()], ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look at the snapshots of {image}")))?;
    let keys = pages.into_iter().flat_map(|page| page.snapshots).map(|snapshot| snapshot.kms_key_id);
    only_key(keys.collect())
}

/// A copy has one key for all its volumes.
fn only_key(mut keys: Vec<Option<String>>) -> Result<Option<String>, BakeError> {
    keys.sort();
    keys.dedup();
    if keys.len() < 2 {
        return Ok(keys.pop().flatten());
    }
    let told: Vec<&str> = keys.iter().map(|key| key.as_deref().unwrap_or("none")).collect();
    Err(BakeError::Unsupported(format!(
        "an image that replaces another is copied to its name, and a copy has one key for all its volumes; these have several ({}): \
         encrypt all of them with one `kms_key_id`, or give ami_name a time, so that nothing is replaced",
        told.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_as_the_image_is_or_is_refused() {
        let key = |key: &str| Some(key.to_owned());
        assert_eq!(only_key(vec![None, None]).expect("nothing is encrypted"), None);
        assert_eq!(only_key(vec![key("a"), key("a")]).expect("one key"), key("a"));
        for several in [vec![key("a"), None], vec![key("b"), key("a"), key("b")]] {
            let error = only_key(several).expect_err("it would be another image").to_string();
            assert!(error.contains("(none, a)") || error.contains("(a, b)"), "{error}");
        }
    }
}
