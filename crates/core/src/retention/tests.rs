use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::block::Digest;
use crate::layer::LayerKey;

const ACCOUNT: &str = "123456789012";

fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().expect("a test's own instant")
}

fn before(duration: SignedDuration) -> String {
    now().saturating_sub(duration).expect("in range").to_string()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// An image that the contract lets go.
fn aged() -> ImageFacts {
    ImageFacts {
        id: "ami-1".to_owned(),
        owner: ACCOUNT.to_owned(),
        state: "available".to_owned(),
        tags: [
            (tags::AUTO_CLEANUP.to_owned(), "true".to_owned()),
            (tags::LAST_USED.to_owned(), before(hours(24 * 8))),
            (tags::LAST_USED_RUNTIME.to_owned(), before(SignedDuration::from_mins(20))),
        ]
        .into(),
        created: Some(before(hours(24 * 30))),
        ..ImageFacts::default()
    }
}

fn nobody() -> Uses {
    Uses { account: ACCOUNT.to_owned(), ..Uses::default() }
}

fn decide(image: &ImageFacts, uses: &Uses) -> Verdict {
    verdict(image, uses, now(), &Policy::default())
}

fn kept_because(image: &ImageFacts, uses: &Uses) -> Vec<String> {
    match decide(image, uses) {
        Verdict::Keep(reasons) => reasons.iter().map(ToString::to_string).collect(),
        Verdict::Delete(grounds) => panic!("deleted: {grounds:?}"),
    }
}

fn with_tag(key: &str, value: &str) -> ImageFacts {
    let mut image = aged();
    image.tags.insert(key.to_owned(), value.to_owned());
    image
}

fn without_tag(key: &str) -> ImageFacts {
    let mut image = aged();
    image.tags.remove(key);
    image
}

#[test]
fn an_aged_image_goes_and_the_grounds_are_said() {
    let Verdict::Delete(grounds) = decide(&aged(), &nobody()) else { panic!("kept") };
    let said: Vec<String> = grounds.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "AutoCleanup is true",
            "unused for 8 d; the limit is 7 d",
            "a complete inventory began 20 min ago; the limit is 1 h",
        ]
    );
}

#[test]
fn the_limits_are_strict() {
    let used = |ago| decide(&with_tag(tags::LAST_USED, &before(ago)), &nobody()).is_delete();
    assert!(!used(hours(24 * 7)));
    assert!(used(hours(24 * 7) + SignedDuration::from_nanos(1)));
    let observed = |ago| decide(&with_tag(tags::LAST_USED_RUNTIME, &before(ago)), &nobody()).is_delete();
    assert!(!observed(hours(1)));
    assert!(observed(hours(1) - SignedDuration::from_nanos(1)));
}

#[test]
fn auto_cleanup_is_exactly_true() {
    for value in ["True", "TRUE", "yes", "1", "", " true", "true "] {
        assert!(!decide(&with_tag(tags::AUTO_CLEANUP, value), &nobody()).is_delete(), "{value:?}");
    }
    assert_eq!(
        kept_because(&with_tag(tags::AUTO_CLEANUP, "True"), &nobody()),
        ["its tag is AutoCleanup=True; only AutoCleanup=true, spelled exactly so, allows deletion"]
    );
    let mut image = without_tag(tags::AUTO_CLEANUP);
    image.tags.insert("autocleanup".to_owned(), "true".to_owned());
    assert!(kept_because(&image, &nobody())[0].starts_with("its tag is autocleanup=true;"));
    assert_eq!(kept_because(&without_tag(tags::AUTO_CLEANUP), &nobody()), ["it has no tag AutoCleanup=true"]);
}

#[test]
fn a_naive_time_must_be_older_by_the_widest_offset() {
    let naive = |ago| {
        let text = before(ago).replace('T', " ").replace('Z', "");
        decide(&with_tag(tags::LAST_USED, &text), &nobody()).is_delete()
    };
    assert!(!naive(hours(24 * 7 + 14)));
    assert!(naive(hours(24 * 7 + 15)));
    // Freshness cannot be proved by a time whose offset is unknown.
    let text = before(SignedDuration::from_mins(5)).replace('T', " ").replace('Z', "");
    assert!(
        kept_because(&with_tag(tags::LAST_USED_RUNTIME, &text), &nobody())[0]
            .starts_with("the last complete inventory began 14 h")
    );
}

