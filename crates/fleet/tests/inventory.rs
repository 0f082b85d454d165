//! What an inventory and a cleanup cost, and images that make the writing of tags hard.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_core::retention::Policy;
use ovenbird_fleet::FleetError;
use ovenbird_fleet::cleanup;
use ovenbird_fleet::inventory;
use support::ACCOUNT;
use support::DAY;
use support::Lab;
use support::deregister;
use support::images;
use support::launch;
use support::point;
use support::proxy::Proxy;
use support::register;
use support::snapshot;
use support::tag_of;
use support::text;

/// A lab with a snapshot, and a client that a proxy listens to.
async fn lab() -> (Lab, String, Proxy, Client) {
    let lab = Lab::start().await;
    let root = snapshot(&lab.client, &[1], &[]).await;
    lab.settle();
    let proxy = Proxy::start(&lab.url);
    let client = lab.client_of(ACCOUNT, &proxy.url).await;
    proxy.arm(None);
    (lab, root, proxy, client)
}

fn count(proxy: &Proxy) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for action in proxy.actions() {
        *counts.entry(action).or_default() += 1;
    }
    proxy.arm(None);
    counts
}

fn doomed_tags(now: Timestamp) -> [(&'static str, String); 3] {
    let used = text(now - SignedDuration::from_hours(24 * 8));
    [("AutoCleanup", "true".to_owned()), ("LastUsed", used), ("LastUsedRuntime", text(now))]
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_follow_pages_and_pointers_not_images() {
    let (lab, root, proxy, client) = lab().await;
    let now = lab.at(10 * DAY);
    let mut made = Vec::new();
    for number in 0..450 {
        made.push(register(&lab.client, &format!("image {number}"), std::slice::from_ref(&root), &[]).await);
    }
    for (number, image) in made.iter().take(3).enumerate() {
        point(&lab.client, &format!("/ovenbird/web/env-{number}"), image).await;
    }
    launch(&lab, &made[3], "running").await;
    let report = inventory(&client, now, false).await.expect("inventoried");
    assert_eq!((report.images.len(), report.in_use.len()), (450, 4));
    let expected = BTreeMap::from([
        ("GetCallerIdentity", 1),
        ("DescribeImages", 1),
        ("DescribeInstances", 1),
        ("GetParametersByPath", 1),
        // One for each pointer: the way back is in its history alone.
        ("GetParameterHistory", 3),
        // LastUsed on the 4 that are used; LastUsedRuntime on all, 200 at a time.
        ("CreateTags", 1 + 3),
        ("DescribeTags", 1),
    ]);
    assert_eq!(count(&proxy), expected.into_iter().map(|(action, times)| (action.to_owned(), times)).collect());

    // Each candidate costs a few more, whatever there is besides: the histories of pointers that stand are not read again.
    cleanup(&client, now, &Policy::default(), true).await.expect("looked");
    let without: usize = count(&proxy).values().sum();
    for number in 0..2 {
        let tags = doomed_tags(now);
        let tags = tags.each_ref().map(|(key, value)| (*key, value.as_str()));
        register(&lab.client, &format!("doomed {number}"), std::slice::from_ref(&root), &tags).await;
    }
    let report = cleanup(&client, now, &Policy::default(), false).await.expect("cleaned");
    assert_eq!(report.images.iter().filter(|image| image.delete).count(), 2);
    let with = count(&proxy);
    // The layers, once; for each: images, instances, pointers, shares, the deletion.
    assert_eq!(with.values().sum::<usize>(), without + 1 + 2 * 5, "{with:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_services_of_aws_run_hold_their_image() {
    let (lab, root, proxy, client) = lab().await;
    let now = lab.at(10 * DAY);
    let tags = doomed_tags(now);
    let tags = tags.each_ref().map(|(key, value)| (*key, value.as_str()));
    let image = register(&lab.client, "managed", &[root], &tags).await;
    launch(&lab, &image, "running").await;
    proxy.hide_instances();
    let cleaned = cleanup(&client, now, &Policy::default(), false).await.expect("cleaned");
    assert!(cleaned.images.iter().all(|image| !image.delete), "{:?}", cleaned.images);
    inventory(&client, now, false).await.expect("inventoried");
    assert_eq!(tag_of(&images(&lab.client).await[&image], "LastUsed"), Some(text(now).as_str()));
}

/// An image that has as many tags as one may have.
async fn full_image(lab: &Lab, name: &str, root: &str) -> String {
    let image = register(&lab.client, name, &[root.to_owned()], &[]).await;
    let tags = (0..50).map(|number| ec2::Tag::new(format!("key {number}"), "value")).collect();
    let request = ec2::CreateTagsRequest { resources: vec![image.clone()], tags, ..Default::default() };
    lab.client.send(request).await.expect("tagged");
    image
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_without_room_for_a_tag_does_not_keep_the_others_from_theirs() {
    let (lab, root, _proxy, _) = lab().await;
    let now = lab.at(DAY);
    let full = full_image(&lab, "full", &root).await;
    for number in 0..5 {
        register(&lab.client, &format!("image {number}"), std::slice::from_ref(&root), &[]).await;
    }
    let report = inventory(&lab.client, now, false).await.expect("inventoried");
    assert_eq!(report.untaggable, std::slice::from_ref(&full));
    for (id, image) in images(&lab.client).await {
        let expected = (id != full).then(|| text(now));
        assert_eq!(tag_of(&image, "LastUsedRuntime"), expected.as_deref(), "{id}");
    }

    // If it is in use, nothing may be committed at all.
    launch(&lab, &full, "running").await;
    let error = inventory(&lab.client, now + SignedDuration::from_mins(20), false).await.expect_err("cannot be marked");
    assert!(matches!(&error, FleetError::NoRoom { image } if *image == full), "{error:?}");
    let images = images(&lab.client).await;
    assert!(images.values().all(|image| tag_of(image, "LastUsedRuntime").is_none_or(|value| value == text(now))));
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_vanish_meanwhile_do_not_keep_the_others_from_their_tags() {
    let (lab, root, proxy, client) = lab().await;
    let now = lab.at(DAY);
    let mut made = Vec::new();
    for number in 0..6 {
        made.push(register(&lab.client, &format!("image {number}"), std::slice::from_ref(&root), &[]).await);
    }
    for (number, image) in made.iter().take(4).enumerate() {
        point(&lab.client, &format!("/ovenbird/web/env-{number}"), image).await;
    }
    // Used ones go before LastUsed is written and before it is read back; an unused one before LastUsedRuntime is.
    for (gone, action, nth) in [(0, "CreateTags", 0), (1, "DescribeTags", 0), (5, "CreateTags", 1)] {
        let (runtime, direct, image) = (tokio::runtime::Handle::current(), lab.client.clone(), made[gone].clone());
        proxy.happen_before(action, nth, move || runtime.block_on(deregister(&direct, &image)));
        let now = now + SignedDuration::from_mins(i64::try_from(gone).expect("small"));
        inventory(&client, now, false).await.expect("inventoried");
        let images = images(&lab.client).await;
        assert!(!images.contains_key(&made[gone]), "it went");
        for (id, image) in &images {
            assert_eq!(tag_of(image, "LastUsedRuntime"), Some(text(now).as_str()), "{id}");
        }
        for used in made[..4].iter().filter_map(|id| images.get(id)) {
            assert_eq!(tag_of(used, "LastUsed"), Some(text(now).as_str()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_does_not_last_is_no_mark() {
    let (lab, root, proxy, client) = lab().await;
    let now = lab.at(DAY);
    let image = register(&lab.client, "image", &[root], &[]).await;
    point(&lab.client, "/ovenbird/web/dev", &image).await;
    // A younger inventory got in between: that is as good.
    let (runtime, direct, id) = (tokio::runtime::Handle::current(), lab.client.clone(), image.clone());
    let younger = text(now + SignedDuration::from_mins(1));
    proxy.happen_before("DescribeTags", 0, move || runtime.block_on(support::tag(&direct, &id, "LastUsed", &younger)));
    inventory(&client, now, false).await.expect("inventoried");

    // Somebody's script put an old value back: that is not.
    let now = now + SignedDuration::from_mins(20);
    let (runtime, direct, id) = (tokio::runtime::Handle::current(), lab.client.clone(), image.clone());
    let older = text(now - SignedDuration::from_mins(5));
    proxy.happen_before("DescribeTags", 0, move || runtime.block_on(support::tag(&direct, &id, "LastUsed", &older)));
    let error = inventory(&client, now, false).await.expect_err("not marked");
    assert!(matches!(&error, FleetError::NotMarked { image: unmarked } if *unmarked == image), "{error:?}");
    let images = images(&lab.client).await;
    assert_ne!(tag_of(&images[&image], "LastUsedRuntime"), Some(text(now).as_str()), "nothing was committed");
}
