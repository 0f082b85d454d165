//! Random worlds: inventory and cleanup against a simple model of the article's contract and of everything that may veto.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;
mod world;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::ec2;
use ovenbird_core::retention::Policy;
use ovenbird_fleet::CleanupReport;
use ovenbird_fleet::cleanup;
use ovenbird_fleet::inventory;
use support::DAY;
use support::Lab;
use support::images;
use support::picture;
use support::snapshots;
use support::tag_of;
use support::text;
use world::World;
use world::model;

/// What is there, read by the test itself.
struct Before {
    images: BTreeMap<String, ec2::Image>,
    snapshots: BTreeSet<String>,
}

async fn look(lab: &Lab) -> Before {
    Before { images: images(&lab.client).await, snapshots: snapshots(&lab.client).await.into_keys().collect() }
}

/// Runs an inventory and a cleanup, each first dry, and compares every image, snapshot, tag and block with the model.
async fn round(lab: &Lab, world: &World, inventoried: Timestamp, cleaned: Timestamp, place: &str) -> usize {
    let client = &lab.client;
    verify_inventory(lab, world, inventoried, place).await;

    let before = look(lab).await;
    let model = model::Model::new(world, &before.images, cleaned);
    let drawn = picture(lab).await;
    let dry = cleanup(client, cleaned, &Policy::default(), true).await.expect("looked");
    assert_eq!(drawn, picture(lab).await, "{place}: a dry cleanup changed something");
    let report = cleanup(client, cleaned, &Policy::default(), false).await.expect("cleaned");
    assert_eq!(deleted(&dry), deleted(&report), "{place}: the dry run saw it otherwise");
    // A snapshot that goes with its image in the dry run may go after it in the real one: other images that went stood on it.
    let with_images: BTreeSet<String> =
        deleted(&report).iter().flat_map(|image| model::roots(&before.images[image])).collect();
    let (dry, real) = (told_layers(&dry), told_layers(&report));
    assert!(dry.is_subset(&real), "{place}: the dry run told of other layers");
    let more = |(snapshot, goes): &&(String, bool)| *goes && with_images.contains(snapshot);
    assert!(real.difference(&dry).all(|told| more(&told)), "{place}: the dry run told of fewer layers");

    let after = look(lab).await;
    for (image, why) in model.living() {
        assert!(after.images.contains_key(&image), "{place}: {image} is gone, and {why}");
    }
    let gone: BTreeSet<String> = before.images.keys().filter(|id| !after.images.contains_key(*id)).cloned().collect();
    assert_eq!(gone, model.doomed(), "{place}");
    assert_eq!(gone, deleted(&report), "{place}: the report says otherwise");
    let expected = model.snapshots_left(&before.snapshots, &before.images, lab.at(0));
    assert_eq!(after.snapshots, expected, "{place}: snapshots");
    assert_eq!(lab.blocks(), world.count_blocks(&after.snapshots), "{place}: blocks");
    let told: BTreeSet<String> = report.images.iter().map(|image| image.image.clone()).collect();
    assert_eq!(told, before.images.keys().cloned().collect(), "{place}: every image has a verdict");
    assert!(report.images.iter().all(|image| !image.why.is_empty()), "{place}: and every verdict its reasons");

    let drawn = picture(lab).await;
    let again = cleanup(client, cleaned, &Policy::default(), false).await.expect("cleaned");
    assert_eq!(
        (deleted(&again), drawn),
        (BTreeSet::new(), picture(lab).await),
        "{place}: a second cleanup finds nothing"
    );
    gone.len()
}

async fn verify_inventory(lab: &Lab, world: &World, now: Timestamp, place: &str) {
    let before = look(lab).await;
    let drawn = picture(lab).await;
    let dry = inventory(&lab.client, now, true).await.expect("looked");
    assert_eq!(drawn, picture(lab).await, "{place}: a dry inventory changed something");
    let report = inventory(&lab.client, now, false).await.expect("inventoried");
    assert_eq!(dry.in_use, report.in_use, "{place}");
    let used = world.used(&before.images);
    assert_eq!(report.in_use.iter().map(|used| used.image.clone()).collect::<BTreeSet<_>>(), used, "{place}");

    let after = look(lab).await;
    let expect = |image: &ec2::Image, key: &str, writes: bool| {
        let old = tag_of(image, key).map(str::to_owned);
        let is_younger = old.as_deref().and_then(model::latest).is_some_and(|latest| latest > now);
        if writes && !is_younger { Some(text(now)) } else { old }
    };
    for (id, image) in &before.images {
        let is = |key| tag_of(&after.images[id], key).map(str::to_owned);
        assert_eq!(is("LastUsed"), expect(image, "LastUsed", used.contains(id)), "{place}: LastUsed of {id}");
        assert_eq!(is("LastUsedRuntime"), expect(image, "LastUsedRuntime", true), "{place}: LastUsedRuntime of {id}");
    }

    let drawn = picture(lab).await;
    inventory(&lab.client, now - SignedDuration::from_hours(20), false).await.expect("inventoried");
    assert_eq!(drawn, picture(lab).await, "{place}: an older inventory lowered something");
}

fn deleted(report: &CleanupReport) -> BTreeSet<String> {
    report.images.iter().filter(|image| image.delete).map(|image| image.image.clone()).collect()
}

fn told_layers(report: &CleanupReport) -> BTreeSet<(String, bool)> {
    report.layers.iter().map(|layer| (layer.snapshot.clone(), layer.delete)).collect()
}

/// One world, three times: as it was made; a month later after some life went on in it; and once too late after an inventory.
async fn live(seed: u64) {
    let lab = Lab::start().await;
    let mut world = World::make(&lab, seed).await;
    let hours = |days: i64, hours: i64| lab.at(days * DAY + hours * 3600);
    let place = |when: &str| format!("seed {seed}, {when}");
    // Everything was registered today, so nothing is old enough tomorrow.
    let now = hours(1, 0);
    assert_eq!(round(&lab, &world, now, now, &place("tomorrow")).await, 0);
    let now = hours(10, 0);
    world.stamp(&lab, now).await;
    let gone = round(&lab, &world, now, now, &place("in ten days")).await;
    assert!(gone > 0, "seed {seed}: a world without any deletion proves little");
    world.live_on(&lab).await;
    let (now, late) = (hours(40, 0), hours(40, 1));
    assert_eq!(round(&lab, &world, now, late, &place("an hour after the inventory")).await, 0);
    let now = hours(41, 0);
    let gone = round(&lab, &world, now, now + SignedDuration::from_secs(3599), &place("a second earlier")).await;
    assert!(gone > 0, "seed {seed}: a world without any deletion proves little");
    world.verify_others(&lab).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world() {
    live(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_world() {
    live(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_world() {
    live(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fourth_world() {
    live(4).await;
}
