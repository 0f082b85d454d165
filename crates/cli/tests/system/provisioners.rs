//! Every provisioner besides `ansible`, and the post-processors, on a direct bake: what they do is in the image, and Packer's users find
//! what they are used to.

use serde_json::Value;
use serde_json::json;

use super::main_job::Baked;
use crate::support::Lab;
use crate::support::Ran;

const PROJECT: &str = "environments = [\"dev\"]\nregion = \"us-east-1\"\n[services.all]\ntemplate = \"all.json\"\n";

const SECRET: &str = "hunter2-and-more";

fn template(provisioners: &Value, cleanup: &Value) -> String {
    json!({
        "variables": { "secret": SECRET },
        "sensitive-variables": ["secret"],
        "builders": [{
            "type": "amazon-ebs", "name": "everything", "region": "us-east-1", "instance_type": "t3.micro", "ssh_username": "admin",
            "source_ami_filter": {
                "filters": { "name": "debian-12-amd64-*" }, "owners": ["136693071363"], "most_recent": true,
            },
            "ami_name": "all {{uuid}}",
        }],
        "provisioners": provisioners,
        "error-cleanup-provisioner": cleanup,
        "post-processors": [[
            { "type": "manifest", "output": "out/manifest.json", "custom_data": { "base": "{{.SourceAMIName}}" } },
            { "type": "shell-local", "inline": ["echo $WHAT >> out/after"], "environment_vars": ["WHAT=done"] },
        ]],
    })
    .to_string()
}

fn everything() -> Value {
    json!([
        { "type": "shell-local", "inline": ["mkdir -p made out", "echo by-$WHO > made/file"], "env": { "WHO": "here" } },
        { "type": "file", "source": "made/", "destination": "/tmp/made", "generated": true },
        {
            "type": "shell",
            "environment_vars": ["GREETING=it's", "SECRET={{user `secret`}}"],
            "inline": [
                "test \"$PACKER_BUILD_NAME-$PACKER_BUILDER_TYPE\" = everything-amazon-ebs",
                "mkdir -p /opt/all/deep",
                "mv /tmp/made/file /opt/all/deep/",
                "echo \"$GREETING\" > /opt/all/env",
                "echo the secret is $SECRET",
                "exit 3",
            ],
            "valid_exit_codes": [0, 3],
        },
        {
            "type": "shell", "script": "twice.sh", "execute_command": "{{.Vars}} sh {{.Path}}", "max_retries": 1,
            "pause_before": "10ms", "use_env_var_file": false, "remote_folder": "/var/tmp",
        },
        { "type": "breakpoint", "disable": true },
        { "type": "sleep", "duration": "10ms" },
        { "type": "file", "content": "welcome", "destination": "/opt/all/" },
        { "type": "file", "direction": "download", "source": "/opt/all/", "destination": "out/all" },
    ])
}

#[test]
fn every_provisioner_does_its_part() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let home = &lab.home;
    home.write("ovenbird.toml", PROJECT);
    home.write("all.json", template(&everything(), &Value::Null).replace(",\"error-cleanup-provisioner\":null", ""));
    home.write("twice.sh", "test -e /tmp/tried || { touch /tmp/tried; exit 1; }\necho tried > /opt/all/tried\n");
    let read = |name: &str| {
        fs_err::read_to_string(home.project().join("out").join(name)).unwrap_or_else(|error| panic!("{error}"))
    };

    let ran = home.run(["bake", "all", "--json"]);
    let first = Baked::of(&ran);
    assert_eq!(first.ran.len(), 4, "{:?}", first.ran);
    let files = ["all/deep/file", "all/env", "all/tried", "all/pkr-file-content"].map(read);
    assert_eq!(files, ["by-here\n", "it's\n", "tried\n", "welcome"]);
    assert!(ran.events().iter().any(|event| event["line"] == "the secret is <sensitive>"), "{}", ran.stdout);
    assert!(ran.events().iter().any(|event| event["event"] == "retries"), "{}", ran.stdout);
    tells_no_secret(&lab, &ran);
    manifests(&read("manifest.json"), &[&first.image]);

    // Nothing changed: the image is there, and what comes after a bake is told of it all the same.
    let again = Baked::of(&home.run(["bake", "all", "--json"]));
    assert!(again.reused && again.image == first.image);
    assert_eq!(read("after"), "done\ndone\n");
    manifests(&read("manifest.json"), &[&first.image, &first.image]);

    // A script that changed runs again, with what is above it; what `/tmp` held for it is there.
    home.write("twice.sh", "test -e /tmp/tried || { touch /tmp/tried; exit 1; }\necho again > /opt/all/tried\n");
    let third = Baked::of(&home.run(["bake", "all", "--json"]));
    assert_eq!((third.layers_reused.len(), third.ran.len()), (2, 2), "{:?}", third.ran);
    assert_eq!(read("all/tried"), "again\n");
}

fn manifests(text: &str, images: &[&str]) {
    let file: Value = serde_json::from_str(text).expect("JSON");
    let builds = file["builds"].as_array().expect("builds");
    assert_eq!(builds.len(), images.len());
    for (build, image) in builds.iter().zip(images) {
        let fields: Vec<&str> = build.as_object().expect("an object").keys().map(String::as_str).collect();
        for field in ["name", "builder_type", "build_time", "files", "artifact_id", "packer_run_uuid", "custom_data"] {
            assert!(fields.contains(&field), "{field} in {fields:?}");
        }
        assert_eq!(build["artifact_id"], format!("us-east-1:{image}"));
        assert_eq!((&build["name"], &build["files"]), (&json!("everything"), &Value::Null));
        assert!(build["custom_data"]["base"].as_str().is_some_and(|base| base.starts_with("debian-12")), "{build}");
    }
    assert_eq!(file["last_run_uuid"], builds[builds.len() - 1]["packer_run_uuid"]);
}

