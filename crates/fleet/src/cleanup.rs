//! The second of the two scheduled jobs: delete the images that nothing uses any more, with their snapshots.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_core::retention::Policy;
use ovenbird_core::retention::Verdict;
use ovenbird_core::retention::verdict;
use serde::Serialize;

use crate::delete::delete_image;
use crate::delete::second_thoughts;
use crate::error::FleetError;
use crate::layers::clean_layers;
use crate::layers::list_layers;
use crate::layers::wanted_layers;
use crate::observe::Observation;
use crate::observe::observe;
use crate::observe::observe_again;

/// What became of every image, and of every layer's snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct CleanupReport {
    /// Every own image with its verdict.
    pub images: Vec<ImageVerdict>,
    /// Every snapshot of a layer that no image is registered from.
    pub layers: Vec<SnapshotOutcome>,
    /// Nothing was deleted.
    pub dry_run: bool,
}

/// An image, and why it stays or goes.
#[derive(Clone, Debug, Serialize)]
pub struct ImageVerdict {
    /// `ami-…`
    pub image: String,
    /// Its name.
    pub name: String,
    /// A sentence each.
    pub why: Vec<String>,
    /// It goes.
    pub delete: bool,
    /// What was deleted; `None` where it stays, or with `dry_run`.
    pub deleted: Option<Deleted>,
}

/// What went with an image.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Deleted {
    /// Snapshots that went.
    pub snapshots: Vec<String>,
    /// Snapshots that stay, with the reason: what images stand on them, or AWS's word.
    pub kept: Vec<(String, String)>,
}

/// A layer's snapshot, and why it stays or goes.
#[derive(Clone, Debug, Serialize)]
pub struct SnapshotOutcome {
    /// `snap-…`
    pub snapshot: String,
    /// A sentence each.
    pub why: Vec<String>,
    /// It goes (went, unless `dry_run`).
    pub delete: bool,
}

/// Judges every own image and deletes those that must go. Each is looked at again right before it is deleted.
///
/// An image's snapshot that holds a layer which other images stand on stays until they are gone too.
///
/// # Errors
/// Any call that failed while looking (nothing was deleted then), or while deleting (the report is lost, a second run finishes).
pub async fn cleanup(
    client: &Client,
    now: Timestamp,
    policy: &Policy,
    dry_run: bool,
) -> Result<CleanupReport, FleetError> {
    let mut seen = observe(client).await?;
    // Oldest first, so that a run that is cut short did the most useful part.
    seen.images.sort_by(|a, b| (&a.creation_date, &a.name).cmp(&(&b.creation_date, &b.name)));
    let mut images: Vec<ImageVerdict> = judge(&seen, now, policy);
    let layers = if images.iter().any(|image| image.delete) { list_layers(client).await? } else { Vec::new() };
    for image in images.iter_mut().filter(|image| image.delete) {
        let fresh = observe_again(client, &seen, &image.image).await?;
        let why = second_thoughts(client, &fresh, &image.image, now, policy).await?;
        if !why.is_empty() {
            (image.delete, image.why) = (false, why);
        } else if !dry_run {
            image.deleted =
                Some(delete_image(client, &image.image, &wanted_layers(&fresh, &layers, &image.image)).await?);
        }
    }
    let gone: Vec<&str> = images.iter().filter(|image| image.delete).map(|image| image.image.as_str()).collect();
    let layers = clean_layers(client, &seen.account, &gone, now, policy, dry_run).await?;
    Ok(CleanupReport { images, layers, dry_run })
}

pub(crate) fn judge(seen: &Observation, now: Timestamp, policy: &Policy) -> Vec<ImageVerdict> {
    let uses = seen.uses();
    let names: BTreeMap<&str, &str> =
        seen.images.iter().filter_map(|image| Some((image.image_id.as_deref()?, image.name.as_deref()?))).collect();
    let judged = seen.facts().into_iter().map(|facts| {
        let name = names.get(facts.id.as_str()).copied().unwrap_or_default().to_owned();
        let (delete, why) = match verdict(&facts, &uses, now, policy) {
            Verdict::Keep(reasons) => (false, reasons.iter().map(ToString::to_string).collect()),
            Verdict::Delete(grounds) => (true, grounds.iter().map(ToString::to_string).collect()),
        };
        ImageVerdict { image: facts.id, name, why, delete, deleted: None }
    });
    judged.collect()
}