#[test]
fn times_in_the_future_or_unreadable_veto() {
    let ahead = |minutes: i64| before(SignedDuration::from_mins(-minutes));
    for key in [tags::LAST_USED, tags::LAST_USED_RUNTIME] {
        assert_eq!(kept_because(&with_tag(key, &ahead(3)), &nobody()), [format!("its {key} lies 3 min in the future")]);
        assert_eq!(
            kept_because(&with_tag(key, "soon"), &nobody()),
            [format!("its {key} `soon` is no time that can be read")]
        );
        assert_eq!(
            kept_because(&without_tag(key), &nobody()),
            [format!("it has no {key}, and absence is no evidence")]
        );
    }
    assert!(decide(&with_tag(tags::LAST_USED_RUNTIME, &ahead(1)), &nobody()).is_delete(), "within the skew");
}

#[test]
fn creation_and_last_launch_count_as_use() {
    let three_days = before(hours(3 * 24 + 4));
    let copied = ImageFacts { created: Some(three_days.clone()), ..aged() };
    assert_eq!(kept_because(&copied, &nobody()), ["CreationDate is 3 d 4 h ago; the limit is 7 d"]);
    let launched = ImageFacts { last_launched: Some(three_days.clone()), ..aged() };
    assert_eq!(kept_because(&launched, &nobody()), ["LastLaunchedTime is 3 d 4 h ago; the limit is 7 d"]);
    assert_eq!(
        kept_because(&with_tag(tags::LAST_USED, &three_days), &nobody()),
        ["LastUsed is 3 d 4 h ago; the limit is 7 d"]
    );
    assert!(!decide(&ImageFacts { created: None, ..aged() }, &nobody()).is_delete());
    assert!(!decide(&ImageFacts { last_launched: Some("?".to_owned()), ..aged() }, &nobody()).is_delete());
}

#[test]
fn every_veto_alone_keeps() {
    let cases = [
        (ImageFacts { owner: "999999999999".to_owned(), ..aged() }, "account 999999999999 owns it"),
        (ImageFacts { owner: String::new(), ..aged() }, "its owner is not known"),
        (ImageFacts { state: "pending".to_owned(), ..aged() }, "its state is pending, not available"),
        (ImageFacts { protected: true, ..aged() }, "it is protected from deregistration"),
        (ImageFacts { public: true, ..aged() }, "it is public"),
        (ImageFacts { shared_with: vec!["999999999999".to_owned()], ..aged() }, "it is shared with 999999999999"),
    ];
    for (image, sentence) in cases {
        assert_eq!(kept_because(&image, &nobody()), [sentence]);
    }
    // An empty account on both sides must not count as the same one.
    assert!(!decide(&ImageFacts { owner: String::new(), ..aged() }, &Uses::default()).is_delete());
}

#[test]
fn every_use_alone_keeps() {
    let instance = |state: &str| Uses {
        instances: vec![InstanceUse { id: "i-1".to_owned(), state: state.to_owned(), image: "ami-1".to_owned() }],
        ..nobody()
    };
    for state in ["pending", "running", "shutting-down", "stopping", "stopped", "some-new-state"] {
        assert_eq!(kept_because(&aged(), &instance(state)), [format!("instance i-1 ({state}) uses it")]);
    }
    assert!(decide(&aged(), &instance("terminated")).is_delete());

    let pointers = |current: &str, previous: Option<&str>| {
        vec![PointerUse {
            parameter: "/ovenbird/web/prod".to_owned(),
            current: current.to_owned(),
            previous: previous.map(ToOwned::to_owned),
        }]
    };
    let pointed = Uses { pointers: pointers("ami-1", None), ..nobody() };
    assert_eq!(kept_because(&aged(), &pointed), ["/ovenbird/web/prod points at it"]);
    let rollback = Uses { pointers: pointers("ami-2", Some("ami-1")), ..nobody() };
    assert_eq!(kept_because(&aged(), &rollback), ["/ovenbird/web/prod would roll back to it"]);

    let descent =
        |child: &str, parent: &str, pending| Descent { child: child.to_owned(), parent: parent.to_owned(), pending };
    let pending = Uses { descents: vec![descent("ami-2", "ami-1", true)], ..nobody() };
    assert_eq!(kept_because(&aged(), &pending), ["ami-2, which is being made, comes from it"]);
    let grandparent = Uses {
        pointers: pointers("ami-3", None),
        descents: vec![descent("ami-3", "ami-2", false), descent("ami-2", "ami-1", false)],
        ..nobody()
    };
    assert_eq!(kept_because(&aged(), &grandparent), ["ami-3, which /ovenbird/web/prod names, comes from it"]);
    let circle =
        Uses { descents: vec![descent("ami-2", "ami-1", false), descent("ami-1", "ami-2", false)], ..nobody() };
    assert!(decide(&aged(), &circle).is_delete(), "an unpointed child does not keep its parent");
}

