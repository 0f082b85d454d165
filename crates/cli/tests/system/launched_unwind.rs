//! The unwind test of a bake on an instance. Each round boots an instance, so rounds are run side by side, each a bake of its own: what is
//! compared is the world before all of them and the world after.

use std::collections::BTreeSet;
use std::time::Instant;

use ovenbird_aws::ec2;
use ovenbird_bake::Mishap;
use ovenbird_bake::Moment;
use ovenbird_bake::Request;
use ovenbird_core::manifest::Manifest;

use super::launched_bake::differences;
use super::launched_bake::read_contents;
use super::launched_kill;
use super::light::Light;
use super::random::Random;
use super::side_by_side::side_by_side;
use super::unwind::Course;
use super::unwind::calm;
use super::unwind::is_finished;
use super::unwind::run;
use super::world::World;
use crate::support::Lab;
use crate::support::audit;

/// How much longer a bake takes while others run beside it.
const SHARED: f64 = 1.5;

/// A moment of a step, by its number.
type Spot = (usize, Moment);

/// Where a bake dies that is resumed, by the beginning of the step's name, and how many instances it takes in all. A provisioner or a seal
/// that was cut off cannot be gone on with, nor can a sealed instance that goes on running.
const RESUMED: [(&str, Moment, u64); 8] = [
    ("launch instance", Moment::After, 1),
    ("connect", Moment::After, 1),
    ("run ", Moment::Before, 2),
    ("run ", Moment::After, 1),
    ("seal instance", Moment::After, 2),
    ("stop instance", Moment::After, 1),
    ("create image", Moment::After, 1),
    ("publish image", Moment::After, 1),
];

#[test]
fn a_launched_bake_unwinds_from_every_step_and_is_resumed() {
    let lab = Lab::start("container");
    lab.base();
    let random = Random::new();
    let light = Light::launched(&lab, random.clone());
    let undisturbed = bake(&light, calm);
    let tree = manifest(&undisturbed);
    println!("{} steps:\n  {}", undisturbed.steps.len(), undisturbed.steps.join("\n  "));
    is_finished(&lab, &undisturbed.ended.as_ref().expect("baked").image);
    let began = Instant::now();
    every_step_twice_has_one_effect(&light, &tree);
    let whole = began.elapsed().as_secs_f64();
    let spots: Vec<Spot> = (0..undisturbed.steps.len())
        .flat_map(|number| [Moment::Before, Moment::After].map(|moment| (number, moment)))
        .collect();
    unwinds(&light, &spots);
    is_resumed(&light, &undisturbed.steps, &tree);
    the_doctor_takes_back(&light, &undisturbed.steps);
    launched_kill::is_resumed_or_leaves_nothing(&light, &random, whole * SHARED, &tree.tree.hex());
    another_place_is_taken_where_there_is_no_room(&light);
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}

fn every_step_twice_has_one_effect(light: &Light<'_>, undisturbed: &Manifest) {
    let before = World::of(light.lab);
    let twice = bake(light, |_, moment| (moment == Moment::After).then_some(Mishap::Again));
    is_same_tree(light.lab, &manifest(&twice), undisturbed);
    World::of(light.lab).is(&before, &made_by(light.lab, &twice), "every step twice");
}

/// A failure before every step's effect and after it, with every undoing run twice.
fn unwinds(light: &Light<'_>, spots: &[Spot]) {
    let before = World::of(light.lab);
    rounds(light, spots, |request, (number, moment)| {
        let course = run(light.lab, request, |at, now| match now {
            Moment::Undone => Some(Mishap::Again),
            now => (at == number && now == moment).then_some(Mishap::Fail),
        });
        let name = course.steps.last().cloned().unwrap_or_default();
        let error = course.ended.expect_err("a step failed");
        assert!(error.contains("a test broke in here"), "{moment:?} `{name}`: {error}");
        assert_eq!(course.left, [""; 0], "{moment:?} `{name}`");
    });
    World::of(light.lab).is(&before, &BTreeSet::new(), "a failure of every step");
}

