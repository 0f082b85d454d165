//! The second of the two scheduled jobs: delete the images that nothing uses any more, with their snapshots.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::retention::Lineage;
use ovenbird_core::retention::Policy;
use ovenbird_core::retention::SnapshotFacts;
use ovenbird_core::retention::SnapshotUses;
use ovenbird_core::retention::SnapshotVerdict;
use ovenbird_core::retention::Verdict;
use ovenbird_core::retention::snapshot_verdict;
use ovenbird_core::retention::verdict;
use ovenbird_core::tags;
use serde::Serialize;

use crate::delete::delete_image;
use crate::delete::delete_snapshot;
use crate::delete::second_thoughts;
use crate::error::FleetError;
use crate::error::calling;
use crate::observe::Observation;
use crate::observe::list_own_images;
use crate::observe::observe;

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
    /// Snapshots that stay, with AWS's word.
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
/// # Errors
/// Any call that failed while looking (nothing was deleted then), or while deleting (the report is lost, a second run finishes).
pub async fn cleanup(
    client: &Client,
    now: Timestamp,
    policy: &Policy,
    dry_run: bool,
) -> Result<CleanupReport, FleetError> {
    let seen = observe(client).await?;
    let mut images: Vec<ImageVerdict> = judge(&seen, now, policy);
    // Oldest first, so that a run that is cut short did the most useful part.
    images.sort_by(|a, b| a.name.cmp(&b.name));
    for image in images.iter_mut().filter(|image| image.delete) {
        let why = second_thoughts(client, &image.image, now, policy).await?;
        if !why.is_empty() {
            (image.delete, image.why) = (false, why);
        } else if !dry_run {
            image.deleted = Some(delete_image(client, &image.image).await?);
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

async fn clean_layers(
    client: &Client,
    account: &str,
    gone: &[&str],
    now: Timestamp,
    policy: &Policy,
    dry_run: bool,
) -> Result<Vec<SnapshotOutcome>, FleetError> {
    let layers = list_layers(client).await?;
    // A fresh look: images that a bake registered meanwhile count.
    let mut images = list_own_images(client).await?;
    images.retain(|image| !image.image_id.as_deref().is_some_and(|id| gone.contains(&id)));
    let uses = SnapshotUses {
        account: account.to_owned(),
        images: images.iter().map(|image| lineage(image, &layers)).collect(),
    };
    let mut outcomes = Vec::new();
    for facts in layers {
        let (delete, why) = match snapshot_verdict(&facts, &uses, now, policy) {
            SnapshotVerdict::Keep(reasons) => (false, reasons.iter().map(ToString::to_string).collect()),
            SnapshotVerdict::Delete { .. } => (true, vec!["no image stands on this layer any more".to_owned()]),
        };
        let is_root = uses.images.iter().any(|image| image.snapshots.contains(&facts.id));
        if delete && !dry_run {
            delete_snapshot(client, &facts.id).await?;
        }
        if !is_root {
            outcomes.push(SnapshotOutcome { snapshot: facts.id, why, delete });
        }
    }
    Ok(outcomes)
}

async fn list_layers(client: &Client) -> Result<Vec<SnapshotFacts>, FleetError> {
    let request = ec2::DescribeSnapshotsRequest {
        owner_ids: vec!["self".to_owned()],
        filters: vec![Filter::new("tag-key", [tags::LAYER])],
        ..Default::default()
    };
    let pages = client.send_all(request).await.map_err(calling("list the snapshots of layers"))?;
    let facts = pages.into_iter().flat_map(|page| page.snapshots).map(|snapshot| SnapshotFacts {
        id: snapshot.snapshot_id.unwrap_or_default(),
        owner: snapshot.owner_id.unwrap_or_default(),
        state: snapshot.state.unwrap_or_default(),
        tags: snapshot.tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect(),
        started: snapshot.start_time.map(ovenbird_core::instant::write),
    });
    Ok(facts.collect())
}

/// The layers that an image stands on: its own snapshot's, and from there downwards by the tags.
fn lineage(image: &ec2::Image, layers: &[SnapshotFacts]) -> Lineage {
    let snapshots: Vec<String> =
        image.block_device_mappings.iter().filter_map(|mapping| mapping.ebs.as_ref()?.snapshot_id.clone()).collect();
    let key = |facts: &SnapshotFacts, tag: &str| facts.tags.get(tag).and_then(|text| LayerKey::from_hex(text));
    let mut next: Vec<LayerKey> = layers
        .iter()
        .filter(|facts| snapshots.contains(&facts.id))
        .filter_map(|facts| key(facts, tags::LAYER))
        .collect();
    let mut keys: Vec<LayerKey> = Vec::new();
    while let Some(layer) = next.pop() {
        if keys.contains(&layer) {
            continue;
        }
        keys.push(layer);
        let parents = layers.iter().filter(|facts| key(facts, tags::LAYER) == Some(layer));
        next.extend(parents.filter_map(|facts| key(facts, tags::PARENT)));
    }
    Lineage { image: image.image_id.clone().unwrap_or_default(), snapshots, layers: Some(keys) }
}
