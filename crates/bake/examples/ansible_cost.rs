//! What Ansible itself costs per task in a sandbox: `scripts/bench-ansible` builds the base tree, calls this, and shows the result.
//!
//! `ansible_cost BASE PLAYBOOK ROUNDS WAY…` runs the playbook over the tree in a fresh sandbox, ROUNDS times with each way in turn,
//! and prints a line of JSON for each run: the way, the seconds that passed, the processor's seconds of all that took part. The
//! ways: `chroot` (the connection as Ansible has it), `pipelining` (the same, fed through a pipe: `--plain-ansible`), `fast`.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use ovenbird_bake::ansible::Playbook;
use ovenbird_bake::ansible::run_playbook;
use ovenbird_bake::sandbox::Layers;
use ovenbird_bake::sandbox::Options;
use ovenbird_bake::sandbox::Sandbox;
use ovenbird_bake::sandbox::Tmp;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: ansible_cost BASE PLAYBOOK ROUNDS WAY…");
    let base = PathBuf::from(next()?).canonicalize()?;
    let playbook = PathBuf::from(next()?).canonicalize()?;
    let rounds: u32 = next()?.parse()?;
    let ways: Vec<_> = arguments.collect();
    for round in 0..rounds {
        for way in &ways {
            let before = cpu();
            let (seconds, tasks) = run(&base, &playbook, way)?;
            let ran = serde_json::json!({ "round": round, "way": way, "seconds": seconds, "cpu": cpu() - before, "tasks": tasks });
            writeln!(std::io::stdout(), "{ran}")?;
        }
    }
    Ok(())
}

fn run(base: &Path, file: &Path, way: &str) -> Result<(f64, u32), Box<dyn Error>> {
    let work = tempfile::tempdir()?;
    let folder = |name: &str| -> std::io::Result<PathBuf> {
        let folder = work.path().join(name);
        fs_err::create_dir_all(&folder)?;
        Ok(folder)
    };
    let layers = Layers { lower: vec![base.to_owned()], upper: folder("upper")?, work: folder("work")? };
    let options = Options {
        bake: "cost".to_owned(),
        room: folder("room")?,
        packages: None,
        tmp: Tmp::OfItsOwn,
        epoch: 1_767_225_600,
    };
    let mut playbook = Playbook::new(file, file.parent().unwrap_or(Path::new("/")));
    playbook.plain = way != "fast";
    if way == "chroot" {
        playbook.env.push(("ANSIBLE_PIPELINING".to_owned(), "0".to_owned()));
    }
    let started = Instant::now();
    let sandbox = Sandbox::start(&layers, &options)?;
    let outcome = run_playbook(&sandbox, &playbook, &folder("ansible")?, &mut |_| {})?;
    sandbox.stop()?;
    Ok((started.elapsed().as_secs_f64(), outcome.stats.ok))
}

/// Seconds of the processor that this process's children have taken so far.
fn cpu() -> f64 {
    let text = fs_err::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks: f64 = [13, 14].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
    ticks / 100.0
}
