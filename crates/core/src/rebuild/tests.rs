use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::block::Digest;

/// The keys of a chain of layers: each stands on all those below it, as real keys do.
fn chain(names: &str) -> Vec<LayerKey> {
    (1..=names.len()).map(|length| LayerKey(Digest::of(&names.as_bytes()[..length]))).collect()
}

fn wanted(service: &str, names: &str, there: usize) -> Wanted {
    Wanted { service: service.to_owned(), missing: chain(names).split_off(there) }
}

fn told(units: &[Unit]) -> Vec<String> {
    let goal = |unit: &Unit| match &unit.goal {
        Goal::Layers(_) => format!("layers of {}", unit.services.join("+")),
        Goal::Image(service) => format!("image {service}"),
    };
    units.iter().map(|unit| format!("{} ({}) after {:?}", goal(unit), unit.layers.len(), unit.needs)).collect()
}

#[test]
fn what_is_common_is_baked_once_and_first() {
    let units = units(&[wanted("web", "cw", 0), wanted("api", "ca", 0), wanted("db", "d", 0)]);
    let mut told = told(&units);
    told.sort();
    let layers = units.iter().position(|unit| matches!(unit.goal, Goal::Layers(_))).expect("one");
    assert_eq!(
        told,
        [
            format!("image api (1) after Some({layers})"),
            "image db (1) after None".to_owned(),
            format!("image web (1) after Some({layers})"),
            "layers of web+api (1) after None".to_owned(),
        ]
    );
    let stages: BTreeSet<usize> = units.iter().map(|unit| unit.stage(&units)).collect();
    assert_eq!(stages, [0, 1].into());
}

#[test]
fn what_is_there_is_not_baked() {
    assert_eq!(told(&units(&[wanted("web", "cw", 1), wanted("api", "ca", 1)])).len(), 2, "one image each");
    assert_eq!(told(&units(&[wanted("web", "cw", 2)])), ["image web (0) after None"]);
    assert!(units(&[]).is_empty());
}

#[test]
fn a_service_may_be_all_that_another_begins_with() {
    let units = units(&[wanted("web", "cw", 0), wanted("base", "c", 0)]);
    assert_eq!(
        told(&units),
        ["layers of web+base (1) after None", "image web (1) after Some(0)", "image base (0) after Some(0)"]
    );
}

#[test]
fn a_failure_stops_those_alone_that_need_it() {
    let units = units(&[wanted("web", "cw", 0), wanted("api", "ca", 0), wanted("db", "d", 0)]);
    let mut schedule = Schedule::new(&units, 1);
    let first = schedule.start();
    assert_eq!(units[first[0]].services, ["web", "api"], "the layers that most wait for");
    assert!(schedule.start().is_empty(), "one job");
    schedule.end(first[0], false);
    let next = schedule.start();
    assert_eq!(units[next[0]].services, ["db"]);
    schedule.end(next[0], true);
    assert!(schedule.is_over());
    assert_eq!(schedule.states().iter().filter(|state| **state == State::Skipped(first[0])).count(), 2);
}

/// Services that begin alike, as those of a fleet do.
fn fleet() -> impl Strategy<Value = Vec<Wanted>> {
    let layers = prop_oneof![3 => "c[ab]{0,3}", 1 => "[ab]{0,3}"];
    vec(layers, 0..8)
        .prop_map(|all| all.iter().enumerate().map(|(number, names)| wanted(&format!("s{number}"), names, 0)).collect())
}

proptest! {
    #[test]
    fn every_missing_layer_is_in_one_unit(fleet in fleet()) {
        let units = units(&fleet);
        let baked: Vec<LayerKey> = units.iter().flat_map(|unit| unit.layers.clone()).collect();
        let once: BTreeSet<LayerKey> = baked.iter().copied().collect();
        let missing: BTreeSet<LayerKey> = fleet.iter().flat_map(|wanted| wanted.missing.clone()).collect();
        prop_assert_eq!(baked.len(), once.len());
        prop_assert_eq!(once, missing);
    }

    #[test]
    fn every_service_is_made_once_of_its_own_layers(fleet in fleet()) {
        let units = units(&fleet);
        for wanted in &fleet {
            let images: Vec<&Unit> = units.iter().filter(|unit| unit.goal == Goal::Image(wanted.service.clone())).collect();
            prop_assert_eq!(images.len(), 1);
            let (mut unit, mut layers) = (images[0], images[0].layers.clone());
            while let Some(below) = unit.needs {
                unit = &units[below];
                prop_assert!(unit.services.contains(&wanted.service) && unit.services.len() > 1);
                layers.splice(0..0, unit.layers.clone());
            }
            prop_assert_eq!(&layers, &wanted.missing);
        }
    }

    #[test]
    fn a_unit_comes_after_what_it_needs(fleet in fleet()) {
        let units = units(&fleet);
        for (place, unit) in units.iter().enumerate() {
            prop_assert!(unit.needs.is_none_or(|below| below < place));
        }
    }

    #[test]
    fn a_rebuild_ends_and_keeps_its_bounds(fleet in fleet(), jobs in 0usize..4, ends in vec((any::<prop::sample::Index>(), prop::bool::weighted(0.8)), 40)) {
        let units = units(&fleet);
        let mut schedule = Schedule::new(&units, jobs);
        let (mut running, mut started) = (Vec::new(), BTreeSet::new());
        for (which, is_well) in ends {
            for unit in schedule.start() {
                prop_assert!(started.insert(unit), "started twice");
                let below = units[unit].needs.map(|below| schedule.states()[below]);
                prop_assert!(below.is_none_or(|below| below == State::Done));
                running.push(unit);
            }
            prop_assert!(running.len() <= jobs.max(1));
            if running.is_empty() {
                break;
            }
            let ended = running.swap_remove(which.index(running.len()));
            schedule.end(ended, is_well);
        }
        prop_assert!(schedule.is_over(), "{:?}", schedule);
        for (place, state) in schedule.states().iter().enumerate() {
            let below = units[place].needs.map(|below| schedule.states()[below]);
            let is_lost = matches!(below, Some(State::Failed | State::Skipped(_)));
            prop_assert_eq!(is_lost, matches!(state, State::Skipped(_)), "skipped only for what it needs");
        }
    }
}