/// Bakes that died, and are gone on with: by the instance that they had, or by another.
fn is_resumed(light: &Light<'_>, steps: &[String], undisturbed: &Manifest) {
    let before = World::of(light.lab);
    let spots = RESUMED.map(|(step, moment, _)| (find(steps, step), moment));
    let [launches] = light.lab.calls(["ec2:RunInstances"]);
    let made = rounds(light, &spots, |request, (number, moment)| {
        let died = run(light.lab, request, |at, now| (at == number && now == moment).then_some(Mishap::Die));
        died.ended.expect_err("it died");
        let request = Request { resume: died.stays, ..request.clone() };
        let resumed = run(light.lab, &request, calm);
        is_same_tree(light.lab, &manifest(&resumed), undisturbed);
        assert_eq!(resumed.left, [""; 0]);
        made_by(light.lab, &resumed)
    });
    let made = made.into_iter().flatten().collect();
    let wanted = RESUMED.iter().map(|(_, _, instances)| instances).sum::<u64>();
    assert_eq!(
        light.lab.calls(["ec2:RunInstances"])[0] - launches,
        wanted,
        "another instance is launched only where it must be"
    );
    World::of(light.lab).is(&before, &made, "bakes that died and were resumed");
}

/// Bakes that died where they have the most: an instance that runs; one that has stopped, an image, and its copy.
fn the_doctor_takes_back(light: &Light<'_>, steps: &[String]) {
    let before = World::of(light.lab);
    let spots = ["connect", "copy image"].map(|step| (find(steps, step), Moment::After));
    rounds(light, &spots, |request, (number, moment)| {
        let died = run(light.lab, request, |at, now| (at == number && now == moment).then_some(Mishap::Die));
        died.ended.expect_err("it died");
    });
    let home = &light.lab.home;
    let found = home.run(["doctor", "--json"]).exits(6).events();
    let abandoned = found[0]["abandoned"].as_array().expect("a list");
    for bake in abandoned {
        let launched: Vec<&str> =
            bake["launched"].as_array().expect("a list").iter().filter_map(|id| id.as_str()).collect();
        let kinds = ["i-", "key-", "sg-"].map(|kind| launched.iter().filter(|id| id.starts_with(kind)).count());
        assert_eq!(kinds, [1, 1, 1], "{bake}");
    }
    assert_eq!(abandoned.len(), spots.len());
    is_tagged(light.lab, spots.len());
    home.run(["doctor", "--fix"]).ok();
    World::of(light.lab).is(&before, &BTreeSet::new(), "what bakes had left that were not resumed");
}

