//! Snapshots of layers stay as long as an image, or a bake, stands on them.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use ovenbird_core::block::Digest;
use ovenbird_core::retention::Policy;
use ovenbird_fleet::CleanupReport;
use ovenbird_fleet::cleanup;
use support::DAY;
use support::Lab;
use support::copy;
use support::deregister;
use support::register;
use support::snapshot;
use support::snapshots;
use support::start_snapshot;
use support::text;

fn key(name: &str) -> String {
    Digest::of(name.as_bytes()).hex()
}

/// A layer's tags: its own key and the one below.
async fn layer(lab: &Lab, name: &str, below: Option<&str>) -> String {
    let (own, below) = (key(name), below.map(key));
    let mut tags = vec![("ovenbird:layer", own.as_str())];
    tags.extend(below.iter().map(|below| ("ovenbird:parent", below.as_str())));
    let id = snapshot(&lab.client, &[1], &tags).await;
    lab.settle();
    id
}

async fn clean(lab: &Lab) -> (CleanupReport, BTreeSet<String>) {
    let report = cleanup(&lab.client, lab.at(10 * DAY), &Policy::default(), false).await.expect("cleaned");
    (report, snapshots(&lab.client).await.into_keys().collect())
}

/// An image that cleanup takes.
async fn doomed(lab: &Lab, name: &str, root: &str) -> String {
    let now = lab.at(10 * DAY);
    let (used, observed) = (text(now - SignedDuration::from_hours(24 * 8)), text(now));
    let tags = [("AutoCleanup", "true"), ("LastUsed", used.as_str()), ("LastUsedRuntime", observed.as_str())];
    register(&lab.client, name, &[root.to_owned()], &tags).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_bake_at_work_keep_the_layers_below() {
    let lab = Lab::start().await;
    let common = layer(&lab, "common", None).await;
    let web = layer(&lab, "web", Some("common")).await;
    let other = layer(&lab, "other", None).await;
    let image = register(&lab.client, "web", std::slice::from_ref(&web), &[("ovenbird:key", &key("web"))]).await;
    copy(&lab.client, &image, "web copied", true).await;
    lab.settle();
    deregister(&lab.client, &image).await;
    let tags = [("ovenbird:layer", key("new")), ("ovenbird:parent", key("other"))];
    let tags = tags.each_ref().map(|(key, value)| (*key, value.as_str()));
    let pending = start_snapshot(&lab.client, &[2], &tags).await;

    let (report, left) = clean(&lab).await;
    let why =
        |snapshot: &str| report.layers.iter().find(|told| told.snapshot == snapshot).expect("told").why.join("; ");
    assert!(left.is_superset(&[common, web, other.clone(), pending.clone()].into()), "{report:#?}");
    assert_eq!(why(&other), format!("{pending} was baked on this layer"));
    assert!(why(&pending).contains("its state is pending"), "{}", why(&pending));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_leaves_behind_the_layer_that_others_stand_on() {
    let lab = Lab::start().await;
    let common = layer(&lab, "common", None).await;
    let web = layer(&lab, "web", Some("common")).await;
    let (base, user) =
        (doomed(&lab, "base", &common).await, register(&lab.client, "web", std::slice::from_ref(&web), &[]).await);

    let (report, left) = clean(&lab).await;
    let verdict = report.images.iter().find(|verdict| verdict.image == base).expect("judged");
    let deleted = verdict.deleted.as_ref().expect("deleted");
    assert_eq!(deleted.kept, [(common.clone(), format!("{user} was baked on this layer"))]);
    assert!(deleted.snapshots.is_empty());
    assert_eq!(left, [common.clone(), web.clone()].into());

    deregister(&lab.client, &user).await;
    let (report, left) = clean(&lab).await;
    assert!(report.layers.iter().all(|told| told.delete) && report.layers.len() == 2, "{report:#?}");
    assert_eq!((left, lab.blocks()), (BTreeSet::new(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_with_more_than_its_layer_takes_all_its_snapshots_along() {
    let lab = Lab::start().await;
    let common = layer(&lab, "common", None).await;
    let web = layer(&lab, "web", Some("common")).await;
    let data = snapshot(&lab.client, &[5], &[]).await;
    lab.settle();
    register(&lab.client, "web", std::slice::from_ref(&web), &[]).await;
    let now = lab.at(10 * DAY);
    let (used, observed) = (text(now - SignedDuration::from_hours(24 * 8)), text(now));
    let tags = [("AutoCleanup", "true"), ("LastUsed", used.as_str()), ("LastUsedRuntime", observed.as_str())];
    register(&lab.client, "base", &[common, data], &tags).await;
    let (_, left) = clean(&lab).await;
    assert_eq!(left, [web].into(), "nothing is left that belongs to nothing");
}
