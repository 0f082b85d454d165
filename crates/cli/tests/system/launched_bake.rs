//! A bake on an instance: a real sshd, real provisioners, an image that boots, and nothing left.

use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::ec2;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use serde_json::Value;

use crate::support::Lab;
use crate::support::audit;

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
     "extra_arguments": ["-e", "late={{build `ID`}}/{{build `SourceAMI`}}/{{build `User` | upper}}"]}
  ]
}"#;

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

fn project(lab: &Lab) {
    lab.home.write("ovenbird.toml", PROJECT);
    lab.home.write("launched.json", TEMPLATE);
    lab.home.write("play.yml", PLAYBOOK);
    lab.home.write("files/word", "nest\n");
}

#[test]
fn a_bake_on_an_instance_makes_an_image_that_boots_and_leaves_nothing() {
    let lab = Lab::start("container");
    lab.base();
    project(&lab);
    let began = Instant::now();
    let events = lab.home.run(["bake", "launched", "--launch", "--json"]).ok().events();
    println!("a launched bake took {:.1} s", began.elapsed().as_secs_f64());
    let baked = events.last().expect("an end").clone();
    let image = baked["image"].as_str().expect("an image").to_owned();
    assert_eq!(left_of(&lab), [""; 0], "nothing but the image is left");
    assert_eq!(lab.list_bakes(), [""; 0]);

    let made = lab.api().find_image(&image).expect("the image is there");
    let tag = |key: &str| ec2::Tag::find(&made.tags, key).map(str::to_owned);
    assert_eq!(made.state.as_deref(), Some("available"));
    assert_eq!((tag("team").as_deref(), tag("AutoCleanup").as_deref()), (Some("birds"), Some("true")));
    assert_eq!(tag("ovenbird:tree").as_deref(), baked["tree"].as_str());
    assert!(made.description.as_deref().is_some_and(|text| text.starts_with("baked on debian-12-")), "{made:?}");

    assert_is_encrypted(&lab, &made);
    let again = lab.home.run(["bake", "launched", "--launch", "--json"]).ok().events();
    assert_eq!(again.last().expect("an end")["reused"], true);
    assert_what_was_told_is_what_the_snapshot_holds(&lab, &made);
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
fn assert_what_was_told_is_what_the_snapshot_holds(lab: &Lab, image: &ec2::Image) {
    let ebs = image.block_device_mappings[0].ebs.as_ref().expect("a volume");
    let kept = lab.home.contents_file(ebs.snapshot_id.as_deref().expect("a snapshot"));
    let told = read_contents(&kept);
    fs_err::remove_file(&kept).expect("removed");
    let id = image.image_id.as_deref().expect("an id");
    lab.home.run(["sbom", id]).ok();
    let held = read_contents(&kept);
    let (told, held) = (told["files"].as_object().expect("files"), held["files"].as_object().expect("files"));
    let differs = |(path, entry): (&String, &Value)| (told.get(path) != Some(entry)).then(|| path.clone());
    let mut differences: Vec<String> = held.iter().filter_map(differs).collect();
    differences.extend(told.keys().filter(|path| !held.contains_key(*path)).cloned());
    assert_eq!(differences, [""; 0], "the shutdown wrote something again");
    let word = &held["/opt/launched/word"];
    assert_eq!(word["size"], 5, "{word}");
    assert!(held.contains_key("/opt/launched/fact"));
    assert!(!held.contains_key("/home/admin/.ssh/authorized_keys"), "the bake's key is scrubbed");
}

fn read_contents(file: &std::path::Path) -> Value {
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
fn left_of(lab: &Lab) -> Vec<String> {
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
