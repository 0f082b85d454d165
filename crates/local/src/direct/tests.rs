//! The rules of the direct APIs, and the store against a model.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use ovenbird_aws::ebs;
use ovenbird_aws::ec2::DeleteSnapshotRequest;
use ovenbird_core::block::Digest;
use proptest::prelude::*;

use super::complete::complete_snapshot;
use super::get::get_snapshot_block;
use super::list::list_changed_blocks;
use super::list::list_snapshot_blocks;
use super::start::start_snapshot;
use crate::ec2::snapshots::delete_snapshot;
use crate::failure::Answer;
use crate::testing::Fixture;
use crate::testing::code;
use crate::testing::filled;

fn list(fixture: &Fixture, snapshot: &str) -> Answer<BTreeMap<i32, String>> {
    let request = ebs::ListSnapshotBlocksRequest {
        snapshot_id: Some(snapshot.to_owned()),
        max_results: Some(10_000),
        ..Default::default()
    };
    let listed = list_snapshot_blocks(&fixture.call(), &request)?;
    Ok(listed
        .blocks
        .into_iter()
        .map(|block| (block.block_index.expect("index"), block.block_token.expect("token")))
        .collect())
}

fn get(fixture: &Fixture, snapshot: &str, block: i32, token: &str) -> Answer<Vec<u8>> {
    let request = ebs::GetSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: Some(block),
        block_token: Some(token.to_owned()),
    };
    Ok(get_snapshot_block(&fixture.call(), &request)?.block_data.expect("bytes").0.into())
}

fn delete(fixture: &Fixture, snapshot: &str) -> Answer<()> {
    delete_snapshot(
        &fixture.call(),
        &DeleteSnapshotRequest { snapshot_id: Some(snapshot.to_owned()), ..Default::default() },
    )?;
    fixture.world.settle()
}

fn stored(fixture: &Fixture) -> BTreeSet<Digest> {
    fixture.world.blocks.list().expect("listed").into_iter().collect()
}

#[test]
fn tokens_hold_for_their_time_and_block_only() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.snapshot(), fixture.snapshot());
    let token = list(&fixture, &one).expect("listed")[&0].clone();
    assert_eq!(get(&fixture, &one, 0, &token).expect("read"), filled(1));
    assert_eq!(code(get(&fixture, &one, 1, &token)), "INVALID_BLOCK_TOKEN");
    assert_eq!(code(get(&fixture, &two, 0, &token)), "INVALID_BLOCK_TOKEN");
    fixture.clock.advance(7 * 86_400 - 60);
    assert!(get(&fixture, &one, 0, &token).is_ok());
    fixture.clock.advance(120);
    assert_eq!(code(get(&fixture, &one, 0, &token)), "INVALID_BLOCK_TOKEN");
}

#[test]
fn pages_are_tied_to_their_listing_and_expire_after_an_hour() {
    let fixture = Fixture::new();
    let id = fixture.start(None).expect("started");
    for block in 0..101 {
        fixture.put(&id, block, 1).expect("put");
    }
    fixture.complete(&id, 101).expect("completed");
    let page = |snapshot: &str, next_token: Option<String>| {
        let request = ebs::ListSnapshotBlocksRequest {
            snapshot_id: Some(snapshot.to_owned()),
            next_token,
            max_results: Some(1),
            ..Default::default()
        };
        list_snapshot_blocks(&fixture.call(), &request)
    };
    let first = page(&id, None).expect("listed");
    assert_eq!(first.blocks.len(), 100, "never fewer");
    let token = first.next_token;
    assert_eq!(page(&id, token.clone()).expect("listed").blocks.len(), 1);
    assert_eq!(code(page(&fixture.snapshot(), token.clone())), "INVALID_PAGE_TOKEN");
    fixture.clock.advance(3601);
    assert_eq!(code(page(&id, token)), "INVALID_PAGE_TOKEN");
}

