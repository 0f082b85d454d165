//! The example fleet: what is common is baked once, what did not change not at all, and a service that fails stops nobody.

use std::collections::BTreeMap;

use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;
use serde_json::Value;

use crate::support::Lab;
use crate::support::Ran;

const THREE: [&str; 3] = ["api", "cache", "docs"];

/// `ovenbird rebuild` of the three services.
fn rebuild(lab: &Lab, options: &[&str]) -> Ran {
    lab.home.run([&["-C", "fleet", "rebuild", "--json"], &THREE[..], options].concat())
}

/// Outcome and layers of each service, in the order of their names.
fn outcomes(ran: &Ran) -> Vec<(String, u64)> {
    let events = ran.events();
    let answer = events.iter().find(|event| event["event"] == "rebuilt").expect("an answer");
    let services = answer["services"].as_array().expect("services");
    let outcome = |service: &Value| {
        (service["outcome"].as_str().expect("an outcome").to_owned(), service["layers"].as_u64().expect("a count"))
    };
    services.iter().map(outcome).collect()
}

/// The layers that ran, with the unit that ran them.
fn ran_layers(ran: &Ran) -> Vec<(String, String)> {
    let events = ran.events();
    let kept = events.iter().filter(|event| event["of"]["event"] == "kept");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    kept.map(|event| (text(&event["unit"]), text(&event["of"]["layer"]))).collect()
}

fn baked(name: &str, layers: u64) -> (String, u64) {
    (name.to_owned(), layers)
}

/// The digest of each service's tree, by the image that the rebuild made.
fn trees(lab: &Lab, ran: &Ran) -> BTreeMap<String, String> {
    let events = ran.events();
    let answer = events.iter().find(|event| event["event"] == "rebuilt").expect("an answer");
    let tree = |service: &Value| {
        let (name, id) = (service["name"].as_str().expect("a name"), service["image"].as_str().expect("an image"));
        let image = lab.api().find_image(id).expect("it is there");
        (name.to_owned(), Tag::find(&image.tags, tags::TREE).expect("a digest").to_owned())
    };
    answer["services"].as_array().expect("services").iter().map(tree).collect()
}

#[test]
fn all_ten_baked_twice_are_the_same_trees() {
    let lab = Lab::start_for_bakes();
    lab.home.copy_examples();
    lab.base();
    let bake = || trees(&lab, &lab.home.run(["-C", "fleet", "rebuild", "--json"]).ok());
    let first = bake();
    assert_eq!(first.len(), 10, "{first:?}");
    lab.forget_layers();
    assert_eq!(bake(), first);
    println!("{first:#?}");
}

#[test]
fn a_rebuild_bakes_what_changed_and_what_is_common_once() {
    let lab = Lab::start_for_bakes();
    lab.home.copy_examples();
    lab.base();

    let matrix = rebuild(&lab, &["--plan"]).ok().json();
    let entries = matrix["include"].as_array().expect("entries");
    assert_eq!(entries.len(), 4, "the common layer and three services: {matrix}");
    assert_eq!(matrix["stages"][0]["include"][0]["unit"], "common: ansible common/common.yml");
    assert_eq!(matrix["stages"][1]["include"].as_array().map(Vec::len), Some(3));
    assert!(entries.iter().all(|entry| entry["command"].as_str().is_some_and(|it| it.starts_with("ovenbird bake "))));

    let first = rebuild(&lab, &["--jobs", "2"]).ok();
    assert_eq!(outcomes(&first), [baked("baked", 1), baked("baked", 1), baked("baked", 1)]);
    let ran = ran_layers(&first);
    assert_eq!(ran.iter().filter(|(_, layer)| layer == "ansible common/common.yml").count(), 1, "{ran:?}");
    assert_eq!(ran.len(), 4, "{ran:?}");
    let pointers = lab.home.run(["-C", "fleet", "status", "--json"]).ok().json();
    assert_eq!(pointers["pointers"].as_array().map(Vec::len), Some(3), "{pointers}");

    let again = rebuild(&lab, &[]).ok();
    assert_eq!(outcomes(&again), [baked("reused", 0), baked("reused", 0), baked("reused", 0)]);
    assert_eq!(rebuild(&lab, &["--plan"]).ok().json()["include"], serde_json::json!([]));

    lab.home.edit("fleet/services/roles/cache/tasks/main.yml", "vm.overcommit_memory = 1", "vm.overcommit_memory = 2");
    let third = rebuild(&lab, &[]).ok();
    assert_eq!(outcomes(&third), [baked("reused", 0), baked("baked", 1), baked("reused", 0)]);
    assert_eq!(ran_layers(&third), [("cache".to_owned(), "ansible services/cache.yml".to_owned())]);

    lab.home.write("fleet/services/roles/docs/tasks/main.yml", "- ansible.builtin.fail: {msg: the pages are lost}\n");
    lab.home.edit("fleet/services/roles/api/files/health.json", "true", "false");
    let fourth = rebuild(&lab, &[]).exits(1);
    assert_eq!(outcomes(&fourth), [baked("baked", 1), baked("reused", 0), baked("failed", 0)]);
    assert!(fourth.stdout.contains("the pages are lost"), "{}", fourth.stdout);
    assert_eq!(lab.list_bakes(), [""; 0]);
    assert!(lab.api().snapshots().iter().all(|(_, state)| state == "completed"));
}
