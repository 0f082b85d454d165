//! The first of the two scheduled jobs: record which images are in use.
//!
//! `LastUsedRuntime` is a commit record. It means "a complete observation that covered this image began then", so it is
//! written last, on all images, and only after every `LastUsed` was written and read back (lifecycle.md rows 16, 17, 20).

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::instant;
use ovenbird_core::tags;
use serde::Serialize;

use crate::error::FleetError;
use crate::error::calling;
use crate::observe::Observation;
use crate::observe::list_own_images_where;
use crate::observe::observe;

/// Resources in one CreateTags call. The API takes 1000; a smaller batch loses less to one bad id.
const BATCH: usize = 200;

/// How long a written tag may take to be read back.
const READ_BACK: Duration = Duration::from_secs(10);

/// What an inventory saw and wrote.
#[derive(Clone, Debug, Serialize)]
pub struct InventoryReport {
    /// When the observation began: the value of both tags.
    pub began: String,
    /// Every own image.
    pub images: Vec<String>,
    /// Those in use, with the reasons.
    pub in_use: Vec<InUse>,
    /// Images without room for another tag, which therefore have no `LastUsedRuntime`; cleanup never deletes them.
    pub untaggable: Vec<String>,
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
/// Any call that failed, or an image in use that cannot be marked. No image has this `LastUsedRuntime` then, unless every
/// `LastUsed` was written: cleanup will not trust a look that was not complete.
pub async fn inventory(client: &Client, now: Timestamp, dry_run: bool) -> Result<InventoryReport, FleetError> {
    let seen = observe(client).await?;
    let images: Vec<String> =
        seen.images.iter().filter(|image| is_tagged(image)).filter_map(|image| image.image_id.clone()).collect();
    let in_use = in_use(&seen);
    let began = instant::write(now);
    let mut untaggable = Vec::new();
    if !dry_run {
        let used = in_use.iter().map(|used| used.image.clone()).filter(|image| images.contains(image)).collect();
        let used = without_younger(&seen, tags::LAST_USED, now, used);
        if let Some(full) = put_tag(client, &used, tags::LAST_USED, &began).await?.into_iter().next() {
            return Err(FleetError::NoRoom { image: full });
        }
        verify_last_used(client, &used, now).await?;
        let all = without_younger(&seen, tags::LAST_USED_RUNTIME, now, images.clone());
        untaggable = put_tag(client, &all, tags::LAST_USED_RUNTIME, &began).await?;
    }
    Ok(InventoryReport { began, images, in_use, untaggable, instances: seen.instances.len(), dry_run })
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
fn without_younger(seen: &Observation, key: &str, now: Timestamp, images: Vec<String>) -> Vec<String> {
    let is_younger = |id: &String| {
        let image = seen.images.iter().find(|image| image.image_id.as_ref() == Some(id));
        let written = image.and_then(|image| Tag::find(&image.tags, key)).and_then(|text| instant::read(text).ok());
        written.is_some_and(|written| written.latest() > now)
    };
    images.into_iter().filter(|id| !is_younger(id)).collect()
}

/// Writes a tag on images, and answers those that have no room for it.
async fn put_tag(client: &Client, images: &[String], key: &str, value: &str) -> Result<Vec<String>, FleetError> {
    let mut batches: Vec<Vec<String>> = images.chunks(BATCH).map(<[String]>::to_vec).collect();
    let mut full = Vec::new();
    while let Some(mut batch) = batches.pop() {
        let request =
            ec2::CreateTagsRequest { resources: batch.clone(), tags: vec![Tag::new(key, value)], ..Default::default() };
        let Err(error) = client.send(request).await else { continue };
        let before = batch.len();
        if error.has_code("TagLimitExceeded") {
            if before == 1 {
                full.append(&mut batch);
            } else {
                batches.push(batch.split_off(before / 2));
                batches.push(batch);
            }
            continue;
        }
        // An image that vanished since the look fails the whole call; the others still get their tag.
        if let Some(refusal) = error.refusal().filter(|refusal| refusal.is_not_found()) {
            batch.retain(|id| !refusal.message.contains(id.as_str()));
        }
        match batch.len() {
            0 => {}
            left if left < before => batches.push(batch),
            _ => return Err(calling(format!("write {key} on {before} images"))(error)),
        }
    }
    Ok(full)
}

/// Reads `LastUsed` back, for a while: what was written shows up with some delay.
async fn verify_last_used(client: &Client, images: &[String], now: Timestamp) -> Result<(), FleetError> {
    for batch in images.chunks(BATCH) {
        let mut missing = batch.to_vec();
        let waited = wait("LastUsed to be read back", READ_BACK, Duration::from_millis(500), async || {
            missing = list_unmarked(client, &missing, now).await?;
            Ok::<_, FleetError>(missing.is_empty().then_some(()))
        });
        match waited.await {
            Err(FleetError::TimedOut(_)) => return Err(FleetError::NotMarked { image: missing.swap_remove(0) }),
            answer => answer?,
        }
    }
    Ok(())
}

/// Those of `images` that are still there, and whose `LastUsed` is neither `now` nor younger: an inventory that began later
/// may have written it meanwhile.
async fn list_unmarked(client: &Client, images: &[String], now: Timestamp) -> Result<Vec<String>, FleetError> {
    let value = instant::write(now);
    let filters = vec![Filter::new("resource-id", images.to_vec()), Filter::new("key", [tags::LAST_USED])];
    let request = ec2::DescribeTagsRequest { filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("read LastUsed back"))?;
    let marks = |text: &str| text == value || instant::read(text).is_ok_and(|time| time.earliest() > now);
    let marked: BTreeSet<String> = pages
        .into_iter()
        .flat_map(|page| page.tags)
        .filter(|tag| tag.value.as_deref().is_some_and(marks))
        .filter_map(|tag| tag.resource_id)
        .collect();
    let missing: Vec<String> = images.iter().filter(|id| !marked.contains(*id)).cloned().collect();
    if missing.is_empty() {
        return Ok(missing);
    }
    let there = list_own_images_where(client, vec![Filter::new("image-id", missing)]).await?;
    Ok(there.into_iter().filter_map(|image| image.image_id).collect())
}
