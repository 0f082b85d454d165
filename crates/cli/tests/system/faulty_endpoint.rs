//! Whole bakes against an endpoint with every fault at once: each succeeds, or fails with a true cause, and leaves nothing pending.

use std::time::Duration;
use std::time::Instant;

use super::light::Light;
use super::random::Random;
use crate::support::Lab;
use crate::support::audit;

/// A bake of a few seconds waits up to 20 s for each answer that never comes, and pauses between tries.
const DEADLINE: Duration = Duration::from_secs(300);
/// What a bake may say: faults that do not pass, and a signature that is not believed twice.
const TRUE_CAUSES: [&str; 5] =
    ["ovenbird doctor", "log in again", "ended as `error`", "ended as `failed`", "InvalidSignatureException"];

#[test]
fn bakes_end_well_or_truly_whatever_the_endpoint_does() {
    let lab = Lab::start("container");
    lab.base();
    let random = Random::new();
    let light = Light::new(&lab, random.clone());
    // The base is fetched and its package lists are read once, as in any test.
    lab.home.run(["bake", "light", "--json"]).ok();
    for seed in [1, 2, 3] {
        lab.down(&[]);
        lab.up_with(&["--faults", "all=5%", "--fault-seed", &seed.to_string()]);
        assert!(lab.status()["faults"].as_str().is_some_and(|faults| faults.contains(&format!("seed {seed}"))));
        light.change();
        let began = Instant::now();
        let mut bake = light.start_bake();
        let output = bake.process.take_stdout().expect("its output");
        let events = std::thread::spawn(move || std::io::read_to_string(output).expect("text"));
        let ended = bake.find_end(DEADLINE).unwrap_or_else(|| panic!("still baking after {DEADLINE:?}, seed {seed}"));
        let events = events.join().expect("read");
        let last = events.lines().last().unwrap_or_default();
        println!(
            "seed {seed}: {ended} after {:.1} s; {last}; met {}",
            began.elapsed().as_secs_f64(),
            lab.status()["injected"]
        );
        if !ended.success() {
            assert!(TRUE_CAUSES.iter().any(|cause| events.contains(cause)), "seed {seed}: {last}");
        }
        // Without faults, so that the listings are true.
        lab.down(&[]);
        lab.up();
        lab.home.run(["doctor", "--fix", "--json"]).ok();
        assert_eq!(audit(&lab.home.local_state()), [""; 0], "seed {seed}");
        let pending: Vec<_> = lab.api().snapshots().into_iter().filter(|(_, state)| state != "completed").collect();
        assert_eq!(pending, [], "seed {seed}");
        assert_eq!(lab.list_bakes(), [""; 0], "seed {seed}");
    }
}