#[test]
fn a_snapshot_without_puts_fails_after_its_timeout() {
    let fixture = Fixture::new();
    let request = ebs::StartSnapshotRequest { volume_size: Some(1), timeout: Some(10), ..Default::default() };
    let id = start_snapshot(&fixture.call(), &request).expect("started").snapshot_id.expect("an id");
    fixture.clock.advance(9 * 60);
    fixture.put(&id, 0, 1).expect("in time");
    fixture.clock.advance(9 * 60);
    fixture.put(&id, 1, 2).expect("every put begins the time anew");
    assert_eq!(stored(&fixture).len(), 2);
    fixture.clock.advance(10 * 60);
    assert_eq!(code(fixture.put(&id, 2, 3)), "INVALID_SNAPSHOT_ID");
    assert!(stored(&fixture).is_empty(), "its blocks are freed");
}

#[test]
fn completion_is_asynchronous_and_may_be_asked_for_again() {
    let fixture = Fixture::new();
    let id = fixture.start(None).expect("started");
    fixture.put(&id, 0, 1).expect("put");
    let complete = |count| {
        let request = ebs::CompleteSnapshotRequest {
            snapshot_id: Some(id.clone()),
            changed_blocks_count: Some(count),
            ..Default::default()
        };
        complete_snapshot(&fixture.call(), &request).map(|answer| answer.status.expect("a status"))
    };
    assert_eq!(code(complete(2)), "INVALID_PARAMETER_VALUE");
    assert_eq!(complete(1).expect("sealed"), "pending");
    assert_eq!(code(fixture.put(&id, 1, 1)), "INVALID_SNAPSHOT_ID");
    assert_eq!(code(list(&fixture, &id)), "INVALID_SNAPSHOT_ID");
    assert_eq!(code(fixture.start(Some(&id))), "INVALID_SNAPSHOT_ID");
    fixture.clock.advance(1);
    assert_eq!(complete(1).expect("again"), "completed");
    assert_eq!(code(complete(2)), "INVALID_SNAPSHOT_ID");
    assert_eq!(list(&fixture, &id).expect("readable").len(), 1);
}

#[test]
fn a_child_outlives_its_parent_even_while_pending() {
    let fixture = Fixture::new();
    let parent = fixture.snapshot();
    let child = fixture.start(Some(&parent)).expect("started");
    delete(&fixture, &parent).expect("deleted");
    fixture.put(&child, 3, 2).expect("put");
    fixture.complete(&child, 1).expect("completed");
    assert_eq!(list(&fixture, &child).expect("listed").keys().copied().collect::<Vec<_>>(), [0, 3]);
    delete(&fixture, &child).expect("deleted");
    assert!(stored(&fixture).is_empty());
}

#[test]
fn a_token_stands_for_its_request() {
    let fixture = Fixture::new();
    let start = |size| {
        let request = ebs::StartSnapshotRequest {
            volume_size: Some(size),
            client_token: Some("t".to_owned()),
            ..Default::default()
        };
        start_snapshot(&fixture.call(), &request).map(|answer| answer.snapshot_id.expect("an id"))
    };
    let first = start(1).expect("started");
    fixture.put(&first, 0, 1).expect("put");
    fixture.complete(&first, 1).expect("completed");
    assert_eq!(start(1).expect("the same"), first, "completed or not");
    assert_eq!(code(start(2)), "ConflictException");
    delete(&fixture, &first).expect("deleted");
    assert_ne!(start(1).expect("anew"), first, "what is gone frees its token");
}

#[test]
fn only_relatives_can_be_compared() {
    let fixture = Fixture::new();
    let (parent, stranger) = (fixture.snapshot(), fixture.snapshot());
    let child = fixture.start(Some(&parent)).expect("started");
    fixture.put(&child, 0, 2).expect("put");
    fixture.complete(&child, 1).expect("completed");
    let changes = |first: Option<&str>, second: &str| {
        let request = ebs::ListChangedBlocksRequest {
            first_snapshot_id: first.map(str::to_owned),
            second_snapshot_id: Some(second.to_owned()),
            ..Default::default()
        };
        list_changed_blocks(&fixture.call(), &request).map(|answer| answer.changed_blocks)
    };
    assert_eq!(changes(Some(&parent), &child).expect("related").len(), 1);
    assert_eq!(changes(Some(&parent), &parent).expect("itself").len(), 0);
    assert_eq!(changes(None, &child).expect("all of it").len(), 1);
    assert_eq!(code(changes(Some(&stranger), &child)), "UNRELATED_SNAPSHOTS");
}

