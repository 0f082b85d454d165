//! A bake on an instance, by somebody who is not root here: a real sshd, real provisioners, an image that boots, and nothing left.

use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::ec2;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use serde_json::Value;

use crate::support::Lab;
use crate::support::Ran;
use crate::support::agent;
use crate::support::audit;
use crate::support::repository;

const PROJECT: &str = r#"
environments = ["dev"]
region = "us-east-1"
[services.launched]
template = "launched.json"
"#;

const TEMPLATE: &str = r#"{
  "builders": [{
    "type": "amazon-ebs",
    "region": "us-east-1",
    "source_ami_filter": {"filters": {"name": "debian-12-amd64-*"}, "owners": ["136693071363"], "most_recent": true},
    "instance_type": "t3.micro",
    "ssh_username": "admin",
    "ami_name": "launched {{uuid}}",
    "ami_description": "baked on {{.SourceAMIName}}",
    "encrypt_boot": true,
    "kms_key_id": "alias/nest",
    "tags": {"team": "birds"}
  }],
  "provisioners": [
    {"type": "file", "source": "files/", "destination": "/tmp/files"},
    {"type": "shell", "inline": [
      "sudo mkdir -p /opt/launched",
      "sudo cp /tmp/files/word /opt/launched/word",
      "systemctl is-system-running --wait | sudo tee /opt/launched/state"
    ], "environment_vars": ["LANG=C"]},
    {"type": "ansible", "playbook_file": "play.yml",
     "extra_arguments": ["-e", "late={{build `ID`}}/{{build `SourceAMI`}}/{{build `User` | upper}}"]},
    {"type": "shell", "script": "away.sh", "expect_disconnect": true, "skip_clean": true},
    {"type": "shell", "script": "away.sh", "expect_disconnect": true, "start_retry_timeout": "1m"},
    {"type": "shell", "inline": ["test \"$(echo /tmp/script_*.sh)\" = \"$0\""]}
  ]
}"#;

/// As a reboot does: the connection is lost, and for a while there is no server.
const AWAY: &str = r#"#!/bin/sh -e
away='systemctl stop ssh && pkill -f "^sshd: admin" && echo lost >>/opt/launched/lost; sleep 2; systemctl start ssh'
sudo systemd-run --quiet sh -c "$away"
sleep 60
"#;

const PLAYBOOK: &str = "
- hosts: all
  become: true
  tasks:
    - name: A file with a fact
      ansible.builtin.copy:
        content: \"{{ ansible_distribution }} by {{ ansible_connection }}\\n\"
        dest: /opt/launched/fact
        mode: '0644'
    - name: What is known when the instance runs
      ansible.builtin.assert:
        that: late is match('i-[0-9a-f]{17}/ami-[0-9a-f]{17}/ADMIN$')
    - name: A service runs, as in no sandbox
      ansible.builtin.command: systemctl is-active ssh.service
      changed_when: false
";

/// Debian's user without any rights.
const NOBODY: u32 = 65534;

/// Somebody else on the same machine, who has nothing but ovenbird, a project, and keys of AWS.
struct Nobody {
    folder: tempfile::TempDir,
    keys: Value,
}

impl Nobody {
    fn with_a_project(lab: &Lab) -> Self {
        let folder = tempfile::Builder::new().prefix("ovenbird-nobody-").tempdir().expect("a folder");
        let keys = lab.home.run(["local", "env", "--json"]).ok().json();
        let nobody = Self { folder, keys };
        let seal = agent().with_file_name("ovenbird-seal");
        let programs = [agent(), seal, env!("CARGO_BIN_EXE_ovenbird").into(), repository().join("ansible")];
        Tool::new("cp").arg("-r").args(programs).arg(nobody.folder.path()).run().expect("copied");
        let file = |name: &str, text: &str| {
            let path = nobody.folder.path().join("work").join(name);
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs_err::write(path, text).expect("written");
        };
        file("ovenbird.toml", PROJECT);
        file("launched.json", TEMPLATE);
        file("play.yml", PLAYBOOK);
        file("files/word", "nest\n");
        file("away.sh", AWAY);
        Tool::new("chown").args(["-R", &NOBODY.to_string()]).arg(nobody.folder.path()).run().expect("given away");
        nobody
    }