fn an_image() -> impl Strategy<Value = String> {
    "ami-[1-3]"
}

fn a_time() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (-10_i64..30 * 24 * 60).prop_map(|minutes: i64| before(SignedDuration::from_mins(minutes))),
        1 => (0_i64..30 * 24).prop_map(|ago| before(hours(ago)).replace('T', " ").replace('Z', "")),
        1 => Just("never".to_owned()),
    ]
}

prop_compose! {
    fn any_image()(
        id in an_image(),
        marked in prop_oneof![9 => Just(Some("true".to_owned())), 1 => option::of("true|True|no")],
        used in prop_oneof![3 => Just(Some(before(hours(24 * 9)))), 1 => option::of(a_time())],
        observed in prop_oneof![3 => Just(Some(before(hours(0)))), 1 => option::of(a_time())],
        created in prop_oneof![3 => Just(Some(before(hours(24 * 9)))), 1 => option::of(a_time())],
        last_launched in prop_oneof![3 => Just(None), 1 => option::of(a_time())],
        owner in prop_oneof![9 => Just(ACCOUNT.to_owned()), 1 => "[0-9]{0,12}"],
        state in prop_oneof![9 => Just("available".to_owned()), 1 => "pending|failed|disabled"],
        protected in prop::bool::weighted(0.1),
        public in prop::bool::weighted(0.1),
        shared_with in vec("[0-9]{12}", 0..2),
    ) -> ImageFacts {
        let keys = [(tags::AUTO_CLEANUP, marked), (tags::LAST_USED, used), (tags::LAST_USED_RUNTIME, observed)];
        let tags = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
        ImageFacts { id, owner, state, tags, created, last_launched, protected, public, shared_with }
    }
}

fn any_instance() -> impl Strategy<Value = InstanceUse> {
    ("i-[0-9]", "running|stopped|terminated", an_image()).prop_map(|(id, state, image)| InstanceUse {
        id,
        state,
        image,
    })
}

fn any_pointer() -> impl Strategy<Value = PointerUse> {
    ("/ovenbird/web/(dev|prod)", an_image(), option::of(an_image()))
        .prop_map(|(parameter, current, previous)| PointerUse { parameter, current, previous })
}

fn any_descent() -> impl Strategy<Value = Descent> {
    (an_image(), an_image(), any::<bool>()).prop_map(|(child, parent, pending)| Descent { child, parent, pending })
}

prop_compose! {
    fn any_uses()(
        instances in vec(any_instance(), 0..2),
        pointers in vec(any_pointer(), 0..2),
        descents in vec(any_descent(), 0..2),
    ) -> Uses {
        Uses { account: ACCOUNT.to_owned(), instances, pointers, descents }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn more_use_never_deletes(image in any_image(), uses in any_uses(), more in any_uses()) {
        let mut all = uses.clone();
        all.instances.extend(more.instances);
        all.pointers.extend(more.pointers);
        all.descents.extend(more.descents);
        prop_assert!(decide(&image, &uses).is_delete() || !decide(&image, &all).is_delete());
    }

    #[test]
    fn nothing_with_a_live_reference_goes(image in any_image(), uses in any_uses()) {
        let is_live = uses.instances.iter().any(|instance| instance.image == image.id && instance.state != "terminated")
            || uses.pointers.iter().any(|pointer| pointer.current == image.id || pointer.previous.as_ref() == Some(&image.id))
            || uses.descents.iter().any(|descent| descent.parent == image.id && descent.pending);
        prop_assert!(!(is_live && decide(&image, &uses).is_delete()));
    }

    #[test]
    fn a_missing_tag_never_deletes(image in any_image(), uses in any_uses(), key in "AutoCleanup|LastUsed|LastUsedRuntime") {
        let mut image = image;
        image.tags.remove(&key);
        prop_assert!(!decide(&image, &uses).is_delete());
    }

    #[test]
    fn the_contract_is_necessary(image in any_image(), uses in any_uses()) {
        if decide(&image, &uses).is_delete() {
            prop_assert_eq!(&image.tags[tags::AUTO_CLEANUP], "true");
            let age = |key: &str| now().duration_since(instant::read(&image.tags[key]).expect("readable").instant);
            prop_assert!(age(tags::LAST_USED) > hours(24 * 7));
            prop_assert!(age(tags::LAST_USED_RUNTIME) < hours(1));
        }
    }

    #[test]
    fn time_only_speaks_for_deletion_until_the_observation_is_stale(image in any_image(), uses in any_uses(), minutes in 0_i64..120) {
        let later = now().saturating_add(SignedDuration::from_mins(minutes)).expect("in range");
        if decide(&image, &uses).is_delete() {
            let runtime = instant::read(&image.tags[tags::LAST_USED_RUNTIME]).expect("readable");
            let is_fresh = later.duration_since(runtime.instant) < hours(1);
            prop_assert_eq!(verdict(&image, &uses, later, &Policy::default()).is_delete(), is_fresh);
        }
    }

    #[test]
    fn a_kept_image_has_a_reason(image in any_image(), uses in any_uses()) {
        if let Verdict::Keep(reasons) = decide(&image, &uses) {
            prop_assert!(!reasons.is_empty());
        }
    }
}

#[test]
fn the_properties_try_deletions_too() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let deleted = (0..1_000).filter(|_| {
        let image = any_image().new_tree(&mut runner).expect("a case").current();
        let uses = any_uses().new_tree(&mut runner).expect("a case").current();
        decide(&image, &uses).is_delete()
    });
    assert!(deleted.count() > 20);
}