/// Neither on the terminal, nor in what a bake keeps.
fn tells_no_secret(lab: &Lab, ran: &Ran) {
    assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET), "{}{}", ran.stdout, ran.stderr);
    let state = lab.home.bakes().parent().expect("a folder").to_owned();
    let mut folders = vec![state];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder").flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else {
                let text = fs_err::read(entry.path()).expect("a file");
                assert!(!String::from_utf8_lossy(&text).contains(SECRET), "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn a_failed_provisioner_is_cleaned_up_after_and_can_be_looked_at() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let home = &lab.home;
    home.write("ovenbird.toml", PROJECT);
    let provisioners = json!([{ "type": "shell", "inline": ["echo half > /opt/half", "exit 9"] }]);
    let cleanup = json!({ "type": "shell", "inline": ["echo cleaned up after `cat /opt/half`"] });
    home.write("all.json", template(&provisioners, &cleanup));

    let failed = home.run(["bake", "all", "--json"]).exits(1);
    assert!(
        failed.stdout.contains("cleaned up after half") && failed.stdout.contains("exit code 9"),
        "{}",
        failed.stdout
    );
    assert_eq!(lab.list_bakes(), [""; 0]);

    let kept = home.run(["bake", "all", "--json", "--keep-on-failure"]).exits(1);
    let stays = kept.events().into_iter().find(|event| event["event"] == "stays").expect("it says what stays");
    assert_eq!(lab.list_bakes(), [stays["bake"].as_str().expect("an id")]);
    let disk = stays["disk"].as_str().expect("a disk");
    assert!(fs_err::metadata(disk).is_ok(), "{disk}");

    // Nothing changed: it goes on, and fails in the same way.
    home.run(["bake", "--resume", "--json", "--keep-on-failure"]).exits(1).says("exit code 9");

    // Mended, its inputs are others: it says so, and leaves it to the next bake.
    home.write("all.json", template(&json!([{ "type": "shell", "inline": ["echo whole > /opt/whole"] }]), &cleanup));
    home.run(["bake", "--resume", "--json"]).exits(2).says("its inputs have changed");
    home.run(["doctor", "--fix"]).ok();
    assert_eq!(lab.list_bakes(), [""; 0]);
    Baked::of(&home.run(["bake", "all", "--json"]));
}

/// A stand-in for `ansible-galaxy`, which reaches no server here: it makes the role that it is asked for, and counts.
const GALAXY: &str = r#"#!/bin/sh -e
test "$1-$2-$3" = role-install--r
grep -q fetched "$4"
mkdir -p "$6/fetched/tasks"
echo '[{name: Fetched, ansible.builtin.copy: {content: "{{ who }} {{ where }}", dest: /opt/fetched}}]' >"$6/fetched/tasks/main.yml"
echo once >>galaxy.log
"#;

#[test]
fn the_options_of_ansible_are_honoured() {
    let lab = Lab::start_for_bakes();
    lab.base();
    let home = &lab.home;
    home.write("ovenbird.toml", PROJECT);
    home.write("galaxy", GALAXY);
    home.write("wrapper", "#!/bin/sh\necho wrapped >>wrapper.log\nexec ansible-playbook \"$@\"\n");
    home.tool("chmod").args(["+x", "galaxy", "wrapper"]).run().expect("changed");
    // The cache outlives the test, so the file must be one that was never seen.
    home.write("requirements.yml", format!("# {}\nroles:\n  - name: fetched\n", home.path().display()));
    home.write("inventories/group_vars/all.yml", "where: here\n");
    home.write("mine.ini", "image who=me\nelsewhere ansible_host=192.0.2.1\n");
    home.write("play.yml", "- hosts: all\n  gather_facts: false\n  roles: [fetched]\n");
    let play = json!([
        {
            "type": "ansible", "playbook_file": "play.yml", "command": "./wrapper", "host_alias": "image",
            "galaxy_file": "requirements.yml", "galaxy_command": "./galaxy",
            "inventory_file": "mine.ini", "inventory_directory": "inventories",
        },
        { "type": "file", "direction": "download", "source": "/opt/fetched", "destination": "out/fetched" },
    ]);
    home.write("all.json", template(&play, &Value::Null).replace(",\"error-cleanup-provisioner\":null", ""));
    Baked::of(&home.run(["bake", "all", "--json"]));
    let read = |name: &str| fs_err::read_to_string(home.project().join(name)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read("out/fetched"), "me here");
    assert_eq!((read("galaxy.log").as_str(), read("wrapper.log").as_str()), ("once\n", "wrapped\n"));
    // What was fetched is there, and what lies beside the inventory is an input.
    assert!(Baked::of(&home.run(["bake", "all", "--json"])).reused);
    home.write("inventories/group_vars/all.yml", "where: there\n");
    assert_eq!(Baked::of(&home.run(["bake", "all", "--json"])).ran.len(), 1);
    assert_eq!((read("out/fetched").as_str(), read("galaxy.log").as_str()), ("me there", "once\n"));
}
