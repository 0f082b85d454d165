//! The unwind test: whatever step of a bake fails, before its effect or after it, everything is as it was. Written over the list of steps,
//! so that it holds for every path, and for steps that are added.

use std::collections::BTreeSet;

use ovenbird_aws::ec2;
use ovenbird_bake::Baked;
use ovenbird_bake::Event;
use ovenbird_bake::Mishap;
use ovenbird_bake::Moment;
use ovenbird_bake::Request;
use ovenbird_core::block::Digest;
use ovenbird_disk::namespace::enter_private_with_this_thread;

use super::light::Light;
use super::random::Random;
use super::world::World;
use crate::support::Lab;
use crate::support::audit;

/// A lab for bakes of this very thread. As `ovenbird bake` does, it mounts where nobody else sees it: a process that takes a mount namespace
/// of its own meanwhile would keep a copy of the mounts.
pub fn lab() -> Lab {
    enter_private_with_this_thread().expect("root may");
    let lab = Lab::start_for_bakes();
    lab.base();
    lab
}

/// How a bake went.
pub struct Course {
    pub ended: Result<Baked, String>,
    /// The names of the steps that began, in order.
    pub steps: Vec<String>,
    /// Layers that stay, whatever became of the bake.
    pub kept: BTreeSet<String>,
    /// What could not be taken back.
    pub left: Vec<String>,
    /// Where EC2 had no room.
    pub full: Vec<String>,
    /// The bake, where all of it stays.
    pub stays: Option<String>,
}

impl Course {
    pub fn tree(&self) -> Digest {
        let baked = self.ended.as_ref().unwrap_or_else(|error| panic!("{error}"));
        baked.manifest.as_ref().expect("it was baked").tree
    }
}

/// Bakes in this process; `mishap` sees the number of the step, from 0, and the moment.
fn bake(
    light: &Light<'_>,
    resume: Option<&str>,
    rebuild: bool,
    mishap: impl Fn(usize, Moment) -> Option<Mishap>,
) -> Course {
    let mut request = light.request(resume);
    request.rebuild |= rebuild;
    run(light.lab, &request, mishap)
}

/// Bakes what is asked for. Any number of threads may, each a bake.
pub fn run(lab: &Lab, request: &Request, mishap: impl Fn(usize, Moment) -> Option<Mishap>) -> Course {
    run_by_name(lab, request, |number, _, moment| mishap(number, moment))
}

/// The same; `mishap` sees the name of the step too.
pub fn run_by_name(lab: &Lab, request: &Request, mishap: impl Fn(usize, &str, Moment) -> Option<Mishap>) -> Course {
    let (mut steps, mut kept, mut left, mut full, mut stays) =
        (Vec::new(), BTreeSet::new(), Vec::new(), Vec::new(), None);
    let api = lab.api();
    let mut on_event = |event| match event {
        Event::Kept { snapshot, .. } => drop(kept.insert(snapshot)),
        Event::Left { step, error } => left.push(format!("{step}: {error}")),
        Event::NoCapacity { tried, .. } => full.push(tried),
        Event::Stays { bake, .. } => stays = Some(bake),
        _ => {}
    };
    let mut mishaps = |step: &str, moment: Moment| {
        if moment == Moment::Before {
            steps.push(step.to_owned());
        }
        mishap(steps.iter().position(|known| known == step).expect("it began"), step, moment)
    };
    let ended = api.wait_for(ovenbird_bake::bake_with_mishaps(api.client(), request, &mut on_event, &mut mishaps));
    Course { ended: ended.map(|(_, baked)| baked).map_err(|error| error.chain()), steps, kept, left, full, stays }
}

/// A bake of which nothing is known. That its steps are those of any later one, the package lists are read beforehand, if they are old;
/// what fetches the base is a step of every bake.
fn undisturbed(light: &Light<'_>) -> Course {
    light.lab.home.run(["plan", "light"]).ok();
    bake(light, None, false, calm)
}

pub fn calm(_: usize, _: Moment) -> Option<Mishap> {
    None
}

#[test]
fn a_direct_bake_unwinds_from_every_step() {
    let lab = lab();
    let light = Light::finished(&lab, Random::new());
    let steps = unwinds(&light);
    the_doctor_takes_back_a_copy_in_another_region(&light, &steps);
}

/// A bake that died when its image was in another region already.
fn the_doctor_takes_back_a_copy_in_another_region(light: &Light<'_>, steps: &[String]) {
    light.change();
    let (home, before) = (&light.lab.home, World::of(light.lab));
    let at = steps.iter().position(|step| step == "copy image to eu-west-1").expect("it copies");
    let died = bake(light, None, false, |number, now| (number == at && now == Moment::After).then_some(Mishap::Die));
    died.ended.expect_err("it died");
    let found = home.run(["doctor", "--json"]).exits(6).events();
    let copies = found[0]["abandoned"][0]["copies"].as_array().expect("a list");
    assert_eq!(copies.iter().map(|copy| &copy["region"]).collect::<Vec<_>>(), ["eu-west-1"]);
    home.run(["doctor", "--fix"]).ok();
    World::of(light.lab).is(&before, &died.kept, "what a bake with a copy had left");
}

