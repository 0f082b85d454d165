//! Snapshots that hold layers: the bake's cache, kept while any image stands on them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::retention::Lineage;
use ovenbird_core::retention::Policy;
use ovenbird_core::retention::SnapshotFacts;
use ovenbird_core::retention::SnapshotReason;
use ovenbird_core::retention::SnapshotUses;
use ovenbird_core::retention::SnapshotVerdict;
use ovenbird_core::retention::snapshot_verdict;
use ovenbird_core::tags;

use crate::cleanup::SnapshotOutcome;
use crate::delete::delete_snapshot;
use crate::error::FleetError;
use crate::error::calling;
use crate::observe::Observation;
use crate::observe::PAGE;
use crate::observe::list_own_images;

/// Deletes the snapshots of layers that no image stands on; `gone` are the images that were just deleted, or would be.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn clean_layers(
    client: &Client,
    account: &str,
    gone: &[&str],
    now: Timestamp,
    policy: &Policy,
    dry_run: bool,
) -> Result<Vec<SnapshotOutcome>, FleetError> {
    let layers = list_layers(client).await?;
    // A fresh look, after that at the layers: images that a bake registered meanwhile count.
    let images = list_own_images(client).await?;
    let is_gone = |image: &ec2::Image| image.image_id.as_deref().is_some_and(|id| gone.contains(&id));
    let (going, staying): (Vec<&ec2::Image>, Vec<&ec2::Image>) = images.iter().partition(|image| is_gone(image));
    let images = staying.into_iter().map(|image| lineage(image, &layers)).chain(list_bakes(&layers)).collect();
    let uses = SnapshotUses { account: account.to_owned(), images };
    let mut outcomes = Vec::new();
    for facts in &layers {
        let reasons = match snapshot_verdict(facts, &uses, now, policy) {
            SnapshotVerdict::Keep(reasons) => reasons,
            SnapshotVerdict::Delete { .. } => Vec::new(),
        };
        let is_ancestor = reasons.iter().any(|reason| matches!(reason, SnapshotReason::Ancestor { .. }));
        let is_root = reasons.iter().any(|reason| matches!(reason, SnapshotReason::Root { .. }));
        let goes_with_image = dry_run && !is_ancestor && going.iter().any(|image| roots(image).contains(&facts.id));
        if is_root || goes_with_image {
            continue;
        }
        let delete = reasons.is_empty() && (dry_run || delete_snapshot(client, &facts.id).await?);
        let why = match (delete, reasons.is_empty()) {
            (true, _) => vec!["no image stands on this layer any more".to_owned()],
            (false, true) => vec!["an image was registered from it just now".to_owned()],
            (false, false) => reasons.iter().map(ToString::to_string).collect(),
        };
        outcomes.push(SnapshotOutcome { snapshot: facts.id.clone(), why, delete });
    }
    Ok(outcomes)
}

/// Every snapshot of this account that is tagged as a layer.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn list_layers(client: &Client) -> Result<Vec<SnapshotFacts>, FleetError> {
    let request = ec2::DescribeSnapshotsRequest {
        owner_ids: vec!["self".to_owned()],
        filters: vec![Filter::new("tag-key", [tags::LAYER])],
        max_results: Some(PAGE),
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

/// `image`'s own snapshots, each with another image that stands on the layer it holds. Empty unless that is true of all of
/// them: they go in one call with the image, or none does, so that a crash never leaves one that belongs to nothing.
pub(crate) fn wanted_layers(seen: &Observation, layers: &[SnapshotFacts], image: &str) -> BTreeMap<String, String> {
    let is_it = |other: &&ec2::Image| other.image_id.as_deref() == Some(image);
    let Some(own) = seen.images.iter().find(is_it).map(roots) else { return BTreeMap::new() };
    let others: Vec<Lineage> =
        seen.images.iter().filter(|other| !is_it(other)).map(|other| lineage(other, layers)).collect();
    let wanted = layers.iter().filter(|facts| own.contains(&facts.id)).filter_map(|facts| {
        let key = find_key(facts, tags::LAYER)?;
        let stands = |other: &&Lineage| other.layers.as_ref().is_none_or(|layers| layers.contains(&key));
        Some((facts.id.clone(), others.iter().find(stands)?.image.clone()))
    });
    let wanted: BTreeMap<String, String> = wanted.collect();
    if wanted.len() == own.len() { wanted } else { BTreeMap::new() }
}

fn find_key(facts: &SnapshotFacts, tag: &str) -> Option<LayerKey> {
    facts.tags.get(tag).and_then(|text| LayerKey::from_hex(text))
}

/// The image's snapshots.
fn roots(image: &ec2::Image) -> Vec<String> {
    let snapshots = image.block_device_mappings.iter().filter_map(|mapping| mapping.ebs.as_ref()?.snapshot_id.clone());
    let distinct: BTreeSet<String> = snapshots.collect();
    distinct.into_iter().collect()
}

/// The layers that an image stands on: its own snapshot's and the one its key names (a copy's snapshot has no tags), and
/// from there downwards by the tags.
fn lineage(image: &ec2::Image, layers: &[SnapshotFacts]) -> Lineage {
    let snapshots = roots(image);
    let own =
        layers.iter().filter(|facts| snapshots.contains(&facts.id)).filter_map(|facts| find_key(facts, tags::LAYER));
    let named = ec2::Tag::find(&image.tags, tags::KEY).and_then(LayerKey::from_hex);
    let keys = chain(own.chain(named).collect(), layers);
    Lineage { image: image.image_id.clone().unwrap_or_default(), snapshots, layers: Some(keys) }
}

/// Bakes that are at work: each writes a pending snapshot, which stands on layers as an image does.
fn list_bakes(layers: &[SnapshotFacts]) -> impl Iterator<Item = Lineage> {
    layers.iter().filter(|facts| facts.state == "pending").map(|facts| Lineage {
        image: facts.id.clone(),
        snapshots: Vec::new(),
        layers: Some(chain(find_key(facts, tags::PARENT).into_iter().collect(), layers)),
    })
}

/// `next` and all layers below them.
fn chain(mut next: Vec<LayerKey>, layers: &[SnapshotFacts]) -> Vec<LayerKey> {
    let mut keys: Vec<LayerKey> = Vec::new();
    while let Some(layer) = next.pop() {
        if keys.contains(&layer) {
            continue;
        }
        keys.push(layer);
        let same = layers.iter().filter(|facts| find_key(facts, tags::LAYER) == Some(layer));
        next.extend(same.filter_map(|facts| find_key(facts, tags::PARENT)));
    }
    keys
}
