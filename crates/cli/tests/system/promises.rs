//! What the documentation promises of the rarer ways in which a bake goes or ends, in one world.

use serde_json::Value;
use serde_json::json;

use super::main_job::Baked;
use crate::support::Lab;
use crate::support::Ran;

const PROJECT: &str = "environments = [\"dev\"]\nregion = \"us-east-1\"\n[services.one]\ntemplate = \"one.json\"\n\
                       [services.hcl]\ntemplate = \"one.pkr.hcl\"\n";

#[test]
fn what_is_promised_of_bakes_is_so() {
    let lab = Lab::start_for_bakes();
    lab.base();
    lab.home.write("ovenbird.toml", PROJECT);
    what_nobody_here_does_is_shown_and_refused(&lab);
    a_play_that_is_not_reproducible_is_told(&lab);
    what_nobody_here_does_is_shown_and_refused(&lab);
    a_failed_post_processor_leaves_the_image(&lab);
    the_images_own_ansible_runs_the_play(&lab);
    a_person_looks_before_the_bake_goes_on(&lab);
    a_configuration_of_hcl_cleans_up_after_a_failure(&lab);
    assert_eq!(lab.list_bakes(), [""; 0]);
}

fn write(lab: &Lab, provisioners: &Value, post_processors: &Value) {
    let template = json!({
        "builders": [{
            "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t3.micro", "ssh_username": "admin",
            "source_ami_filter": {
                "filters": { "name": "debian-12-amd64-*" }, "owners": ["136693071363"], "most_recent": true,
            },
            "ami_name": "one {{uuid}}",
        }],
        "provisioners": provisioners,
        "post-processors": post_processors,
    });
    lab.home.write("one.json", template.to_string());
}

fn shell(lines: &[&str]) -> Value {
    json!([{ "type": "shell", "inline": lines }])
}

/// Before the first bake of a source, and after it.
fn what_nobody_here_does_is_shown_and_refused(lab: &Lab) {
    let provisioners = json!([{ "type": "shell", "inline": ["true"] }, { "type": "chef-solo" }]);
    write(lab, &provisioners, &json!([{ "type": "vagrant" }]));
    let plan = lab.home.run(["plan", "one", "--json"]).ok().json();
    let refused = plan["refused"].as_array().expect("a list").iter().map(|sentence| sentence.as_str().expect("a text"));
    let refused: Vec<&str> = refused.collect();
    assert!(refused.len() == 2 && refused[0].contains("`chef-solo`") && refused[1].contains("`vagrant`"), "{plan}");
    assert_eq!(plan["layers"][0]["fate"]["fate"], "refused", "{plan}");
    lab.home.run(["bake", "one"]).exits(2).warns("`chef-solo` is not supported");
    let matrix = lab.home.run(["rebuild", "one", "--plan", "--json"]).exits(1);
    assert!(matrix.stdout.contains("could not be planned: one"), "{}", matrix.stdout);
    write(lab, &json!([{ "type": "shell", "script": "nowhere.sh" }]), &json!([]));
    lab.home.run(["plan", "one"]).exits(2).warns("there is no file `nowhere.sh`, which `script` names");
}

fn a_play_that_is_not_reproducible_is_told(lab: &Lab) {
    write(lab, &shell(&["date +%N > /opt/when", "echo same > /opt/same"]), &json!([]));
    let refused = lab.home.run(["bake", "one", "--check-reproducible"]).exits(6);
    let refused = refused.warns("is not reproducible").warns("1 files differ").warns("/opt/when");
    assert!(!refused.stderr.contains("/opt/same"), "{}", refused.stderr);
    let pointers = lab.home.run(["status", "--json"]).ok().json();
    assert_eq!(pointers["pointers"], json!([]), "the pointer was not moved");
    write(lab, &shell(&["echo same > /opt/same"]), &json!([]));
    lab.home.run(["bake", "one", "--check-reproducible"]).ok();
}

fn a_failed_post_processor_leaves_the_image(lab: &Lab) {
    let template = |last: &str| {
        let after = json!([[
            { "type": "manifest", "output": "manifest.json" },
            { "type": "shell-local", "inline": [last] },
        ]]);
        write(lab, &shell(&["echo post > /opt/post"]), &after);
    };
    template("echo sorry; exit 3");
    let failed = lab.home.run(["bake", "one", "--json"]).exits(7);
    let error = failed.json();
    assert_eq!(error["kind"], "after-bake", "{error}");
    let manifest = fs_err::read_to_string(lab.home.project().join("manifest.json")).expect("what ran before it stays");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let id = manifest["builds"][0]["artifact_id"].as_str().and_then(|id| id.strip_prefix("us-east-1:")).expect("an id");
    assert!(error.to_string().contains(id), "{error}");
    assert_eq!(lab.api().find_image(id).and_then(|image| image.state).as_deref(), Some("available"));
    template("true");
    let again = Baked::of(&lab.home.run(["bake", "one", "--json"]));
    assert!(again.reused && again.image == id, "{}", again.image);
}

