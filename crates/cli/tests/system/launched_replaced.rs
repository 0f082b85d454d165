//! `force_deregister` of a bake on an instance.

use ovenbird_aws::ec2;
use ovenbird_bake::Mishap;
use ovenbird_bake::Moment;
use serde_json::Value;
use serde_json::json;

use super::launched_bake::differences;
use super::launched_bake::read_contents;
use super::light::Light;
use super::main_job::Baked;
use super::random::Random;
use super::replaced::PROJECT;
use super::replaced::template;
use super::replaced::the_one;
use super::unwind;
use crate::support::Lab;
use crate::support::audit;

/// A template that replaces, where EC2 stops no instance, and with a key.
fn on_the_spot_market(text: &str) -> Value {
    let mut template = template(&format!("echo {text} | sudo tee /opt/text"));
    for (option, value) in
        [("spot_price", json!("auto")), ("encrypt_boot", json!(true)), ("kms_key_id", json!("alias/nest"))]
    {
        template["builders"][0][option] = value;
    }
    template
}

/// CreateImage reboots an instance that cannot be stopped, and from then on it is sealed no more.
#[test]
fn an_instance_is_imaged_once_where_its_image_replaces_another() {
    let lab = Lab::start("container");
    lab.base();
    let (home, api) = (&lab.home, lab.api());
    home.write("ovenbird.toml", PROJECT);
    let bake = |text: &str| {
        home.write("one.json", on_the_spot_market(text).to_string());
        Baked::of(&home.run(["bake", "one", "--launch", "--json"]))
    };
    let calls = || lab.calls(["ec2:CreateImage", "ec2:CopyImage"]);
    bake("first");
    let before = calls();
    let second = bake("second");
    assert_eq!(calls(), [before[0] + 1, before[1] + 1]);
    let instances = api.send(ec2::DescribeInstancesRequest::default()).expect("instances").reservations;
    let instances = instances.into_iter().flat_map(|reservation| reservation.instances);
    let markets: Vec<_> = instances.map(|instance| instance.instance_lifecycle).collect();
    assert_eq!(markets, ["spot"; 2].map(|market| Some(market.to_owned())));

    let image = api.find_image(&second.image).expect("the image is there");
    assert_eq!(image.name.as_deref(), Some("one"));
    let snapshot = image.block_device_mappings[0].ebs.as_ref().and_then(|ebs| ebs.snapshot_id.clone()).expect("one");
    assert_eq!(encrypted_snapshots(&lab), [snapshot.as_str()], "it has the key, and nothing else is left");
    let kept = home.contents_file(&snapshot);
    let told = read_contents(&kept);
    fs_err::remove_file(&kept).expect("removed, so that the blocks are read");
    home.run(["sbom", &second.image]).ok();
    assert_eq!(differences(&told, &read_contents(&kept)), [""; 0], "what was sealed is what the image holds");
    assert_eq!(audit(&home.local_state()), [""; 0]);
}

#[test]
fn a_bake_that_died_between_its_two_images_needs_no_other_instance() {
    let lab = Lab::start("container");
    lab.base();
    let light = Light::replacing(&lab, Random::new());
    let steps = unwind::run(&lab, &light.request(None), unwind::calm).steps;
    // Where something has the name, three come before: the stand-in is made and published, and the old image makes way.
    let retires = steps.iter().position(|step| step == "create image `light`").expect("there is such a step") + 2;
    let (_, old) = the_one(&lab);
    light.change();
    let calls = || lab.calls(["ec2:RunInstances", "ec2:CreateImage", "ec2:CopyImage"]);
    let before = calls();
    let dies = |number, moment| (number == retires && moment == Moment::After).then_some(Mishap::Die);
    let died = unwind::run(&lab, &light.request(None), dies);
    assert!(died.steps.last().is_some_and(|step| step.starts_with("retire image")), "{:?}", died.steps);
    let resumed = unwind::run(&lab, &light.request(died.stays.as_deref()), unwind::calm);
    let (image, snapshot) = the_one(&lab);
    assert_eq!((resumed.ended.expect("baked").image, resumed.left), (image, vec![]));
    let made: Vec<u64> = calls().into_iter().zip(before).map(|(now, before)| now - before).collect();
    // The stand-in is asked for twice: its name says that it is there.
    assert_eq!(made, [1, 2, 1]);
    let snapshots = lab.api().snapshots();
    let has = |id: &str| snapshots.iter().any(|(snapshot, _)| snapshot == id);
    assert_eq!((has(&snapshot), has(&old)), (true, false), "{snapshots:?}");
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}

/// Those with the template's key.
fn encrypted_snapshots(lab: &Lab) -> Vec<String> {
    let request = ec2::DescribeSnapshotsRequest { owner_ids: vec!["self".to_owned()], ..Default::default() };
    let snapshots = lab.api().send(request).expect("snapshots").snapshots.into_iter();
    snapshots.filter(|snapshot| snapshot.kms_key_id.is_some()).filter_map(|snapshot| snapshot.snapshot_id).collect()
}
