//! A bake on an instance that is killed is gone on with, or taken back, wherever it was.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::io::BufReader;
use std::process::ExitStatus;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;

use super::launched_unwind::images_named;
use super::light::Bake;
use super::light::Light;
use super::random::Random;
use super::side_by_side::WIDTH;
use super::side_by_side::side_by_side;
use super::world::World;

/// How many bakes are killed, unless `OVENBIRD_TEST_KILLS` says it.
const KILLS: usize = 4;
/// How soon a killed process is dead.
const DEAD: Duration = Duration::from_secs(5);

/// Kills bakes at random moments; goes on with most of them, and lets the doctor take back the rest. `whole` is how many seconds a bake takes
/// that nobody disturbs, and `tree` what it gives.
pub fn is_resumed_or_leaves_nothing(light: &Light<'_>, random: &Random, whole: f64, tree: &str) {
    let lab = light.lab;
    let kills = std::env::var("OVENBIRD_TEST_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let before = World::of(lab);
    let (mut killed, mut resumed, mut baked) = (0, 0, Vec::new());
    while killed < kills {
        let ended = kill_some(light, random, whole);
        killed += ended.iter().filter(|end| end.is_none()).count();
        baked.extend(ended.into_iter().flatten());
        // One of each batch is the doctor's.
        let begun: Vec<String> = lab.list_bakes().into_iter().filter(|bake| lab.has_begun(bake)).skip(1).collect();
        let ends = side_by_side(&begun, |bake| {
            // Nobody says again that it was to be on an instance.
            lab.home.run(["bake", "--resume", bake, "--no-pointer", "--json"]).ok().json()
        });
        for (bake, ended) in begun.iter().zip(&ends) {
            assert_eq!(ended["tree"], tree, "{bake} was killed, and resumed");
        }
        resumed += ends.len();
        baked.extend(ends);
        lab.home.run(["doctor", "--fix", "--json"]).ok();
    }
    println!("{resumed} of {killed} killed bakes were resumed, and gave the same tree");
    assert!(resumed >= kills / 2, "most are to be resumed");
    let names = baked.iter().map(|ended| ended["name"].as_str().expect("a name"));
    let made: BTreeSet<String> = names.flat_map(|name| images_named(lab, name)).collect();
    World::of(lab).is(&before, &made, "bakes that were killed");
}

/// Starts [`WIDTH`] bakes, and kills each at a moment of its own. Those that had ended by then answer.
fn kill_some(light: &Light<'_>, random: &Random, whole: f64) -> Vec<Option<Value>> {
    let began = Instant::now();
    let mut moments: Vec<f64> = (0..WIDTH).map(|_| random.between(0.05, whole)).collect();
    moments.sort_by(f64::total_cmp);
    let start = |_| light.start(["bake", "light", "--no-pointer", "--json", "--launch", "--rebuild"]);
    let mut bakes: Vec<Bake<'_>> = (0..WIDTH).map(start).collect();
    let outputs: Vec<_> = bakes.iter_mut().map(drain).collect();
    let ends = moments.into_iter().zip(bakes).zip(outputs).map(|((moment, mut bake), events)| {
        let ended = bake.find_end(Duration::from_secs_f64(moment).saturating_sub(began.elapsed()));
        if ended.is_none() {
            bake.signal(Signal::KILL);
            bake.find_end(DEAD).expect("it is dead");
        }
        let events = events.join().expect("read");
        let phase = events.iter().rfind(|event| event.contains(r#""event":"phase""#));
        println!("{moment:.2} s: {ended:?}, at {}", phase.map_or("the start", String::as_str));
        ended.map(|ended| answer(&bake, ended, &events))
    });
    ends.collect()
}

fn answer(bake: &Bake<'_>, ended: ExitStatus, events: &[String]) -> Value {
    assert!(ended.success(), "{}", bake.process.stderr_tail());
    serde_json::from_str(events.last().expect("an answer")).expect("JSON")
}

fn drain(bake: &mut Bake<'_>) -> std::thread::JoinHandle<Vec<String>> {
    let output = BufReader::new(bake.process.take_stdout().expect("its output"));
    std::thread::spawn(move || output.lines().map_while(Result::ok).collect())
}
