//! A base that may be launched and not copied: it is launched once, whatever becomes of that bake, and every bake over it is direct.

use std::collections::BTreeSet;
use std::time::Duration;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_bake::Mishap;
use ovenbird_bake::Moment;
use ovenbird_core::tags;
use ovenbird_disk::namespace::enter_private_with_this_thread;
use ovenbird_disk::wait::wait_until;

use super::launched_bake::left_of;
use super::launched_bake::read_contents;
use super::light::Light;
use super::main_job::Baked;
use super::random::Random;
use super::unwind::Course;
use super::unwind::run_by_name;
use super::world::World;
use crate::support::Api;
use crate::support::Lab;
use crate::support::audit;

/// Somebody who lets everybody launch an image, and nobody read it.
const KEEPER: &str = "444455556666";
/// Where the launch of the base fails, by the beginning of the step's name.
const FAILURES: [(&str, Moment); 4] = [
    ("launch instance", Moment::After),
    ("seal instance", Moment::After),
    ("create base", Moment::After),
    ("publish base", Moment::Before),
];

#[test]
fn a_base_that_may_not_be_copied_is_launched_once() {
    enter_private_with_this_thread().expect("root may");
    let lab = Lab::start("container");
    let debian = lab.base();
    let kept = keep(&lab, &debian);
    let light = Light::of_files(&lab, Random::new());
    let debians = r#""source_ami_filter": {"filters": {"name": "debian-12-amd64-*"}, "owners": ["136693071363"], "most_recent": true}"#;
    lab.home.edit("light.json", debians, &format!(r#""source_ami": "{kept}""#));

    // The default group is there since somebody asked.
    assert_eq!(left_of(&lab), [""; 0]);
    unwinds(&light);
    the_doctor_takes_back_half_of_it(&light);
    is_resumed(&light);
    is_ended_by_the_bake_that_is_resumed(&light);
    later_bakes_launch_nothing(&light, &kept);
    is_sealed(&lab);
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}

/// Debian's image as the keeper's own.
fn keep(lab: &Lab, debian: &str) -> String {
    let keeper = Api::of_account(&lab.home, KEEPER);
    let copy = ec2::CopyImageRequest {
        name: Some("kept".to_owned()),
        source_image_id: Some(debian.to_owned()),
        source_region: Some("us-east-1".to_owned()),
        ..Default::default()
    };
    let kept = keeper.send(copy).expect("copied").image_id.expect("an id");
    let is_available = || {
        let state = keeper.find_image(&kept).and_then(|image| image.state);
        (state.as_deref() == Some("available")).then_some(())
    };
    wait_until(Duration::from_secs(30), Duration::from_millis(50), is_available).expect("it is available");
    let everybody = ec2::LaunchPermission { group: Some("all".to_owned()), ..Default::default() };
    let share = ec2::ModifyImageAttributeRequest {
        image_id: Some(kept.clone()),
        launch_permission: Some(ec2::LaunchPermissionModifications { add: vec![everybody], ..Default::default() }),
        ..Default::default()
    };
    keeper.send(share).expect("shared");
    kept
}

fn bake(light: &Light<'_>, resume: Option<&str>, mishap: impl Fn(&str, Moment) -> Option<Mishap>) -> Course {
    run_by_name(light.lab, &light.request(resume), |_, step, moment| mishap(step, moment))
}

/// A failure, with every undoing run twice.
fn unwinds(light: &Light<'_>) {
    let before = World::of(light.lab);
    for (step, moment) in FAILURES {
        let course = bake(light, None, |at, now| match now {
            Moment::Undone => Some(Mishap::Again),
            now => (at.starts_with(step) && now == moment).then_some(Mishap::Fail),
        });
        let error = course.ended.expect_err("a step failed");
        assert!(error.contains("a test broke in here"), "{moment:?} `{step}`: {error}");
        assert_eq!(course.left, [""; 0], "{moment:?} `{step}`");
        World::of(light.lab).is(&before, &BTreeSet::new(), &format!("{moment:?} `{step}`"));
    }
}

/// A bake that died when its instance had stopped, and the image of it was there.
fn the_doctor_takes_back_half_of_it(light: &Light<'_>) {
    let before = World::of(light.lab);
    dies(light, "create base");
    let home = &light.lab.home;
    let found = home.run(["doctor", "--json"]).exits(6).events();
    let launched = found[0]["abandoned"][0]["launched"].as_array().expect("a list").len();
    assert_eq!(launched, 3, "an instance, its group and its key: {found:?}");
    home.run(["doctor", "--fix"]).ok();
    World::of(light.lab).is(&before, &BTreeSet::new(), "half of a base");
}

fn dies(light: &Light<'_>, step: &str) -> String {
    let died = bake(light, None, |at, now| (at.starts_with(step) && now == Moment::After).then_some(Mishap::Die));
    died.ended.expect_err("it died");
    died.stays.expect("all of it stays")
}

/// The instance that was sealed and stopped is gone on with.
fn is_resumed(light: &Light<'_>) {
    let lab = light.lab;
    let before = World::of(lab);
    let [launches] = lab.calls(["ec2:RunInstances"]);
    let bake_id = dies(light, "create base");
    let resumed = bake(light, Some(&bake_id), |_, _| None);
    let mut made = resumed.kept.clone();
    made.insert(resumed.ended.expect("baked").image);
    made.extend(owned(lab));
    assert_eq!(lab.calls(["ec2:RunInstances"]), [launches + 1]);
    World::of(lab).is(&before, &made, "a launch of the base that was resumed");
}

/// Of a bake that died when the base was ours, and its instance not yet ended.
fn is_ended_by_the_bake_that_is_resumed(light: &Light<'_>) {
    let lab = light.lab;
    disown(lab);
    light.change();
    let before = World::of(lab);
    let bake_id = dies(light, "publish base");
    assert_eq!(left_of(lab).len(), 3, "an instance, its group and its key");
    let [launches] = lab.calls(["ec2:RunInstances"]);
    let resumed = bake(light, Some(&bake_id), |_, _| None);
    let mut made = resumed.kept.clone();
    made.insert(resumed.ended.expect("baked").image);
    made.extend(owned(lab));
    assert_eq!(lab.calls(["ec2:RunInstances"]), [launches]);
    World::of(lab).is(&before, &made, "a base that was ours already");
}

/// Our own base and its snapshot, found by the tag.
fn owned(lab: &Lab) -> BTreeSet<String> {
    let api = lab.api();
    let owned = [api.images_with(tags::OWNED_BY), api.snapshots_with(tags::OWNED_BY)].concat();
    assert_eq!(owned.len(), 2, "{owned:?}");
    owned.into_iter().collect()
}

fn disown(lab: &Lab) {
    let api = lab.api();
    for id in owned(lab).into_iter().filter(|id| id.starts_with("ami-")) {
        let (image_id, delete_associated_snapshots) = (Some(id), Some(true));
        let request = ec2::DeregisterImageRequest { image_id, delete_associated_snapshots, ..Default::default() };
        api.send(request).expect("deregistered");
    }
}

/// From nothing, and with a key: the first bake says what it does, and one of another service finds its base.
fn later_bakes_launch_nothing(light: &Light<'_>, kept: &str) {
    let (lab, home) = (light.lab, &light.lab.home);
    disown(lab);
    light.change();
    let name = r#""light {{uuid}}""#;
    home.edit("light.json", name, &format!(r#"{name}, "encrypt_boot": true, "kms_key_id": "alias/nest""#));
    let [launches] = lab.calls(["ec2:RunInstances"]);
    let first = home.run(["bake", "light", "--no-pointer", "--json"]);
    let events = first.clone().ok().events();
    let told = events.iter().find(|event| event["event"] == "not_to_be_copied").expect("it is told");
    assert_eq!(told["image"], kept);
    assert!(told["why"].as_str().is_some_and(|why| why.contains("permission to access the storage")), "{told}");
    assert_eq!(left_of(lab), [""; 0]);
    assert_eq!(Baked::of(&first).ran.len(), 2, "no provisioner was run on the instance");

    light.change();
    home.edit("ovenbird.toml", "[services.light]", "[services.other]\ntemplate = \"light.json\"\n[services.light]");
    let other = home.run(["bake", "other", "--no-pointer"]).ok();
    other.warns("no instance launched");
    let counts = lab.calls(["ec2:RunInstances"]);
    assert_eq!(counts, [launches + 1], "the base is launched once");
    assert_eq!(left_of(lab), [""; 0]);
}

/// What our own base says of itself, and what sealing has taken away.
fn is_sealed(lab: &Lab) {
    let api = lab.api();
    let [image] = api.images_with(tags::OWNED_BY).try_into().expect("one");
    let found = api.find_image(&image).expect("it is there");
    assert_eq!(Tag::find(&found.tags, tags::OWNED_BY), Some("launch"));
    let ebs = found.block_device_mappings[0].ebs.clone().expect("a volume");
    assert_eq!((ebs.encrypted, Tag::find(&found.tags, tags::BASE_KEY)), (Some(true), Some("alias/nest")));
    let snapshot = ebs.snapshot_id.expect("a snapshot");
    assert_eq!(api.snapshots_with(tags::BASE_OF), [snapshot.as_str()]);
    lab.home.run(["sbom", &image]).ok();
    let held = read_contents(&lab.home.contents_file(&snapshot));
    let files = held["files"].as_object().expect("files");
    assert!(files.contains_key("/home/admin/.profile"), "it was booted");
    let is_identity = |path: &&String| path.contains("ssh_host_") || path.contains("authorized_keys");
    assert_eq!(files.keys().find(is_identity), None);
    assert_eq!(files["/etc/machine-id"]["size"], 0);
}
