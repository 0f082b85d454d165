//! Every call of an inventory and of a cleanup fails once, in every way; and somebody acts between the look and the deletion.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_core::block::Digest;
use ovenbird_core::retention::Policy;
use ovenbird_fleet::cleanup;
use ovenbird_fleet::inventory;
use support::ACCOUNT;
use support::DAY;
use support::Lab;
use support::OTHER_ACCOUNT;
use support::copy;
use support::images;
use support::launch;
use support::point;
use support::proxy::FAULTS;
use support::proxy::Fault;
use support::proxy::Proxy;
use support::register;
use support::share;
use support::snapshot;
use support::snapshots;
use support::tag;
use support::tag_of;
use support::text;

/// Images in use, and what uses them.
struct Needed {
    running: String,
    pointed: String,
    previous: String,
}

/// Ten days from now, when everything that was made today is old.
fn later(lab: &Lab) -> Timestamp {
    lab.at(10 * DAY)
}

/// What cleanup would take if nothing spoke for it, as of `now`.
async fn doomed(client: &Client, name: &str, root: &str, now: Timestamp) -> String {
    let (used, inventoried) =
        (text(now - SignedDuration::from_hours(9 * 24)), text(now - SignedDuration::from_mins(10)));
    let tags = [("AutoCleanup", "true"), ("LastUsed", used.as_str()), ("LastUsedRuntime", inventoried.as_str())];
    register(client, name, &[root.to_owned()], &tags).await
}

async fn make_needed(lab: &Lab, now: Timestamp) -> Needed {
    let client = &lab.client;
    let root = snapshot(client, &[1, 2], &[]).await;
    lab.settle();
    let needed = Needed {
        running: doomed(client, "running", &root, now).await,
        pointed: doomed(client, "pointed", &root, now).await,
        previous: doomed(client, "previous", &root, now).await,
    };
    launch(lab, &needed.running, "running").await;
    point(client, "/ovenbird/web/dev", &needed.previous).await;
    point(client, "/ovenbird/web/dev", &needed.pointed).await;
    needed
}

