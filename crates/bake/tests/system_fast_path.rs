//! The fast path against plain Ansible: the same play, the same tree, the same answers; and what happens when it cannot be. Needs root.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::Bench;
use common::repository;
use fs_err as fs;
use ovenbird_bake::ansible::Event;
use ovenbird_bake::ansible::Playbook;
use ovenbird_bake::ansible::PlaybookError;
use ovenbird_bake::ansible::Status;
use ovenbird_bake::sandbox::Options;
use ovenbird_bake::sandbox::Sandbox;
use ovenbird_bake::seal::seal;
use ovenbird_bake::tree::Tree;
use ovenbird_disk::tool::Tool;

/// A task that ended: its name, how, and why if it failed.
type Ended = (String, Status, Option<String>);

fn course(events: &[Event]) -> Vec<Ended> {
    let ended = events.iter().filter_map(|event| match event {
        Event::TaskDone { task, status, message, .. } => {
            Some((task.name.clone(), *status, message.as_deref().map(without_random_names)))
        }
        _ => None,
    });
    ended.collect()
}

/// A module's traceback names the folder that its payload was unpacked into: `ansible_x_payload_` and eight random characters.
fn without_random_names(message: &str) -> String {
    let mut parts = message.split("_payload_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "_payload_" + part.get(8..).unwrap_or_default())
}

fn reasons(events: &[Event]) -> Vec<&str> {
    let reasons = events.iter().filter_map(|event| match event {
        Event::PlainAnsible { reason } => Some(reason.as_str()),
        _ => None,
    });
    reasons.collect()
}

fn is_fast(events: &[Event]) -> bool {
    matches!(events.first(), Some(Event::FastPath { .. }))
}

/// How many modules were forks, and how many commands ran, as the log says.
fn work(log: &Path) -> (u32, u32) {
    let log = fs::read_to_string(log).expect("the log");
    let line = log.lines().find(|line| line.starts_with("fast path: ") && line.ends_with("commands")).expect("a count");
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

/// What a play came to.
struct Ran {
    course: Vec<Ended>,
    /// The file with what the tasks answered.
    answers: String,
    tree: Tree,
}

/// Runs the play of every kind of task.
fn every_kind(bench: &Bench, plain: bool) -> Ran {
    let name = if plain { "plain" } else { "fast" };
    // Both from the same folder: its path is part of what a play can see.
    let project = bench.work.path().join("project");
    _ = fs::remove_dir_all(&project);
    let source = repository().join("crates/bake/tests/every_kind");
    Tool::new("cp").arg("-r").args([&source, &project]).run().expect("copied");
    // The bake's id too.
    let options = Options { bake: "test-both".to_owned(), ..bench.options(name) };
    let sandbox = Sandbox::start(&bench.layers(name), &options).expect("the sandbox starts");
    let mut playbook = Playbook::new("play.yml", project);
    playbook.plain = plain;
    let (outcome, events) = bench.run(&sandbox, name, &playbook);
    let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    sandbox.stop().expect("it ends");
    if plain {
        assert_eq!(reasons(&events), ["it was asked for"]);
    } else {
        assert!(is_fast(&events), "{:?}", reasons(&events));
        assert_eq!(reasons(&events), Vec::<&str>::new());
        let (forked, shells) = work(&outcome.log);
        assert!(forked >= 8 && shells >= 8, "{forked} forked since the worker's last start, {shells} commands");
    }
    let merged = bench.merged(&bench.layers(name), name);
    // As a bake does: logs and the like tell the time of the day.
    seal(merged.target()).expect("sealed");
    let answers = fs::read_to_string(merged.target().join("srv/answers")).expect("the answers");
    let tree = Tree::scan(merged.target()).expect("the tree");
    merged.unmount().expect("nothing holds it");
    Ran { course: course(&events), answers, tree }
}

#[test]
fn every_kind_of_task_does_and_answers_the_same_with_and_without() {
    let bench = Bench::new();
    let (plain, fast) = (every_kind(&bench, true), every_kind(&bench, false));
    assert_eq!(plain.course, fast.course);
    for (number, (plain, fast)) in plain.answers.lines().zip(fast.answers.lines()).enumerate() {
        assert_eq!(plain, fast, "line {number} of what the tasks answered");
    }
    assert_eq!(plain.answers.len(), fast.answers.len());
    assert_eq!(plain.tree.differences(&fast.tree), BTreeMap::new());
    assert_eq!(plain.tree.digest(), fast.tree.digest());
}

#[test]
fn an_image_without_python_is_provisioned_plainly() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("bare");
    sandbox.tool("/bin/rm").arg("/usr/bin/python3").run().expect("removed");
    let play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - raw: echo bare >/srv/bare\n";
    let (outcome, events) = bench.play(&sandbox, "bare", play);
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(reasons(&events), ["the image has no /usr/bin/python3"]);
    assert_eq!(fs::read_to_string(bench.layers("bare").upper.join("srv/bare")).expect("written"), "bare\n");
}

/// A shell's line that ends the worker: the parent of the module that is the parent of the shell.
const END_THE_WORKER: &str = "kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat)";

#[test]
fn a_worker_that_is_gone_before_a_task_costs_only_time() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("gone");
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - shell: (sleep 0.5; {}) >/dev/null 2>&1 & echo $!\n    \
         - pause: {{seconds: 2}}\n    - copy: {{dest: /srv/after, content: x}}\n    - command: echo still\n",
        "kill -9 $worker"
    )
    .replace("shell: (", "shell: worker=$(cut -d ' ' -f 4 /proc/$PPID/stat); (");
    let (outcome, events) = bench.play(&sandbox, "gone", &play);
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(is_fast(&events));
    assert!(reasons(&events)[0].starts_with("the worker ended early"), "{:?}", reasons(&events));
    assert_eq!(fs::read_to_string(bench.layers("gone").upper.join("srv/after")).expect("written"), "x");
    sandbox.stop().expect("it ends");
}

#[test]
fn a_worker_that_goes_during_a_task_fails_it_clearly() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("during");
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: deadly\n      shell: {END_THE_WORKER}; sleep 0.2\n      ignore_errors: true\n    \
         - copy: {{dest: /srv/never, content: x}}\n"
    );
    let (outcome, _) = bench.play(&sandbox, "during", &play);
    let error = outcome.expect_err("it fails");
    let PlaybookError::Unreachable { task, message, .. } = error else { panic!("{error}") };
    assert_eq!(task.name, "deadly");
    assert!(message.contains("nobody knows how much is done"), "{message}");
    assert!(!bench.layers("during").upper.join("srv/never").exists());
}