/// Thirteen times there is no room: not for the type on the spot market in any of the six zones, not for the other type there, and not on
/// demand in the first zone.
fn another_place_is_taken_where_there_is_no_room(light: &Light<'_>) {
    let lab = light.lab;
    let template = r#""instance_type": "t3.micro""#;
    lab.home.edit(
        "light.json",
        template,
        &format!(r#"{template}, "spot_price": "auto", "spot_instance_types": ["t3.small"]"#),
    );
    lab.down(&[]);
    // By this seed the calls of RunInstances meet the fault but for the fourteenth.
    lab.up_with(&["--faults", "capacity=90%", "--fault-seed", "91"]);
    let before = World::of(lab);
    let died = bake(light, |number, now| (number == 2 && now == Moment::After).then_some(Mishap::Die));
    let ways = ["t3.micro on the spot market", "t3.small on the spot market", "t3.micro on demand"];
    let tried = |way: &str| died.full.iter().filter(|tried| tried.starts_with(way)).collect::<BTreeSet<_>>().len();
    assert_eq!(ways.map(tried), [6, 6, 1], "{:?}", died.full);
    let bake = died.stays.expect("it died");
    let request =
        ec2::DescribeInstancesRequest { filters: vec![ec2::Filter::tag("ovenbird:bake", &bake)], ..Default::default() };
    let found = lab.api().send(request).expect("instances").reservations;
    let [instance] = found[0].instances.as_slice() else { panic!("one instance: {found:?}") };
    assert_eq!((instance.instance_type.as_deref(), &instance.instance_lifecycle), (Some("t3.micro"), &None));
    let subnet = instance.subnet_id.as_deref().expect("it lives");
    assert!(!died.full[12].ends_with(subnet), "{subnet} is not the one that had no room: {:?}", died.full);
    lab.home.run(["doctor", "--fix"]).ok();
    World::of(lab).is(&before, &BTreeSet::new(), "a bake that found no room at first");
}

/// All that is launched for a bake has the template's `run_tags`.
fn is_tagged(lab: &Lab, bakes: usize) {
    let (api, filters) = (lab.api(), vec![ec2::Filter::tag("team", "birds")]);
    let pairs = api.send(ec2::DescribeKeyPairsRequest { filters: filters.clone(), ..Default::default() });
    let groups = api.send(ec2::DescribeSecurityGroupsRequest { filters: filters.clone(), ..Default::default() });
    let volumes = api.send(ec2::DescribeVolumesRequest { filters, ..Default::default() });
    let counts = [
        pairs.expect("key pairs").key_pairs.len(),
        groups.expect("groups").security_groups.len(),
        volumes.expect("volumes").volumes.len(),
    ];
    assert_eq!(counts, [bakes; 3], "key pairs, security groups, volumes");
}

fn find(steps: &[String], start: &str) -> usize {
    steps.iter().position(|step| step.starts_with(start)).expect("there is such a step")
}

fn bake(light: &Light<'_>, mishap: impl Fn(usize, Moment) -> Option<Mishap>) -> Course {
    run(light.lab, &request(light), mishap)
}

/// There is an image of the same key after the first, and it is not to be taken.
fn request(light: &Light<'_>) -> Request {
    Request { rebuild: true, ..light.request(None) }
}

/// Does `round` for each of the spots, with a request of its own.
fn rounds<R: Send>(light: &Light<'_>, spots: &[Spot], round: impl Fn(&Request, Spot) -> R + Sync) -> Vec<R> {
    let began = Instant::now();
    let all: Vec<(Request, Spot)> = spots.iter().map(|spot| (request(light), *spot)).collect();
    let ends = side_by_side(&all, |(request, spot)| round(request, *spot));
    println!("{} rounds took {:.1} s", spots.len(), began.elapsed().as_secs_f64());
    ends
}

fn manifest(course: &Course) -> Manifest {
    let baked = course.ended.as_ref().unwrap_or_else(|error| panic!("{error}"));
    baked.manifest.clone().expect("it was baked")
}

/// All that a bake leaves.
fn made_by(lab: &Lab, course: &Course) -> BTreeSet<String> {
    images_named(lab, &course.ended.as_ref().expect("baked").name)
}

/// The image of this name, its copy, and the snapshots of both.
pub fn images_named(lab: &Lab, name: &str) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for region in ["us-east-1", "eu-west-1"] {
        let client = lab.api().client().in_region(region);
        let filters = vec![ec2::Filter::new("name", [name])];
        let request = ec2::DescribeImagesRequest { filters, ..Default::default() };
        let images = lab.api().wait_for(client.send(request)).expect("images").images;
        assert_eq!(images.len(), 1, "`{name}` in {region}");
        for image in images {
            made.extend(image.image_id);
            made.extend(image.block_device_mappings.into_iter().filter_map(|mapping| mapping.ebs?.snapshot_id));
        }
    }
    made
}

/// The digests must be the same; where they are not, it is told which files differ.
#[track_caller]
fn is_same_tree(lab: &Lab, one: &Manifest, other: &Manifest) {
    if one.tree != other.tree {
        let contents =
            |manifest: &Manifest| read_contents(&lab.home.contents_file(&manifest.regions["us-east-1"].snapshot));
        panic!("the trees differ: {:#?}", differences(&contents(one), &contents(other)));
    }
}
