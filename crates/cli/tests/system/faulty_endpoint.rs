//! Whole bakes against an endpoint that does what AWS is known for (offline.md section 9): each succeeds, or fails with the true cause;
//! none hangs, and nothing of a failed one is left.

use std::collections::BTreeSet;
use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::ec2;
use ovenbird_core::tags;
use ovenbird_local::FaultMode;
use serde_json::Value;

use super::light::Light;
use super::random::Random;
use super::world::World;
use crate::support::Lab;
use crate::support::Ran;

/// A bake of seconds waits up to 20 s for each answer that never comes, and pauses between tries.
const DEADLINE: Duration = Duration::from_secs(240);
/// So many seeds are tried until a bake meets its fault.
const SEEDS: u64 = 6;

/// How a bake went under faults.
struct Course {
    ran: Ran,
    /// How often the bake met each fault.
    met: Value,
}

impl Course {
    fn has_met(&self, mode: FaultMode) -> bool {
        self.met[mode.name()].as_u64().is_some_and(|count| count > 0)
    }

    /// The error with its causes; `None` after a success.
    fn cause(&self) -> Option<String> {
        (self.ran.code != 0).then(|| {
            let last = self.ran.json();
            assert_eq!(last["event"], "error", "{last}");
            last.to_string()
        })
    }
}

/// Bakes under these faults. Afterwards the endpoint has none, so that its listings are true, and it holds what it held before and
/// what the bake says that it keeps.
fn bake_under(light: &Light<'_>, faults: &str, seed: u64, options: &[&str]) -> Course {
    let lab = light.lab;
    light.change();
    let before = World::of(lab);
    lab.down(&[]);
    lab.up_with(&["--faults", faults, "--fault-seed", &seed.to_string()]);
    let began = Instant::now();
    let tool = lab.home.ovenbird([&["bake", "light", "--no-pointer", "--json"], options].concat()).deadline(DEADLINE);
    let ran = Ran::of(&format!("bake under {faults}, seed {seed}"), tool);
    let met = lab.status()["injected"].clone();
    lab.down(&[]);
    lab.up();
    let events = ran.events();
    println!("    {:.1} s; met {met}; {}", began.elapsed().as_secs_f64(), events.last().unwrap_or(&Value::Null));
    assert!(events.iter().all(|event| event["event"] != "left"), "{}", ran.stdout);
    let kept = events.iter().filter(|event| event["event"] == "kept").map(|event| &event["snapshot"]);
    let made = kept.chain(events.last().filter(|_| ran.code == 0).map(|last| &last["image"]));
    let made: BTreeSet<String> = made.filter_map(|id| id.as_str().map(str::to_owned)).collect();
    World::of(lab).is(&before, &made, &format!("{faults}, seed {seed}"));
    Course { ran, met }
}

/// What a bake says that meets the fault; nothing where trying again helps.
fn true_cause(mode: FaultMode) -> Option<&'static str> {
    match mode {
        FaultMode::Quota => Some("ovenbird doctor"),
        FaultMode::Capacity => Some("InsufficientInstanceCapacity"),
        FaultMode::ExpiredCredentials => Some("log in again"),
        FaultMode::SnapshotError => Some("ended as `error`"),
        FaultMode::ImageFailed => Some("ended as `failed`"),
        _ => None,
    }
}

/// Makes the next bake fetch the base's blocks.
fn forget_base(lab: &Lab) {
    let api = lab.api();
    for snapshot in api.snapshots_with(tags::BASE_OF) {
        let disk = lab.home.bake_folders().cache.join("disks").join(format!("{snapshot}.raw"));
        if disk.exists() {
            fs_err::remove_file(disk).expect("removed");
        }
    }
}

/// How often the mode happens, and with which options a bake meets it.
fn course_of(mode: FaultMode) -> (u32, &'static [&'static str]) {
    match mode {
        FaultMode::Capacity => (100, &["--launch"]),
        FaultMode::Hang => (1, &[]),
        FaultMode::Slow => (2, &[]),
        FaultMode::Stale | FaultMode::EmptyPages | FaultMode::ShortPages => (20, &[]),
        mode if mode.passes() => (5, &[]),
        _ => (100, &[]),
    }
}

#[test]
fn bakes_end_well_or_truly_whatever_the_endpoint_does() {
    let lab = Lab::start_for_bakes();
    lab.base();
    // The account's own group comes about when it is first asked for.
    lab.api().send(ec2::DescribeSecurityGroupsRequest::default()).expect("groups");
    let random = Random::new();
    let light = Light::of_files(&lab, random.clone());
    // Owns the base, and reads the package lists.
    lab.home.run(["bake", "light", "--json"]).ok();
    for mode in FaultMode::ALL {
        alone(&light, mode);
    }
    together(&Light::of_plays(&lab, random));
}

/// One fault: trying again helps, or the bake says which it was.
fn alone(light: &Light<'_>, mode: FaultMode) {
    let (rate, options) = course_of(mode);
    let bake = |seed| {
        if matches!(mode, FaultMode::ReadFailed | FaultMode::WrongBlock | FaultMode::ExpiredToken) {
            forget_base(light.lab);
        }
        bake_under(light, &format!("{}={rate}%", mode.name()), seed, options)
    };
    let course = (1..=SEEDS).map(bake).find(|course| course.has_met(mode));
    let course = course.unwrap_or_else(|| panic!("no bake of {SEEDS} met {}", mode.name()));
    match (course.cause(), true_cause(mode)) {
        (None, None) => {}
        (Some(cause), Some(words)) => assert!(cause.contains(words), "{}: {cause}", mode.name()),
        // A signature that is not believed twice in a row is no accident to the client.
        (Some(cause), None) => {
            let is_twice = mode == FaultMode::BadSignature && cause.contains("InvalidSignatureException");
            assert!(is_twice, "{} passes, and the bake failed: {cause}", mode.name());
        }
        (None, Some(_)) => panic!("{} was met, and the bake succeeded", mode.name()),
    }
}

/// All of them: the bake succeeds, or tells one of the causes that do not pass.
fn together(light: &Light<'_>) {
    let course = bake_under(light, "all=5%", 1, &[]);
    assert!(course.met.as_object().is_some_and(|met| met.len() >= 4), "{}", course.met);
    if let Some(cause) = course.cause() {
        let told = FaultMode::ALL.into_iter().filter_map(true_cause).chain(["InvalidSignatureException"]);
        assert!(told.into_iter().any(|words| cause.contains(words)), "{cause}");
    }
}