/// What a test does to snapshots; numbers choose among those that there are.
#[derive(Clone, Debug)]
enum Step {
    Start(Option<usize>),
    Put(usize, i32, u8),
    Complete(usize),
    Delete(usize),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => proptest::option::of(0..4_usize).prop_map(Step::Start),
        5 => (0..4_usize, 0..4_i32, 0..4_u8).prop_map(|(at, block, content)| Step::Put(at, block, content)),
        2 => (0..4_usize).prop_map(Step::Complete),
        2 => (0..4_usize).prop_map(Step::Delete),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..24)
}

/// A snapshot as it should be: what it began with, what was put, whether it is complete.
#[derive(Clone, Default)]
struct Model {
    base: BTreeMap<i32, u8>,
    puts: BTreeMap<i32, u8>,
    is_complete: bool,
}

impl Model {
    fn content(&self) -> BTreeMap<i32, u8> {
        self.base.iter().chain(&self.puts).map(|(block, content)| (*block, *content)).collect()
    }
}

fn check(fixture: &Fixture, models: &[(String, Model)]) {
    fixture.world.settle().expect("settled");
    // A put over a parent's block still needs the parent's: the snapshot may never be completed.
    let needed = models.iter().flat_map(|(_, model)| {
        let base = if model.is_complete { model.content() } else { model.base.clone() };
        base.into_values().chain(model.puts.clone().into_values())
    });
    // Zeros are never stored.
    let expected: BTreeSet<Digest> =
        needed.filter(|content| *content != 0).map(|content| Digest::of(&filled(content))).collect();
    assert_eq!(stored(fixture), expected);
    for (id, model) in models.iter().filter(|(_, model)| model.is_complete) {
        let listed = list(fixture, id).expect("listed");
        let read = listed.iter().map(|(block, token)| (*block, get(fixture, id, *block, token).expect("read")[7]));
        assert_eq!(read.collect::<BTreeMap<_, _>>(), model.content());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_agrees_with_a_model(steps in steps()) {
        let mut fixture = Fixture::new();
        let mut models: Vec<(String, Model)> = Vec::new();
        for step in steps {
            let chosen = |at: usize| if models.is_empty() { None } else { Some(at % models.len()) };
            match step {
                Step::Start(parent) => {
                    let parent = parent.and_then(chosen).map(|at| models[at].clone());
                    let is_refused = parent.as_ref().is_some_and(|(_, model)| !model.is_complete);
                    let started = fixture.start(parent.as_ref().map(|(id, _)| id.as_str()));
                    prop_assert_eq!(started.is_err(), is_refused);
                    if let Ok(id) = started {
                        let base = parent.map(|(_, model)| model.content()).unwrap_or_default();
                        models.push((id, Model { base, ..Model::default() }));
                    }
                }
                Step::Put(at, block, content) => {
                    let Some(at) = chosen(at) else { continue };
                    let put = fixture.put(&models[at].0, block, content);
                    prop_assert_eq!(put.is_err(), models[at].1.is_complete);
                    if put.is_ok() {
                        models[at].1.puts.insert(block, content);
                    }
                }
                Step::Complete(at) => {
                    let Some(at) = chosen(at).filter(|at| !models[*at].1.is_complete) else { continue };
                    fixture.complete(&models[at].0, i32::try_from(models[at].1.puts.len()).expect("few")).expect("completed");
                    let content = models[at].1.content();
                    models[at].1 = Model { base: content, puts: BTreeMap::new(), is_complete: true };
                }
                Step::Delete(at) => {
                    let Some(at) = chosen(at) else { continue };
                    delete(&fixture, &models[at].0).expect("deleted");
                    models.remove(at);
                }
                Step::Reopen => fixture = fixture.reopen(),
            }
            check(&fixture, &models);
        }
    }
}