/// A client whose call with this number (from 0) is spoiled, by way of a proxy of its own: what a run that failed had under way may arrive
/// late, and must not be counted among the next run's.
async fn spoil(lab: &Lab, number: usize, fault: Fault) -> (Proxy, Client) {
    let proxy = Proxy::start(&lab.url);
    let client = lab.client_of(ACCOUNT, &proxy.url).await;
    proxy.arm(Some((number, fault)));
    (proxy, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_that_fails_commits_nothing_that_is_not_so() {
    let lab = Lab::start().await;
    let start = later(&lab);
    let needed = make_needed(&lab, start).await;
    let root = snapshots(&lab.client).await.into_keys().next().expect("one");
    doomed(&lab.client, "unused", &root, start).await;
    let (mut minutes, mut runs) = (0, BTreeMap::new());
    for fault in FAULTS {
        for number in 0.. {
            minutes += 1;
            let now = start + SignedDuration::from_mins(minutes);
            let (proxy, client) = spoil(&lab, number, fault).await;
            let answer = inventory(&client, now, false).await;
            let calls = proxy.actions().len();
            verify_commit(&lab, &needed, now, answer.is_ok(), &format!("{fault:?} of call {number}")).await;
            if number >= calls {
                assert!(answer.is_ok(), "nothing failed");
                runs.insert(format!("{fault:?}"), number);
                break;
            }
            assert_eq!(answer.is_ok(), fault == Fault::AnswerLostOnce, "{fault:?} of call {number}: {answer:?}");
        }
    }
    assert!(runs.values().all(|failed| *failed >= 8), "{runs:?}");
}

/// Where any image says that it was looked at, every used image says that it was used.
async fn verify_commit(lab: &Lab, needed: &Needed, now: Timestamp, is_done: bool, place: &str) {
    let images = images(&lab.client).await;
    let has = |image: &str, key: &str| tag_of(&images[image], key) == Some(&text(now));
    let used = [&needed.running, &needed.pointed].into_iter().all(|image| has(image, "LastUsed"));
    let committed: Vec<&String> = images.keys().filter(|image| has(image, "LastUsedRuntime")).collect();
    assert!(committed.is_empty() || used, "{place}: committed {committed:?} without every LastUsed");
    assert!(!is_done || committed.len() == images.len(), "{place}: done, and not committed");
}

/// What one cleanup has to do: images and the layers that nothing stands on any more.
async fn populate(lab: &Lab, now: Timestamp, number: usize) {
    let client = &lab.client;
    let content = 100 + number as u64;
    let layer = |name: &str| Digest::of(format!("{name} {number}").as_bytes()).hex();
    let (below, above) = (layer("below"), layer("above"));
    let lower = snapshot(client, &[content], &[("ovenbird:layer", &below)]).await;
    let upper = snapshot(client, &[content, 7], &[("ovenbird:layer", &above), ("ovenbird:parent", &below)]).await;
    snapshot(client, &[9], &[("ovenbird:layer", &layer("nobody's"))]).await;
    lab.settle();
    // The first is registered from the layer that the second stands on.
    doomed(client, &format!("lower {number}"), &lower, now).await;
    doomed(client, &format!("upper {number}"), &upper, now).await;
}

/// Spoils every call of a cleanup once; whatever it left, the next cleanup ends in the same state.
async fn a_cleanup_is_finished_by_the_next(fault: Fault) {
    let lab = Lab::start().await;
    let now = later(&lab);
    let needed = make_needed(&lab, now).await;
    let kept: BTreeSet<String> = images(&lab.client).await.into_keys().collect();
    let (kept_snapshots, blocks) = (snapshots(&lab.client).await, lab.blocks());
    for number in 0.. {
        populate(&lab, now, number).await;
        let (proxy, client) = spoil(&lab, number, fault).await;
        let answer = cleanup(&client, now, &Policy::default(), false).await;
        let (is_over, place) = (number >= proxy.actions().len(), format!("{fault:?} of call {number}"));
        let there = images(&lab.client).await;
        for image in [&needed.running, &needed.pointed, &needed.previous] {
            assert!(there.contains_key(image), "{place}: an image in use is gone");
        }
        assert_eq!(answer.is_ok(), is_over || fault == Fault::AnswerLostOnce, "{place}: {answer:?}");
        cleanup(&lab.client, now, &Policy::default(), false).await.expect("finished");
        assert_eq!(images(&lab.client).await.into_keys().collect::<BTreeSet<_>>(), kept, "{place}");
        let left = snapshots(&lab.client).await;
        assert!(left.keys().eq(kept_snapshots.keys()), "{place}: {left:?}");
        assert_eq!(lab.blocks(), blocks, "{place}");
        // Populating takes a second of the endpoint's clock, and signatures may be five minutes off.
        lab.clock.advance(-1);
        if is_over {
            assert!(number >= 15, "a cleanup with more calls");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_whose_connection_is_reset_is_finished_by_the_next() {
    a_cleanup_is_finished_by_the_next(Fault::Reset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_whose_answer_is_lost_is_finished_by_the_next() {
    a_cleanup_is_finished_by_the_next(Fault::AnswerLost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_whose_answer_is_lost_once_is_finished_at_once() {
    a_cleanup_is_finished_by_the_next(Fault::AnswerLostOnce).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_of_a_broken_service_is_finished_by_the_next() {
    a_cleanup_is_finished_by_the_next(Fault::Broken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_that_is_throttled_is_finished_by_the_next() {
    a_cleanup_is_finished_by_the_next(Fault::Throttled).await;
}

/// What cleanup says of a candidate with which something happens just before the `nth` call (from 0) of `action`: after the
/// first look at everything, before the last look at the candidate itself.
async fn verdict_when<F: Future<Output = ()>>(
    (action, nth): (&'static str, usize),
    happens: impl FnOnce(Arc<Lab>, String) -> F + Send + 'static,
) -> Vec<String> {
    let lab = Arc::new(Lab::start().await);
    let now = later(&lab);
    let root = snapshot(&lab.client, &[1], &[]).await;
    lab.settle();
    let image = doomed(&lab.client, "candidate", &root, now).await;
    let other = register(&lab.client, "other", &[root], &[]).await;
    point(&lab.client, "/ovenbird/web/dev", &other).await;
    let proxy = Proxy::start(&lab.url);
    let client = lab.client_of(ACCOUNT, &proxy.url).await;
    let (runtime, shared, named) = (tokio::runtime::Handle::current(), Arc::clone(&lab), image.clone());
    proxy.happen_before(action, nth, move || runtime.block_on(happens(shared, named)));
    let report = cleanup(&client, now, &Policy::default(), false).await.expect("cleaned");
    let verdict = report.images.into_iter().find(|verdict| verdict.image == image).expect("judged");
    assert!(!verdict.delete, "{action}: {:?}", verdict.why);
    assert!(images(&lab.client).await.contains_key(&image), "it stays");
    verdict.why
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_after_the_first_look_counts() {
    let launch = async |lab: Arc<Lab>, image: String| drop(launch(&lab, &image, "running").await);
    let launched = verdict_when(("DescribeInstances", 1), launch).await;
    assert!(launched[0].starts_with("instance i-") && launched[0].ends_with("(running) uses it"), "{launched:?}");

    let point = async |lab: Arc<Lab>, image: String| point(&lab.client, "/ovenbird/web/dev", &image).await;
    assert_eq!(verdict_when(("GetParametersByPath", 1), point).await, ["/ovenbird/web/dev points at it"]);

    let unmark = async |lab: Arc<Lab>, image: String| tag(&lab.client, &image, "AutoCleanup", "false").await;
    assert_eq!(verdict_when(("DescribeImages", 1), unmark).await, ["it has no tag AutoCleanup=true"]);

    let copy = async |lab: Arc<Lab>, image: String| drop(copy(&lab.client, &image, "copy", false).await);
    let copied = verdict_when(("DescribeImages", 1), copy).await;
    assert!(copied[0].ends_with("which is being made, comes from it"), "{copied:?}");

    let share = async |lab: Arc<Lab>, image: String| share(&lab.client, &image, Some(OTHER_ACCOUNT)).await;
    assert_eq!(
        verdict_when(("DescribeImageAttribute", 0), share).await,
        [format!("it is shared with {OTHER_ACCOUNT}")]
    );
}
