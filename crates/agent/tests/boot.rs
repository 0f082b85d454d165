//! Whole boots of the real program, with a script in the place of `ansible-playbook`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ovenbird_agent::time::Deadline;
use ovenbird_aws::ec2;
use serde_json::Value;
use serde_json::json;
use support::Fake;
use support::INSTANCE;
use support::VOLUME;
use support::machine::Ended;
use support::machine::Machine;
use support::machine::end;
use support::volume;

/// Leaves a trace if the play runs, and its facts.
const PLAY: &str = "touch $ROOT/played; cp $ROOT/run/ovenbird/facts.json $ROOT/facts-seen; env > $ROOT/environment; echo \"$@\" > $ROOT/arguments";

fn boot(user_data: Option<&[u8]>) -> (Machine, Fake, Ended) {
    let machine = Machine::with_play(PLAY);
    let fake = Fake::start();
    fake.world().user_data = user_data.map(<[u8]>::to_vec);
    let ended = machine.agent(&fake.endpoint, &["run"]);
    (machine, fake, ended)
}

#[test]
fn a_good_boot_runs_the_play_with_facts_alone() {
    let user_data = br#"{"environment":"dev","extra":{"central_logging":false}}"#;
    let (machine, fake, ended) = boot(Some(user_data));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.line().starts_with(&format!("ovenbird: result=ok instance={INSTANCE} seconds=")), "{}", ended.stdout);
    let facts: Value = serde_json::from_str(&machine.read("/facts-seen").unwrap()).unwrap();
    let wanted = json!({
        "environment": "dev",
        "extra": {"central_logging": false},
        "instance": {
            "id": INSTANCE, "region": "eu-west-1", "availability_zone": "eu-west-1a",
            "image_id": "ami-0123456789abcdef0", "local_ipv4": "172.31.0.7",
        },
        "parameters": {"banner": "hello"},
        "service": "web",
        "volumes": {},
    });
    assert_eq!(facts, wanted);
    let arguments = machine.read("/arguments").unwrap();
    assert_eq!(arguments.trim(), machine.root.boot().join("playbook.yml").to_str().unwrap());
    let environment = machine.read("/environment").unwrap();
    assert!(environment.contains("LC_ALL=C.UTF-8") && environment.contains("ANSIBLE_CONFIG="), "{environment}");
    assert_eq!(machine.root.fact_link().canonicalize().unwrap(), machine.root.facts());
    assert_eq!(fake.world().tags["ovenbird:state"], "ok");

    let status = machine.agent(&fake.endpoint, &["status", "--json"]);
    assert_eq!(status.code, Some(0));
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&status["result"], &status["instance"]), (&json!("ok"), &json!(INSTANCE)));
    assert!(machine.agent(&fake.endpoint, &["status"]).stdout.starts_with("ok since"));
}

