//! The first of the two scheduled jobs: record which images are in use.
//!
//! `LastUsedRuntime` is a commit record. It means "a complete observation that covered this image began then", so it is
//! written last, on all images, and only after every `LastUsed` was written and read back (lifecycle.md rows 16, 17, 20).

use std::collections::BTreeSet;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::instant;
use ovenbird_core::tags;
use serde::Serialize;

use crate::error::FleetError;
use crate::error::calling;
use crate::observe::Observation;
use crate::observe::observe;

/// Resources in one CreateTags call. The API takes 1000; a smaller batch loses less to one bad id.
const BATCH: usize = 200;

/// What an inventory saw and wrote.
#[derive(Clone, Debug, Serialize)]
pub struct InventoryReport {
    /// When the observation began: the value of both tags.
    pub began: String,
    /// Every own image.
    pub images: Vec<String>,
    /// Those in use, with the reasons.
    pub in_use: Vec<InUse>,
    /// Instances that were looked at.
    pub instances: usize,
    /// Nothing was written.
    pub dry_run: bool,
}

/// An image in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InUse {
    /// `ami-…`
    pub image: String,
    /// By what: instance ids and pointers.
    pub by: Vec<String>,
}

/// Observes the region, then writes `LastUsed` on the images in use and `LastUsedRuntime` on all.
///
/// # Errors
/// Any call that failed. Nothing was committed then: cleanup will not trust this observation.
pub async fn inventory(client: &Client, now: Timestamp, dry_run: bool) -> Result<InventoryReport, FleetError> {
    let seen = observe(client).await?;
    let images: Vec<String> =
        seen.images.iter().filter(|image| is_tagged(image)).filter_map(|image| image.image_id.clone()).collect();
    let in_use = in_use(&seen);
    let began = instant::write(now);
    if !dry_run {
        let used: Vec<String> = in_use.iter().map(|used| used.image.clone()).collect();
        let used = younger_than(&seen, tags::LAST_USED, now, used);
        put_tag(client, &used, tags::LAST_USED, &began).await?;
        verify(client, &used, &began).await?;
        let all = younger_than(&seen, tags::LAST_USED_RUNTIME, now, images.clone());
        put_tag(client, &all, tags::LAST_USED_RUNTIME, &began).await?;
    }
    Ok(InventoryReport { began, images, in_use, instances: seen.instances.len(), dry_run })
}

/// Images that are gone or going take no tags.
fn is_tagged(image: &ec2::Image) -> bool {
    !matches!(image.state.as_deref(), Some("deregistered" | "failed" | "invalid" | "error"))
}

/// The own images that an instance or a pointer uses.
fn in_use(seen: &Observation) -> Vec<InUse> {
    let uses = seen.uses();
    let own: BTreeSet<&str> = seen.images.iter().filter_map(|image| image.image_id.as_deref()).collect();
    let by = |image: &str| -> Vec<String> {
        let instances = uses.instances.iter().filter(|used| used.image == image && used.state != "terminated");
        let pointers = uses.pointers.iter().filter(|used| used.current == image);
        instances.map(|used| used.id.clone()).chain(pointers.map(|used| used.parameter.clone())).collect()
    };
    own.into_iter()
        .map(|image| InUse { image: image.to_owned(), by: by(image) })
        .filter(|used| !used.by.is_empty())
        .collect()
}

/// Leaves out images whose tag is younger already: an older observation never overwrites a newer one.
fn younger_than(seen: &Observation, key: &str, now: Timestamp, images: Vec<String>) -> Vec<String> {
    let is_older = |id: &String| {
        let image = seen.images.iter().find(|image| image.image_id.as_ref() == Some(id));
        let written = image.and_then(|image| Tag::find(&image.tags, key)).and_then(|text| instant::read(text).ok());
        written.is_none_or(|written| written.latest() <= now)
    };
    images.into_iter().filter(is_older).collect()
}

async fn put_tag(client: &Client, images: &[String], key: &str, value: &str) -> Result<(), FleetError> {
    for batch in images.chunks(BATCH) {
        put_batch(client, batch.to_vec(), key, value).await?;
    }
    Ok(())
}

/// An image that vanished since the look fails the whole call; the others still get their tag.
async fn put_batch(client: &Client, mut batch: Vec<String>, key: &str, value: &str) -> Result<(), FleetError> {
    while !batch.is_empty() {
        let request =
            ec2::CreateTagsRequest { resources: batch.clone(), tags: vec![Tag::new(key, value)], ..Default::default() };
        let Err(error) = client.send(request).await else { return Ok(()) };
        let gone = error.refusal().filter(|refusal| refusal.is_not_found()).map(|refusal| refusal.message.clone());
        let before = batch.len();
        if let Some(message) = gone {
            batch.retain(|id| !message.contains(id.as_str()));
        }
        if batch.len() == before {
            return Err(calling(format!("write {key} on {before} images"))(error));
        }
    }
    Ok(())
}

async fn verify(client: &Client, images: &[String], value: &str) -> Result<(), FleetError> {
    for batch in images.chunks(BATCH) {
        let filters = vec![Filter::new("resource-id", batch.to_vec()), Filter::new("key", [tags::LAST_USED])];
        let request = ec2::DescribeTagsRequest { filters, ..Default::default() };
        let pages = client.send_all(request).await.map_err(calling("read LastUsed back"))?;
        let written: Vec<ec2::TagDescription> = pages.into_iter().flat_map(|page| page.tags).collect();
        let is_written = |id: &String| {
            written.iter().any(|tag| tag.resource_id.as_ref() == Some(id) && tag.value.as_deref() == Some(value))
        };
        for image in batch {
            if !is_written(image) && still_there(client, image).await? {
                return Err(FleetError::NotMarked { image: image.clone() });
            }
        }
    }
    Ok(())
}

async fn still_there(client: &Client, image: &str) -> Result<bool, FleetError> {
    let filters = vec![Filter::new("image-id", [image])];
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for {image}")))?;
    Ok(pages.iter().any(|page| !page.images.is_empty()))
}
