//! Real plays: how they end, what is said, and what is not. Needs root and Ansible.

mod common;

use std::time::Duration;

use common::Bench;
use fs_err as fs;
use ovenbird_bake::ansible::Event;
use ovenbird_bake::ansible::Playbook;
use ovenbird_bake::ansible::PlaybookError;
use ovenbird_bake::ansible::Status;
use ovenbird_bake::sandbox::Sandbox;

fn statuses(events: &[Event]) -> Vec<(String, Status)> {
    let done = events.iter().filter_map(|event| match event {
        Event::TaskDone { task, status, .. } => Some((task.name.clone(), *status)),
        _ => None,
    });
    done.collect()
}

fn fails(bench: &Bench, sandbox: &Sandbox, name: &str, play: &str) -> PlaybookError {
    bench.play(sandbox, name, play).0.expect_err("it fails")
}

#[test]
fn a_play_ends_well_and_everything_of_it_is_an_event() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("good");
    let project = bench.work.path().join("good/project");
    fs::create_dir_all(&project).expect("made");
    let play = "
- name: a play
  hosts: web
  gather_facts: false
  tasks:
    - name: variables
      assert:
        that: [packer_build_name == 'golden', packer_builder_type == 'amazon-ebs', word == '$(id) `id` \"x\"', inventory_hostname == 'box']
    - name: changed
      copy: {dest: /srv/file, content: x}
      notify: handled
    - name: skipped
      command: 'true'
      when: false
    - name: ignored
      command: 'false'
      ignore_errors: true
    - block:
        - name: rescued
          command: 'false'
      rescue:
        - name: mended
          debug: {msg: x}
    - name: as another
      become: true
      become_user: nobody
      command: id -un
  handlers:
    - name: handled
      command: 'true'
";
    fs::write(project.join("play.yml"), play).expect("written");
    let mut playbook = Playbook::new("play.yml", project);
    playbook.build_name = "golden".to_owned();
    playbook.host_alias = "box".to_owned();
    playbook.groups = vec!["web".to_owned()];
    playbook.extra_arguments = ["-e", r#"{"word": "$(id) `id` \"x\""}"#].map(ToOwned::to_owned).to_vec();
    let (outcome, events) = bench.run(&sandbox, "good", &playbook);
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    let wanted = [
        ("variables", Status::Ok),
        ("changed", Status::Changed),
        ("skipped", Status::Skipped),
        ("ignored", Status::Ignored),
        ("rescued", Status::Failed),
        ("mended", Status::Ok),
        ("as another", Status::Changed),
        ("handled", Status::Changed),
    ];
    assert_eq!(statuses(&events), wanted.map(|(name, status)| (name.to_owned(), status)));
    assert!(matches!(&events[0], Event::FastPath { .. }), "the way is said first");
    assert!(matches!(&events[1], Event::PlayStarted { name } if name == "a play"));
    assert_eq!((outcome.stats.ignored, outcome.stats.rescued, outcome.stats.hosts), (1, 1, 1));
    assert!(!bench.work.path().join("good/upper/root").exists(), "Ansible leaves nothing at home");
}

#[test]
fn a_failure_names_task_place_reason_and_log_but_no_secret() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("bad");
    let project = bench.work.path().join("bad/project");
    let tasks = project.join("roles/r/tasks");
    fs::create_dir_all(&tasks).expect("made");
    fs::write(project.join("play.yml"), "- hosts: all\n  gather_facts: false\n  roles: [r]\n").expect("written");
    let role = "- name: quiet\n  command: echo quiet-secret\n  no_log: true\n- name: loud\n  command: echo loud-secret\n\
                - name: breaks\n  shell: echo broken loud-secret >&2; exit 3\n";
    fs::write(tasks.join("main.yml"), role).expect("written");
    let mut playbook = Playbook::new("play.yml", &project);
    playbook.secrets = vec!["loud-secret".to_owned()];
    let (outcome, events) = bench.run(&sandbox, "bad", &playbook);
    let error = outcome.expect_err("it fails");
    let text = error.to_string();
    let PlaybookError::TaskFailed { task, message, log } = error else { panic!("{text}") };
    assert_eq!(task.to_string(), "r : breaks");
    let place = task.place.expect("a place");
    assert_eq!((place.file, place.line), (tasks.join("main.yml"), 6));
    assert!(message.contains("non-zero return code") && message.contains("broken ***"), "{message}");
    assert!(text.contains(&log.display().to_string()));
    let all = format!("{text}{events:?}{}", fs::read_to_string(log).expect("the log"));
    assert!(all.contains("broken ***") && !all.contains("loud-secret") && !all.contains("quiet-secret"), "{all}");
}

#[test]
fn what_ansible_refuses_is_said_in_its_words() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("refused");
    let error = fails(&bench, &sandbox, "refused", "- hosts: all\n  tasks:\n    - nomodule: {x: 1}\n");
    assert!(
        matches!(&error, PlaybookError::Refused { message, .. } if message.contains("couldn't resolve module/action 'nomodule'")),
        "{error}"
    );
    let error = fails(&bench, &sandbox, "refused", "- hosts: [\n");
    assert!(matches!(&error, PlaybookError::Refused { .. }), "{error}");
    let error = fails(&bench, &sandbox, "refused", "- hosts: nobody\n  tasks: []\n");
    assert!(matches!(&error, PlaybookError::NothingRan { no_hosts: true, .. }), "{error}");
    let missing = Playbook::new("absent.yml", bench.work.path());
    let error = bench.run(&sandbox, "refused", &missing).0.expect_err("no file");
    assert!(error.to_string().contains("absent.yml"), "{error}");
}

#[test]
fn a_play_that_takes_too_long_is_ended() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("long");
    let project = bench.work.path().join("long/project");
    fs::create_dir_all(&project).expect("made");
    fs::write(project.join("play.yml"), "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 300\n")
        .expect("written");
    let mut playbook = Playbook::new("play.yml", project);
    playbook.deadline = Duration::from_secs(5);
    let (outcome, _) = bench.run(&sandbox, "long", &playbook);
    assert!(matches!(outcome, Err(PlaybookError::TimedOut { .. })));
    sandbox.stop().expect("it ends, with what was left in it");
}