/// A failure at every step, before and after its effect, with every undoing run twice.
fn unwinds(light: &Light<'_>) -> Vec<String> {
    let undisturbed = undisturbed(light);
    undisturbed.tree();
    is_finished(light.lab, &undisturbed.ended.as_ref().expect("baked").image);
    println!("{} steps:\n  {}", undisturbed.steps.len(), undisturbed.steps.join("\n  "));
    for number in 0..undisturbed.steps.len() {
        for moment in [Moment::Before, Moment::After] {
            // Other files, so that no layer is known.
            light.change();
            let before = World::of(light.lab);
            let course = bake(light, None, false, |at, now| match now {
                Moment::Undone => Some(Mishap::Again),
                now => (at == number && now == moment).then_some(Mishap::Fail),
            });
            let name = course.steps.last().cloned().unwrap_or_default();
            let error = course.ended.expect_err("a step failed");
            assert!(error.contains("a test broke in here"), "{error}");
            assert_eq!(course.left, [""; 0], "{moment:?} `{name}`");
            World::of(light.lab).is(&before, &course.kept, &format!("{moment:?} `{name}`"));
        }
    }
    undisturbed.steps
}

/// What the template wants of a finished image is so, here and in the other region.
pub fn is_finished(lab: &Lab, image: &str) {
    let made = lab.api().find_image(image).expect("the image is there");
    assert!(made.deprecation_time.as_deref().is_some_and(|time| time.contains("T03:04:00")), "{made:?}");
    assert!(made.deregistration_protection.as_deref().is_some_and(|state| state.starts_with("enabled")), "{made:?}");
    let snapshot = made.block_device_mappings[0].ebs.as_ref().and_then(|ebs| ebs.snapshot_id.clone());
    let request = ec2::DescribeSnapshotAttributeRequest {
        snapshot_id: snapshot,
        attribute: Some("createVolumePermission".to_owned()),
        ..Default::default()
    };
    let shared = lab.api().send(request).expect("an attribute").create_volume_permissions;
    let users: Vec<_> = shared.into_iter().filter_map(|permission| permission.user_id).collect();
    assert!(users.contains(&"444455556666".to_owned()), "{users:?}");
    let there = lab.api().client().in_region("eu-west-1");
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], ..Default::default() };
    let copies = lab.api().wait_for(there.send(request)).expect("images").images;
    let named: Vec<_> = copies.iter().filter(|copy| copy.name == made.name).collect();
    assert_eq!(named.len(), 1, "{copies:?}");
    assert_eq!(named[0].deprecation_time, made.deprecation_time);
}

#[test]
fn a_direct_bake_whose_steps_all_run_twice_has_one_effect() {
    let lab = lab();
    let light = Light::of_files(&lab, Random::new());
    bake(&light, None, false, calm).tree();
    light.change();
    let before = World::of(&lab);
    let twice = bake(&light, None, false, |_, moment| (moment == Moment::After).then_some(Mishap::Again));
    let image = &twice.ended.as_ref().unwrap_or_else(|error| panic!("{error}")).image;
    let made = twice.kept.iter().chain([image]).cloned().collect();
    World::of(&lab).is(&before, &made, "every step twice");
    let once = bake(&light, None, true, calm);
    assert_eq!((once.kept.len(), once.tree()), (twice.kept.len(), twice.tree()));
}

#[test]
fn a_direct_bake_that_dies_at_any_step_is_resumed() {
    let lab = lab();
    let light = Light::of_files(&lab, Random::new());
    let undisturbed = undisturbed(&light);
    let mut before = World::of(&lab);
    for number in 0..undisturbed.steps.len() {
        for moment in [Moment::Before, Moment::After] {
            let died = bake(&light, None, true, |at, now| (at == number && now == moment).then_some(Mishap::Die));
            let name = died.steps.last().cloned().unwrap_or_default();
            died.ended.as_ref().expect_err("it died");
            let bakes = lab.list_bakes();
            assert_eq!(bakes.len(), 1, "{moment:?} `{name}`");
            let resumed = bake(&light, Some(&bakes[0]), false, calm);
            assert_eq!(resumed.tree(), undisturbed.tree(), "{moment:?} `{name}`");
            let image = resumed.ended.as_ref().expect("baked").image.clone();
            let made = died.kept.iter().chain(&resumed.kept).chain([&image]).cloned().collect();
            let after = World::of(&lab);
            after.is(&before, &made, &format!("{moment:?} `{name}`, resumed"));
            before = after;
        }
    }
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}