/// Stands in for the image's Ansible, which would have to be installed: it keeps what it was told, and does what the play is for.
const ANSIBLE: &str = r#"#!/bin/sh -e
echo "$PWD $*" >/opt/told
cat "$1" roles/birds/tasks/main.yml >/opt/played
"#;

fn the_images_own_ansible_runs_the_play(lab: &Lab) {
    lab.home.write("local/play.yml", "- hosts: all\n  roles: [birds]\n");
    lab.home.write("roles/birds/tasks/main.yml", "- debug: {msg: nest}\n");
    lab.home.write("ansible", ANSIBLE);
    let local = json!({
        "type": "ansible-local", "playbook_file": "local/play.yml", "role_paths": ["roles/birds"],
        "extra_arguments": ["-e", "wing=left"],
    });
    let look = json!({ "type": "file", "direction": "download", "source": "/opt/", "destination": "out/local" });
    let put = json!({ "type": "file", "source": "ansible", "destination": "/usr/local/bin/ansible-playbook" });
    let allow = json!({ "type": "shell", "inline": ["chmod +x /usr/local/bin/ansible-playbook"] });

    write(lab, &json!([local]), &json!([]));
    lab.home.run(["bake", "one", "--json"]).exits(2).says("the image has none");
    write(lab, &json!([put, allow, local, look]), &json!([]));
    Baked::of(&lab.home.run(["bake", "one", "--json"]));
    let read = |name: &str| fs_err::read_to_string(lab.home.project().join("out/local").join(name)).expect("read");
    let told = read("told");
    let words = ["ansible-local play.yml --extra-vars packer_build_name=amazon-ebs", " -e wing=left -c local -i "];
    assert!(words.iter().all(|words| told.contains(words)), "{told}");
    assert_eq!(read("played"), "- hosts: all\n  roles: [birds]\n- debug: {msg: nest}\n");
    // What it is given is an input.
    lab.home.write("roles/birds/tasks/main.yml", "- debug: {msg: egg}\n");
    assert_eq!(Baked::of(&lab.home.run(["bake", "one", "--json"])).ran.len(), 1);
}

fn a_person_looks_before_the_bake_goes_on(lab: &Lab) {
    let look = json!({ "type": "breakpoint", "note": "look around" });
    let provisioners = json!([shell(&["echo one > /opt/one"])[0], look, shell(&["echo two > /opt/two"])[0]]);
    write(lab, &provisioners, &json!([]));
    // `script` is a terminal; the person presses Enter.
    let bake = format!("{} bake one --rebuild", env!("CARGO_BIN_EXE_ovenbird"));
    let seen =
        Ran::of("bake at a terminal", lab.home.tool("script").args(["-qec", &bake, "/dev/null"]).stdin_bytes("\n"));
    let seen = seen.ok().says("look around").says("baked `one");
    assert!(seen.stdout.contains("Enter"), "{}", seen.stdout);
    // Without a person it does not begin.
    lab.home.run(["bake", "one", "--rebuild"]).exits(2).warns("nobody is at this bake's terminal");
}

/// With a data source, and both what is done after a failure and after a bake.
const HCL: &str = r#"
data "amazon-ami" "base" {
  filters     = { name = "debian-12-amd64-*" }
  owners      = ["136693071363"]
  most_recent = true
}
variable "lines" { type = list(string) }
source "amazon-ebs" "hcl" {
  source_ami    = data.amazon-ami.base.id
  region        = "us-east-1"
  instance_type = "t3.micro"
  ssh_username  = "admin"
  ami_name      = "hcl ${uuidv4()}"
}
build {
  sources = ["source.amazon-ebs.hcl"]
  provisioner "shell" { inline = var.lines }
  error-cleanup-provisioner "shell" { inline = ["echo cleaned up after `cat /opt/half`"] }
  post-processor "manifest" {
    output      = "hcl.json"
    custom_data = { base = data.amazon-ami.base.name }
  }
}
"#;

fn a_configuration_of_hcl_cleans_up_after_a_failure(lab: &Lab) {
    lab.home.write("one.pkr.hcl", HCL);
    let bake = |lines: &str| lab.home.run(["bake", "hcl", "--json", "--var", &format!("lines={lines}")]);
    bake(r#"["echo half > /opt/half", "exit 9"]"#).exits(1).says("cleaned up after half").says("exit code 9");
    let baked = Baked::of(&bake(r#"["echo whole > /opt/half"]"#));
    let manifest = fs_err::read_to_string(lab.home.project().join("hcl.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let build = &manifest["builds"][0];
    assert_eq!(build["artifact_id"], format!("us-east-1:{}", baked.image));
    assert!(build["custom_data"]["base"].as_str().is_some_and(|base| base.starts_with("debian-12")), "{build}");
}
