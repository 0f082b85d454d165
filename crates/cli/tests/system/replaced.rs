//! `force_deregister`: the image under a name is replaced, and at no moment is there neither.

use ovenbird_aws::ec2;
use ovenbird_bake::Mishap;
use ovenbird_bake::Moment;
use serde_json::Value;
use serde_json::json;

use super::light::Light;
use super::main_job::Baked;
use super::random::Random;
use super::unwind;
use crate::support::Api;
use crate::support::Lab;
use crate::support::audit;

pub const PROJECT: &str =
    "environments = [\"dev\", \"prod\"]\nregion = \"us-east-1\"\n[services.one]\ntemplate = \"one.json\"\n";

pub fn template(command: &str) -> Value {
    json!({
        "builders": [{
            "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "ssh_username": "admin",
            "source_ami_filter": {
                "filters": { "name": "debian-12-amd64-*" }, "owners": ["136693071363"], "most_recent": true,
            },
            "ami_name": "one", "force_deregister": true, "force_delete_snapshot": true,
        }],
        "provisioners": [{ "type": "shell", "inline": [command] }],
    })
}

#[test]
fn an_image_is_replaced_under_its_name() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let (home, api) = (&lab.home, lab.api());
    home.write("ovenbird.toml", PROJECT);
    let bake = |text: &str| {
        home.write("one.json", template(&format!("echo {text} > /opt/text")).to_string());
        home.run(["bake", "one", "--json"])
    };
    let names = || -> Vec<Value> {
        let images = home.run(["images", "--json"]).ok().json();
        let names = images.as_array().expect("images").iter().map(|image| image["name"].clone());
        names.filter(|name| name.as_str().is_some_and(|name| name.starts_with("one"))).collect()
    };

    let first = Baked::of(&bake("first"));
    let snapshot = snapshot_of(&api, &first.image);
    let other = register_other_image_of(&api, &snapshot);
    let replacing = bake("second");
    let second = Baked::of(&replacing);
    assert_ne!(first.image, second.image);
    let stays = replacing.events().into_iter().find(|event| event["event"] == "snapshot_stays").expect("it says so");
    assert!(stays["snapshot"] == snapshot && stays["why"].as_str().is_some_and(|why| why.contains(&other)), "{stays}");
    assert!(api.find_image(&first.image).is_none());
    assert_eq!(api.find_image(&second.image).and_then(|image| image.name).as_deref(), Some("one"));
    assert_eq!(names(), ["one"], "no stand-in is left");
    assert!(Baked::of(&bake("second")).reused);

    // What another environment points at stays.
    home.run(["promote", "one", "--to", "prod", "--json"]).ok();
    bake("third").exits(2).says("points at");
    assert!(api.find_image(&second.image).is_some());
    assert_eq!(audit(&home.local_state()), [""; 0]);
}

fn snapshot_of(api: &Api, image: &str) -> String {
    let made = api.find_image(image).expect("the image is there");
    made.block_device_mappings[0].ebs.as_ref().and_then(|ebs| ebs.snapshot_id.clone()).expect("a snapshot")
}

fn register_other_image_of(api: &Api, snapshot: &str) -> String {
    let ebs = ec2::EbsBlockDevice { snapshot_id: Some(snapshot.to_owned()), ..Default::default() };
    let root =
        ec2::BlockDeviceMapping { device_name: Some("/dev/xvda".to_owned()), ebs: Some(ebs), ..Default::default() };
    let request = ec2::RegisterImageRequest {
        name: Some("somebody else's".to_owned()),
        architecture: Some("x86_64".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        block_device_mappings: vec![root],
        ..Default::default()
    };
    api.send(request).expect("registered").image_id.expect("an id")
}

/// Where a bake is cut off: before the old image makes way, and at every step from then on to the last.
const CUT_OFF: [(&str, Moment); 5] = [
    ("retire image", Moment::Before),
    ("retire image", Moment::After),
    ("register image `light`", Moment::After),
    ("publish image `light`", Moment::After),
    ("drop stand-ins", Moment::After),
];

#[test]
fn a_bake_that_was_cut_off_while_it_replaced_an_image_is_resumed_to_its_end() {
    let lab = unwind::lab();
    let light = Light::of_files(&lab, Random::new());
    lab.home.edit(
        "light.json",
        "light {{uuid}}\"",
        "light\", \"force_deregister\": true, \"force_delete_snapshot\": true",
    );
    let bake = |mishap: &dyn Fn(usize, Moment) -> Option<Mishap>| {
        light.change();
        unwind::run(&lab, &light.request(None), mishap)
    };
    bake(&unwind::calm).tree();
    let steps = bake(&unwind::calm).steps;
    for (step, moment) in CUT_OFF {
        let (_, old) = the_one(&lab);
        let at = steps.iter().position(|name| name.starts_with(step)).expect("there is such a step");
        let died = bake(&|number, now| (number == at && now == moment).then_some(Mishap::Die));
        died.ended.expect_err("it died");
        let resumed = unwind::run(&lab, &light.request(died.stays.as_deref()), unwind::calm);
        let image = resumed.ended.unwrap_or_else(|error| panic!("{moment:?} `{step}`: {error}")).image;
        let (one, snapshot) = the_one(&lab);
        assert_eq!((one, resumed.left), (image, vec![]), "{moment:?} `{step}`");
        let snapshots = lab.api().snapshots();
        let has = |id: &str| snapshots.iter().any(|(snapshot, _)| snapshot == id);
        assert_eq!((has(&snapshot), has(&old)), (true, false), "{moment:?} `{step}`: {snapshots:?}");
    }
    // One that failed leaves the stand-in alone, and the next bake needs nothing else.
    let at = steps.iter().position(|name| name == "register image `light`").expect("there is such a step");
    let failed = bake(&|number, now| (number == at && now == Moment::Before).then_some(Mishap::Fail));
    failed.ended.expect_err("it failed");
    let next = unwind::run(&lab, &light.request(None), unwind::calm);
    assert_eq!(the_one(&lab).0, next.ended.expect("baked").image);
    assert_eq!((next.kept.len(), next.left), (0, vec![]), "its layers are there");
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}

/// The only image whose name begins with `light`, which is all of its name, and the snapshot behind its root.
pub fn the_one(lab: &Lab) -> (String, String) {
    let filters = vec![ec2::Filter::new("name", ["light*"])];
    let request = ec2::DescribeImagesRequest { filters, ..Default::default() };
    let images = lab.api().send(request).expect("images").images;
    let [image] = images.as_slice() else { panic!("{images:#?}") };
    assert_eq!(image.name.as_deref(), Some("light"));
    let snapshot = image.block_device_mappings[0].ebs.as_ref().and_then(|ebs| ebs.snapshot_id.clone());
    (image.image_id.clone().expect("an id"), snapshot.expect("a snapshot"))
}
