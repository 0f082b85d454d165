//! Promotion on the embedded EC2.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use ovenbird_core::pointer::Pointer;
use ovenbird_core::pointer::Promotion;
use ovenbird_core::pointer::PromotionRefused;
use ovenbird_fleet::FleetError;
use ovenbird_fleet::PointerState;
use ovenbird_fleet::find_pointer;
use ovenbird_fleet::list_pointers;
use ovenbird_fleet::promote;
use ovenbird_fleet::put_pointer;
use support::Lab;
use support::deregister;
use support::picture;
use support::point;
use support::register;
use support::snapshot;

fn environments() -> Vec<String> {
    ["dev", "staging", "prod"].map(str::to_owned).into()
}

async fn ask(lab: &Lab, to: &str, dry_run: bool) -> Result<Promotion, FleetError> {
    promote(&lab.client, "web", &environments(), (None, to), false, dry_run).await
}

async fn state(lab: &Lab, environment: &str) -> Option<PointerState> {
    find_pointer(&lab.client, &Pointer::new("web", environment)).await.expect("read")
}

/// A lab with this many images.
async fn lab_with(count: usize) -> (Lab, Vec<String>) {
    let lab = Lab::start().await;
    let root = snapshot(&lab.client, &[1], &[]).await;
    lab.settle();
    let mut images = Vec::new();
    for number in 0..count {
        images.push(register(&lab.client, &format!("image {number}"), std::slice::from_ref(&root), &[]).await);
    }
    (lab, images)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_image_moves_on_and_remembers_the_way_back() {
    let (lab, images) = lab_with(3).await;
    let dev = Pointer::new("web", "dev");
    for (image, version) in images.iter().zip(1..) {
        assert!(put_pointer(&lab.client, &dev, image).await.expect("put"));
        assert_eq!(state(&lab, "dev").await.expect("there").version, version);
        let promotion = ask(&lab, "staging", false).await.expect("promoted");
        assert_eq!(&promotion.image, image);
    }
    let expected = PointerState { image: images[2].clone(), previous: Some(images[1].clone()), version: 3 };
    assert_eq!(state(&lab, "staging").await, Some(expected.clone()));
    assert_eq!(
        list_pointers(&lab.client).await.expect("listed"),
        [(dev, expected.clone()), (Pointer::new("web", "staging"), expected),]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_it_and_a_repetition_changes_nothing() {
    let (lab, images) = lab_with(1).await;
    put_pointer(&lab.client, &Pointer::new("web", "dev"), &images[0]).await.expect("put");
    let before = picture(&lab).await;
    let dry = ask(&lab, "staging", true).await.expect("allowed");
    assert_eq!(before, picture(&lab).await);
    assert_eq!(dry.to_string(), format!("/ovenbird/web/staging: none -> {}, the image of dev", images[0]));
    assert_eq!(dry, ask(&lab, "staging", false).await.expect("promoted"));
    let before = picture(&lab).await;
    assert!(ask(&lab, "staging", false).await.expect("already").is_done());
    assert_eq!(before, picture(&lab).await, "no version is written for nothing");
    assert!(!put_pointer(&lab.client, &Pointer::new("web", "dev"), &images[0]).await.expect("already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_is_the_last_other_image_however_often_one_was_written() {
    let (lab, images) = lab_with(2).await;
    for image in [&images[0], &images[1], &images[1], &images[1]] {
        point(&lab.client, "/ovenbird/web/prod", image).await;
    }
    let expected = PointerState { image: images[1].clone(), previous: Some(images[0].clone()), version: 4 };
    assert_eq!(state(&lab, "prod").await, Some(expected));
    // Beyond a page of the history.
    for _ in 0..60 {
        point(&lab.client, "/ovenbird/web/prod", &images[1]).await;
    }
    let expected = PointerState { image: images[1].clone(), previous: Some(images[0].clone()), version: 64 };
    assert_eq!(state(&lab, "prod").await, Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_promoted_from_nowhere_or_to_an_image_that_is_gone() {
    let (lab, images) = lab_with(1).await;
    let refused = ask(&lab, "staging", false).await.expect_err("nothing there");
    assert!(matches!(refused, FleetError::Promotion(PromotionRefused::NoSource(_))), "{refused:?}");
    put_pointer(&lab.client, &Pointer::new("web", "dev"), &images[0]).await.expect("put");
    deregister(&lab.client, &images[0]).await;
    let before = picture(&lab).await;
    let refused = ask(&lab, "staging", false).await.expect_err("gone");
    assert!(
        matches!(refused, FleetError::Promotion(PromotionRefused::NotAvailable { state: None, .. })),
        "{refused:?}"
    );
    assert_eq!(before, picture(&lab).await);
}