    fn run(&self, lab: &Lab, arguments: &[&str]) -> Ran {
        let own = |name: &str| self.folder.path().join(name);
        let user = ["--reuid", "--regid"].map(|option| format!("{option}={NOBODY}"));
        let mut tool = lab.home.tool("setpriv").args(user).args(["--clear-groups", "--no-new-privs"]);
        tool = tool.arg(own("ovenbird")).args(arguments).current_dir(own("work"));
        for (name, folder) in [("HOME", ""), ("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")] {
            tool = tool.env(name, own(folder));
        }
        for (name, value) in self.keys.as_object().expect("variables") {
            tool = tool.env(name, value.as_str().expect("text"));
        }
        let tool = tool.env("OVENBIRD_AGENT", own("ovenbird-agent")).env("OVENBIRD_COLLECTIONS", own("ansible"));
        Ran::of(&format!("as nobody: ovenbird {}", arguments.join(" ")), tool)
    }

    /// What the image behind `snapshot` holds, as the bake was told.
    fn contents_file(&self, snapshot: &str) -> PathBuf {
        self.folder.path().join(format!("cache/ovenbird/contents/{snapshot}.json.gz"))
    }
}

#[test]
fn a_bake_on_an_instance_makes_an_image_that_boots_and_leaves_nothing() {
    let lab = Lab::start("container");
    lab.base();
    let nobody = Nobody::with_a_project(&lab);
    let began = Instant::now();
    let events = nobody.run(&lab, &["bake", "launched", "--launch", "--json"]).ok().events();
    println!("a launched bake took {:.1} s", began.elapsed().as_secs_f64());
    let baked = events.last().expect("an end").clone();
    let image = baked["image"].as_str().expect("an image").to_owned();
    assert_eq!(left_of(&lab), [""; 0], "nothing but the image is left");
    let bakes = fs_err::read_dir(nobody.folder.path().join("state/ovenbird/bake/bakes")).expect("a folder");
    assert_eq!(bakes.count(), 0);

    let made = lab.api().find_image(&image).expect("the image is there");
    let tag = |key: &str| ec2::Tag::find(&made.tags, key).map(str::to_owned);
    assert_eq!(made.state.as_deref(), Some("available"));
    assert_eq!((tag("team").as_deref(), tag("AutoCleanup").as_deref()), (Some("birds"), Some("true")));
    assert_eq!(tag("ovenbird:tree").as_deref(), baked["tree"].as_str());
    assert!(made.description.as_deref().is_some_and(|text| text.starts_with("baked on debian-12-")), "{made:?}");

    assert_is_encrypted(&lab, &made);
    let again = nobody.run(&lab, &["bake", "launched", "--launch", "--json"]).ok().events();
    assert_eq!(again.last().expect("an end")["reused"], true);
    assert_what_was_told_is_what_the_snapshot_holds(&lab, &nobody, &made);
    assert_boots(&lab, &image);
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}

/// At its launch, so that there is no copy of an image that was not: nothing has a key but the image's own snapshot.
fn assert_is_encrypted(lab: &Lab, image: &ec2::Image) {
    let ebs = image.block_device_mappings[0].ebs.as_ref().expect("a volume");
    assert_eq!(ebs.encrypted, Some(true));
    let request = ec2::DescribeSnapshotsRequest { owner_ids: vec!["self".to_owned()], ..Default::default() };
    let snapshots = lab.api().send(request).expect("snapshots").snapshots;
    let encrypted = snapshots.iter().filter(|snapshot| snapshot.kms_key_id.is_some());
    let encrypted: Vec<_> = encrypted.map(|snapshot| &snapshot.snapshot_id).collect();
    assert_eq!(encrypted, [&ebs.snapshot_id]);
}