#[test]
fn bad_user_data_is_one_sentence_everywhere_and_nothing_of_the_play_runs() {
    let long = format!(r#"{{"environment":"dev","extra":{{"a":"{}"}}}}"#, "x".repeat(17 * 1024));
    let cases: [(Option<&[u8]>, &str); 8] = [
        (None, "the instance has no user data"),
        (Some(b"{}"), "the user data has no `environment`; this image takes `dev`, `prod`"),
        (
            Some(br#"["dev",{}]"#),
            "the user data is a JSON array and must be a JSON object such as {'environment':'dev'}",
        ),
        (Some(br#"{"environment":"dev","environment":"prod"}"#), "the user data has the key `environment` twice"),
        (Some(long.as_bytes()), "the user data is larger than 16384 bytes (16 KiB)"),
        (Some(b"#!/bin/sh\necho hunter2"), "the user data is not JSON but looks like a shell script"),
        (Some(br#"{"environment":"test"}"#), "the environment `test` is none of this image's; it takes `dev`, `prod`"),
        (
            Some(br#"{"environment":"dev","extra":{"volume_id":"hunter2"}}"#),
            "`extra.volume_id` in the user data must be a volume id",
        ),
    ];
    for (user_data, sentence) in cases {
        let (machine, fake, ended) = boot(user_data);
        assert_eq!(ended.code, Some(1));
        let start = format!("ovenbird: result=failed phase=metadata instance={INSTANCE} reason=\"{sentence}");
        assert!(ended.line().starts_with(&start) && ended.line().ends_with('"'), "{}", ended.stdout);
        assert!(fake.world().tags["ovenbird:state"].starts_with(&format!("failed: metadata: {sentence}")));
        let status = machine.agent(&fake.endpoint, &["status"]);
        assert!(
            status.code == Some(1) && status.stdout.starts_with("failed in the phase metadata"),
            "{}",
            status.stdout
        );
        assert!(machine.read("/played").is_none() && machine.read("/run/ovenbird/facts.json").is_none());
        let everything = ended.stdout + &ended.stderr + &status.stdout + &format!("{:?}", fake.world().tags);
        assert!(!everything.contains("hunter2"), "values are never shown: {everything}");
    }
}

#[test]
fn a_volume_in_another_zone_stops_the_boot_before_the_play() {
    let machine = Machine::with_play(PLAY);
    let fake = Fake::start();
    fake.world().user_data =
        Some(format!(r#"{{"environment":"dev","extra":{{"volume_id":"{VOLUME}"}}}}"#).into_bytes());
    fake.world().volumes =
        vec![ec2::Volume { availability_zone: Some("eu-west-1b".to_owned()), ..volume("available") }];
    let ended = machine.agent(&fake.endpoint, &["run"]);
    assert!(ended.line().contains("phase=volumes") && ended.line().contains("eu-west-1b"), "{}", ended.stdout);
    assert!(machine.read("/played").is_none());
}

#[test]
fn a_failing_task_is_named_and_its_output_kept() {
    let machine = Machine::with_play("echo 'TASK [web : write the page] ***'; echo 'fatal: boom'; exit 2");
    let fake = Fake::start();
    fake.world().user_data = Some(br#"{"environment":"dev"}"#.to_vec());
    let ended = machine.agent(&fake.endpoint, &["run"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.line().contains("phase=play")
            && ended.line().contains("a task failed in the task 'web : write the page'"),
        "{}",
        ended.stdout
    );
    assert!(machine.read("/var/log/ovenbird/play.log").unwrap().contains("fatal: boom"));
    assert!(ended.stderr.contains("fatal: boom"), "the journal has it");
    assert!(!ended.stdout.contains("boom"), "the console has not");
}

#[test]
fn an_image_without_a_play_or_schema_says_so() {
    let machine = Machine::with_play(PLAY);
    let fake = Fake::start();
    fake.world().user_data = Some(br#"{"environment":"dev"}"#.to_vec());
    std::fs::remove_file(machine.root.boot().join("playbook.yml")).unwrap();
    assert!(machine.agent(&fake.endpoint, &["run"]).line().contains("the image has no boot play at"));
    std::fs::remove_file(machine.root.schema()).unwrap();
    assert!(machine.agent(&fake.endpoint, &["run"]).line().contains("the image has no metadata schema at"));
}

#[test]
fn a_machine_that_crashes_in_its_boot_stops_trying() {
    let machine = Machine::with_play("touch $ROOT/playing; while [ -d $ROOT/usr ]; do sleep 0.2; done");
    let fake = Fake::start();
    fake.world().user_data = Some(br#"{"environment":"dev"}"#.to_vec());
    for _ in 0..3 {
        let mut agent = machine.start(&[], &fake.endpoint, &["run"]);
        let soon = Deadline::after(std::time::Duration::from_secs(20));
        while machine.read("/playing").is_none() {
            assert!(soon.pause(std::time::Duration::from_millis(20)), "the play never began");
        }
        agent.kill().unwrap();
        end(agent);
        std::fs::remove_file(machine.path().join("playing")).unwrap();
    }
    let ended = machine.agent(&fake.endpoint, &["run"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.line().contains("3 boots with the same metadata and play began and did not end"), "{}", ended.stdout);
    assert!(machine.read("/playing").is_none());

    // Other metadata is another boot.
    machine.put_program("ansible-playbook", "true");
    fake.world().user_data = Some(br#"{"environment":"prod"}"#.to_vec());
    assert_eq!(machine.agent(&fake.endpoint, &["run"]).code, Some(0));
}

#[test]
fn check_says_what_a_boot_would_say() {
    let machine = Machine::with_play(PLAY);
    let file = machine.path().join("user-data.json");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        machine.agent("http://127.0.0.1:9", &["check", file.to_str().unwrap()])
    };
    let good = check(r#"{"environment":"dev"}"#);
    assert_eq!((good.code, good.stdout.as_str()), (Some(0), "fits this image (web), for the environment dev\n"));
    let bad = check(r#"{"environment":"dev","extra":{"volumeid":1}}"#);
    assert_eq!(bad.code, Some(1));
    assert!(bad.stderr.contains("did you mean `volume_id`?"), "{}", bad.stderr);
    assert_eq!(machine.agent("http://127.0.0.1:9", &["frobnicate"]).code, Some(2));
    assert_eq!(machine.agent("http://127.0.0.1:9", &["status"]).code, Some(3));
}

#[test]
fn an_instance_without_a_role_needs_none() {
    let machine = Machine::with_play(PLAY);
    let fake = Fake::start();
    let schema = r#"{"service":"web","environments":["dev"]}"#;
    std::fs::write(machine.root.schema(), schema).unwrap();
    fake.world().items.remove("meta-data/iam/security-credentials/");
    fake.world().user_data = Some(br#"{"environment":"dev"}"#.to_vec());
    let began = std::time::Instant::now();
    assert_eq!(machine.agent(&fake.endpoint, &["run"]).code, Some(0));
    assert!(began.elapsed().as_secs() < 3 && fake.world().tags.is_empty());
}
