//! A bake that is cut off leaves nothing, or is gone on with, wherever it was.

use std::io::BufRead as _;
use std::io::BufReader;
use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;
use ovenbird_disk::wait::wait_until;
use rustix::process::Signal;

use super::light::Bake;
use super::light::Light;
use super::main_job::Baked;
use super::random::Random;
use crate::support::Lab;
use crate::support::audit;

const ROUNDS: usize = 50;
/// How soon the kernel must have ended and unmounted what a killed bake had.
const FREED: Duration = Duration::from_secs(5);
/// How soon a bake must have ended that was asked to.
const PROMPT: Duration = Duration::from_secs(5);

/// Kills at random moments, each of which leaves something else behind. What is left is resumed, every fifth time taken back.
#[test]
fn a_killed_bake_is_resumed_or_leaves_nothing() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let random = Random::new();
    let light = Light::of_files(&lab, random.clone());

    // The first bake of a base fetches it, which no later one does.
    let mut bake = light.start_bake();
    read_until(&mut bake, r#""blocks""#);
    kill(&light, bake);
    take_back(&light);

    light.start_bake().process.take_stdout().map(BufReader::new).expect("its output").lines().for_each(drop);
    lab.forget_layers();
    let began = Instant::now();
    let undisturbed = Baked::of(&lab.home.run(["bake", "light", "--no-pointer", "--json"]));
    assert_eq!(undisturbed.ran.len(), 2);
    let whole = began.elapsed().as_secs_f64();
    println!("an undisturbed bake takes {whole:.1} s");

    let (mut killed, mut resumed) = (0, 0);
    while killed < ROUNDS {
        lab.forget_layers();
        let moment = Duration::from_secs_f64(random.between(0.05, whole));
        let mut bake = light.start_bake();
        let events = drain(&mut bake);
        if bake.find_end(moment).is_some() {
            continue;
        }
        kill(&light, bake);
        killed += 1;
        let events = events.join().expect("read");
        let phase =
            events.iter().rfind(|event| event.contains(r#""event":"phase""#)).map_or("the start", String::as_str);
        println!("{killed}: killed after {:.2} s, at {phase}", moment.as_secs_f64());
        // Before its first line in the journal there is nothing to go on with.
        if killed % 5 != 0 && lab.list_bakes().iter().any(|bake| lab.has_begun(bake)) {
            let again = Baked::of(&lab.home.run(["bake", "--resume", "--no-pointer", "--json"]));
            // One that was killed when it had published its image finds it.
            let tree = if again.reused { tree_of(&lab, &again.image) } else { again.tree };
            assert_eq!(tree, undisturbed.tree, "killed after {moment:?}, at {phase}");
            resumed += 1;
        } else {
            take_back(&light);
        }
        has_nothing_half_done(&lab);
    }
    println!("{resumed} of {killed} were resumed, and gave the same tree");
    assert!(resumed > ROUNDS / 2);
}

/// The digest that the image says of its tree.
fn tree_of(lab: &Lab, image: &str) -> serde_json::Value {
    let image = lab.api().find_image(image).expect("the image");
    Tag::find(&image.tags, tags::TREE).expect("a digest").into()
}

#[test]
fn an_interrupted_bake_takes_everything_back() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let light = Light::of_plays(&lab, Random::new());
    for (phase, signal) in [
        ("fetch", Signal::TERM),
        ("copy", Signal::INT),
        ("play", Signal::INT),
        ("seal", Signal::TERM),
        ("apply", Signal::INT),
        ("upload", Signal::TERM),
        ("play", Signal::TERM),
        ("upload", Signal::INT),
    ] {
        light.change();
        let mut bake = light.start_bake();
        read_until(&mut bake, &format!(r#"{{"name":"{phase}""#));
        let asked = Instant::now();
        bake.signal(signal);
        let ended =
            bake.find_end(PROMPT).unwrap_or_else(|| panic!("still baking {PROMPT:?} after {signal:?} at {phase}"));
        println!("{signal:?} at {phase}: ended after {:.2} s", asked.elapsed().as_secs_f64());
        assert_eq!(ended.code(), Some(130), "{signal:?} at {phase}: {}", bake.process.stderr_tail());
        is_freed(&bake);
        let healthy = lab.home.run(["doctor", "--json"]).ok().json();
        assert_eq!(healthy["abandoned"], serde_json::json!([]), "{signal:?} at {phase}");
        has_nothing_half_done(&lab);
    }
    Baked::of(&lab.home.run(["bake", "light", "--json"]));
}

/// `rebuild` is a process that starts others: all of them end, and their mounts with them.
#[test]
fn a_rebuild_that_is_cut_off_leaves_nothing_and_workers_may_race() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let light = Light::of_files(&lab, Random::new());
    for (signal, deadline) in [(Signal::TERM, PROMPT), (Signal::KILL, FREED)] {
        light.change();
        let mut rebuild = light.start(["rebuild", "--json"]);
        read_until(&mut rebuild, r#"{"name":"upload""#);
        rebuild.signal(signal);
        let ended = rebuild.find_end(deadline).unwrap_or_else(|| panic!("it goes on after {signal:?}"));
        assert!(!ended.success(), "{signal:?}");
        is_freed(&rebuild);
        if signal == Signal::TERM {
            assert_eq!(ended.code(), Some(130), "{}", rebuild.process.stderr_tail());
            assert_eq!(lab.home.run(["doctor", "--json"]).ok().json()["abandoned"], serde_json::json!([]));
        }
        take_back(&light);
    }

    // Two workers that bake the same layer both end well: what is made twice is the same.
    light.change();
    let racing = [light.start_bake(), light.start_bake()].map(|mut bake| {
        let events = drain(&mut bake);
        (bake, events)
    });
    let trees = racing.map(|(mut bake, events)| {
        let ended = bake.find_end(Duration::from_secs(60)).expect("it ends");
        assert!(ended.success(), "{}", bake.process.stderr_tail());
        is_freed(&bake);
        let events = events.join().expect("read");
        let last: serde_json::Value = serde_json::from_str(events.last().expect("an answer")).expect("JSON");
        last["key"].clone()
    });
    assert_eq!(trees[0], trees[1]);
    has_nothing_half_done(&lab);
    assert!(Baked::of(&lab.home.run(["bake", "light", "--no-pointer", "--json"])).reused);
    a_bake_of_layers_is_resumed_as_one(&light);
}

/// A worker that bakes up to a layer is resumed as one, or not at all.
fn a_bake_of_layers_is_resumed_as_one(light: &Light<'_>) {
    let lab = light.lab;
    light.change();
    let plan = lab.home.run(["plan", "light", "--json"]).ok().json();
    let key = plan["layers"][0]["key"].as_str().expect("a key").to_owned();
    let mut bake = light.start(["bake", "light", "--until-layer", &key, "--json"]);
    read_until(&mut bake, r#"{"name":"upload""#);
    kill(light, bake);
    lab.home.run(["bake", "--resume", "--json"]).exits(2).says(&format!("resume it with `--until-layer {key}`"));
    let resumed = lab.home.run(["bake", "--resume", "--until-layer", &key, "--json"]).ok();
    assert_eq!((&resumed.json()["event"], &resumed.json()["key"]), (&"layers".into(), &key.as_str().into()));
    has_nothing_half_done(lab);
}

/// Kills the bake. The kernel frees what it had, and the doctor lists the rest.
fn kill(light: &Light<'_>, mut bake: Bake<'_>) {
    let lab = light.lab;
    bake.signal(Signal::KILL);
    bake.find_end(FREED).expect("it is dead");
    is_freed(&bake);
    let left = lab.list_bakes();
    let found = lab.home.run(["doctor", "--json"]).exits(if left.is_empty() { 0 } else { 6 }).events();
    let abandoned = found[0]["abandoned"].as_array().expect("a list");
    let mut listed: Vec<&str> = abandoned.iter().filter_map(|bake| bake["bake"].as_str()).collect();
    listed.sort_unstable();
    assert_eq!(listed, left);
}

/// The doctor takes back what is left, and then finds nothing.
fn take_back(light: &Light<'_>) {
    let lab = light.lab;
    lab.home.run(["doctor", "--fix", "--json"]).ok();
    assert_eq!(lab.list_bakes(), [""; 0]);
    assert_eq!(lab.home.run(["doctor", "--json"]).ok().json()["abandoned"], serde_json::json!([]));
    has_nothing_half_done(lab);
}

fn is_freed(bake: &Bake<'_>) {
    _ = wait_until(FREED, Duration::from_millis(50), || bake.leftovers().is_empty().then_some(()));
    assert_eq!(bake.leftovers(), []);
}

fn has_nothing_half_done(lab: &Lab) {
    // A snapshot that was just completed says so a moment later.
    _ = wait_until(Duration::from_secs(2), Duration::from_millis(100), || {
        audit(&lab.home.local_state()).is_empty().then_some(())
    });
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
    let pending: Vec<_> = lab.api().snapshots().into_iter().filter(|(_, state)| state != "completed").collect();
    assert_eq!(pending, []);
    assert_eq!(lab.list_bakes(), [""; 0]);
    assert_eq!(lab.list_half_fetched(), [""; 0]);
}

/// Reads the bake's events until one holds `text`; the others are read on a thread, so that the bake never waits for us.
fn read_until(bake: &mut Bake<'_>, text: &str) {
    let mut output = BufReader::new(bake.process.take_stdout().expect("its output"));
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        let read = output.read_line(&mut line).expect("text");
        assert!(read > 0, "the bake ended before `{text}`: {}", bake.process.stderr_tail());
    }
    std::thread::spawn(move || output.lines().for_each(drop));
}

/// Reads the bake's events as they come.
fn drain(bake: &mut Bake<'_>) -> std::thread::JoinHandle<Vec<String>> {
    let output = BufReader::new(bake.process.take_stdout().expect("its output"));
    std::thread::spawn(move || output.lines().map_while(Result::ok).collect())
}