fn layer() -> LayerKey {
    LayerKey(Digest::of(b"layer"))
}

fn old_snapshot() -> SnapshotFacts {
    SnapshotFacts {
        id: "snap-1".to_owned(),
        owner: ACCOUNT.to_owned(),
        state: "completed".to_owned(),
        tags: [(tags::LAYER.to_owned(), layer().hex())].into(),
        started: Some(before(hours(24 * 8))),
    }
}

fn images(images: Vec<Lineage>) -> SnapshotUses {
    SnapshotUses { account: ACCOUNT.to_owned(), images }
}

fn lineage(snapshot: &str, layers: Option<Vec<LayerKey>>) -> Lineage {
    Lineage { image: "ami-1".to_owned(), snapshots: vec![snapshot.to_owned()], layers }
}

#[test]
fn a_layer_that_no_image_stands_on_goes_after_a_week() {
    let decide =
        |snapshot: &SnapshotFacts, uses: &SnapshotUses| snapshot_verdict(snapshot, uses, now(), &Policy::default());
    let stranger = || images(vec![lineage("snap-2", Some(vec![LayerKey(Digest::of(b"other"))]))]);
    assert_eq!(decide(&old_snapshot(), &stranger()), SnapshotVerdict::Delete { age: hours(24 * 8) });
    let keeps = [
        (old_snapshot(), images(vec![lineage("snap-1", Some(vec![]))]), "ami-1 is registered from it"),
        (old_snapshot(), images(vec![lineage("snap-2", Some(vec![layer()]))]), "ami-1 was baked on this layer"),
        (old_snapshot(), images(vec![lineage("snap-2", None)]), "the layers of ami-1 are not known"),
        (
            SnapshotFacts { tags: BTreeMap::new(), ..old_snapshot() },
            stranger(),
            "it is not tagged as a layer's snapshot",
        ),
        (SnapshotFacts { owner: String::new(), ..old_snapshot() }, stranger(), "another account owns it"),
        (
            SnapshotFacts { state: "pending".to_owned(), ..old_snapshot() },
            stranger(),
            "its state is pending, not completed",
        ),
        (
            SnapshotFacts { started: Some(before(hours(24 * 7))), ..old_snapshot() },
            stranger(),
            "it was made 7 d ago; the limit is 7 d",
        ),
        (
            SnapshotFacts { started: None, ..old_snapshot() },
            stranger(),
            "its start time is missing, unreadable or in the future",
        ),
        (
            SnapshotFacts { started: Some(before(hours(-9))), ..old_snapshot() },
            stranger(),
            "its start time is missing, unreadable or in the future",
        ),
    ];
    for (snapshot, uses, sentence) in keeps {
        let SnapshotVerdict::Keep(reasons) = decide(&snapshot, &uses) else { panic!("deleted, but {sentence}") };
        assert_eq!(reasons.iter().map(ToString::to_string).collect::<Vec<_>>(), [sentence]);
    }
}