/// The manifest was gathered on the running instance; the snapshot was made when it had stopped.
fn assert_what_was_told_is_what_the_snapshot_holds(lab: &Lab, nobody: &Nobody, image: &ec2::Image) {
    let ebs = image.block_device_mappings[0].ebs.as_ref().expect("a volume");
    let snapshot = ebs.snapshot_id.as_deref().expect("a snapshot");
    let told = read_contents(&nobody.contents_file(snapshot));
    // Root's own cache has nothing of it, so the blocks are read.
    let id = image.image_id.as_deref().expect("an id");
    lab.home.run(["sbom", id]).ok();
    let held = read_contents(&lab.home.contents_file(snapshot));
    assert_eq!(differences(&told, &held), [""; 0], "the shutdown wrote something again");
    let held = held["files"].as_object().expect("files");
    let word = &held["/opt/launched/word"];
    assert_eq!(word["size"], 5, "{word}");
    let lost = &held["/opt/launched/lost"];
    assert_eq!(lost["size"], 10, "twice, and what was to run after it did: {lost}");
    assert!(held.contains_key("/opt/launched/fact"));
    assert!(!held.contains_key("/home/admin/.ssh/authorized_keys"), "the bake's key is scrubbed");
}

/// The files that are not the same in two images' contents.
pub fn differences(one: &Value, other: &Value) -> Vec<String> {
    let (one, other) = (one["files"].as_object().expect("files"), other["files"].as_object().expect("files"));
    let differs = |(path, entry): (&String, &Value)| (one.get(path) != Some(entry)).then(|| path.clone());
    let mut differences: Vec<String> = other.iter().filter_map(differs).collect();
    differences.extend(one.keys().filter(|path| !other.contains_key(*path)).cloned());
    differences
}

pub fn read_contents(file: &std::path::Path) -> Value {
    let text = Tool::new("zcat").arg(file).run().expect("kept").stdout;
    serde_json::from_slice(&text).expect("JSON")
}

fn assert_boots(lab: &Lab, image: &str) {
    let request = ec2::RunInstancesRequest {
        image_id: Some(image.to_owned()),
        instance_type: Some("t3.micro".to_owned()),
        min_count: Some(1),
        max_count: Some(1),
        ..Default::default()
    };
    let instance = lab.api().send(request).expect("launched").instances[0].instance_id.clone().expect("an id");
    let is_up = || lab.api().console(&instance).contains("Cloud-init v.").then_some(());
    let up = wait_until(Duration::from_secs(90), Duration::from_millis(200), is_up);
    assert!(up.is_ok(), "{}", lab.api().console(&instance));
}

/// Key pairs, security groups and instances that are not ended.
pub fn left_of(lab: &Lab) -> Vec<String> {
    let api = lab.api();
    let pairs = api.send(ec2::DescribeKeyPairsRequest::default()).expect("key pairs").key_pairs;
    let groups = api.send(ec2::DescribeSecurityGroupsRequest::default()).expect("groups").security_groups;
    let instances = api.send(ec2::DescribeInstancesRequest::default()).expect("instances").reservations;
    let is_alive = |instance: &ec2::Instance| {
        let state = instance.state.as_ref().and_then(|state| state.name.as_deref());
        !matches!(state, Some("terminated" | "shutting-down"))
    };
    let instances = instances.into_iter().flat_map(|reservation| reservation.instances).filter(is_alive);
    let names = pairs.into_iter().filter_map(|pair| pair.key_name);
    let names = names.chain(groups.into_iter().filter_map(|group| group.group_name).filter(|name| name != "default"));
    names.chain(instances.filter_map(|instance| instance.instance_id)).collect()
}
