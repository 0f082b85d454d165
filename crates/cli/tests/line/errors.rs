//! Mistakes that are found before any endpoint is asked.

use super::assert_says;
use crate::support::Home;
use crate::support::Ran;

fn project() -> Home {
    let home = Home::new();
    home.copy_examples();
    home
}

#[test]
fn without_a_project() {
    let home = Home::new();
    let ran = home.run(["plan", "web"]);
    assert_says("error-no-project", &home, &ran);
}

#[test]
fn a_project_that_cannot_be_read() {
    let home = Home::new();
    home.write("ovenbird.toml", "environments = [\"dev\", \"prod\"]\nregions = \"us-east-1\"\n");
    assert_says("error-project-unknown-key", &home, &home.run(["plan", "web"]));
    home.write("ovenbird.toml", "environments = []\n");
    assert_says("error-project-no-environments", &home, &home.run(["plan", "web"]));
}

#[test]
fn names_that_the_project_does_not_have() {
    let home = project();
    assert_says("error-unknown-service", &home, &home.run(["plan", "wbe"]));
    assert_says("error-unknown-environment", &home, &home.run(["launch", "web", "--env", "prd"]));
    assert_says("error-promote-unknown-environment", &home, &home.run(["promote", "web", "--to", "staging"]));
}

#[test]
fn templates_that_cannot_be_baked() {
    let home = project();
    home.edit("web/web.json", "\"instance_type\"", "\"instance_typ\"");
    assert_says("error-template-unknown-option", &home, &home.run(["validate", "web/web.json"]));
    assert_says("error-template-of-a-service", &home, &home.run(["plan", "web"]));
    home.write("web/web.json", "{\n  \"builders\": [{\"type\": \"amazon-ebs\",}]\n}\n");
    assert_says("error-template-syntax", &home, &home.run(["validate", "web/web.json"]));
    assert_says("error-template-missing", &home, &home.run(["validate", "wbe.json"]));
    home.run(["validate", "nowhere/wbe.json"]).exits(2).warns("nowhere/wbe.json");
}

#[test]
fn a_template_whose_files_are_not_there() {
    let home = project();
    home.edit("web/web.json", "web/web.yml", "web/wbe.yml");
    assert_says("error-template-file-missing", &home, &home.run(["validate", "web/web.json"]));
}

#[test]
fn variables_in_packers_spelling() {
    let home = project();
    home.write("v.json", r#"{"variables": {"name": null}, "builders": [{"type": "amazon-ebs", "source_ami": "ami-1", "ami_name": "{{user `name`}}"}]}"#);
    home.write("x.json", r#"{"name": "web"}"#);
    home.run(["validate", "-var", "name=web", "v.json"]).ok();
    home.run(["validate", "-var-file=x.json", "v.json"]).ok();
}

#[test]
fn a_profile_that_the_template_names() {
    let home = project();
    home.edit("web/web.json", "\"instance_type\"", "\"profile\": \"builds\", \"instance_type\"");
    home.run(["validate", "web/web.json", "--profile", "other"]).exits(2).warns("AWS_PROFILE or --profile");
    home.run(["validate", "web/web.json", "--profile", "builds"]).ok();
}

#[test]
fn a_template_that_can_be_baked() {
    let home = project();
    assert_says("validate", &home, &home.run(["validate", "web/web.json"]));
    let answer = home.run(["-C", "web", "validate", "web/web.json", "--json"]).ok().json();
    assert_eq!(answer["valid"], true, "{answer}");
}

#[test]
fn templates_of_hcl() {
    let home = project();
    home.write(
        "hcl/a.pkr.hcl",
        "source \"amazon-ebs\" \"web\" {\n  source_ami = data.amazon-ami.base.id\n  ami_name   = var.name\n}\n",
    );
    home.write("hcl/b.pkr.hcl", "build {\n  sources = [\"source.amazon-ebs.web\"]\n}\ndata \"amazon-ami\" \"base\" {\n  owners = [\"self\"]\n}\n");
    home.write("hcl/c.pkr.hcl", "variable \"name\" {\n  validation {\n    condition     = var.name == file(\"wanted\")\n    error_message = \"It is called ${var.name}.\"\n  }\n}\n");
    home.write("hcl/wanted", "second");
    home.write("hcl/name.auto.pkrvars.hcl", "name = \"automatic\"\n");
    home.write("first.pkrvars.hcl", "name = \"first\"\n");
    let said = |arguments: &[&str]| home.run([&["validate"], arguments].concat()).stderr;
    assert!(said(&["hcl"]).contains("It is called automatic."));
    assert!(said(&["hcl", "--var-file", "first.pkrvars.hcl"]).contains("It is called first."));
    home.run(["validate", "hcl", "--var", "name=second", "--var-file", "first.pkrvars.hcl"]).ok();
    assert!(said(&["web"]).contains("there is no template in web"));
}

#[test]
fn options_that_make_no_sense() {
    let home = project();
    assert_says("error-missing-argument-as-json", &home, &home.run(["promote", "web", "--json"]));
    assert_says("error-unknown-command", &home, &home.run(["bkae", "web"]));
    assert_says("error-missing-argument", &home, &home.run(["promote", "web"]));
    assert_says(
        "error-extra-without-value",
        &home,
        &home.run(["launch", "web", "--env", "dev", "--extra", "volume_id"]),
    );
    let twice = ["launch", "web", "--env", "dev", "--extra", "banner=a", "--extra", "banner=b"];
    assert_says("error-extra-twice", &home, &home.run(twice));
    let secret = ["launch", "web", "--env", "dev", "--extra", "password=12"];
    assert_says("error-secret-in-user-data", &home, &home.run(secret));
}

#[test]
fn without_an_endpoint() {
    let home = project();
    for command in ["status", "images", "inventory", "cleanup", "doctor"] {
        assert_says("error-no-endpoint", &home, &home.run([command]));
    }
    assert_says("error-no-endpoint", &home, &home.run(["plan", "web"]));
    assert_says("error-local-not-running", &home, &home.run(["local", "env"]));
    assert_says("local-status-not-running", &home, &home.run(["local", "status"]));
    assert_says("local-down-not-running", &home, &home.run(["local", "down"]));
    assert_eq!(home.run(["local", "status", "--json"]).ok().json()["running"], false);
    assert!(!home.local_state().exists(), "asking makes nothing");
}

#[test]
fn an_endpoint_that_does_not_answer() {
    let home = project();
    let tool = home.ovenbird(["status", "--region", "us-east-1"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let tool = tool.env("AWS_ACCESS_KEY_ID", "none").env("AWS_SECRET_ACCESS_KEY", "none");
    Ran::of("ovenbird status elsewhere", tool).exits(3).warns("http://127.0.0.1:1");
}

#[test]
fn failures_are_one_line_of_json_for_programs() {
    let home = project();
    let ran = home.run(["plan", "wbe", "--json"]).exits(2);
    assert_says("error-as-json", &home, &ran);
    let [error] = ran.events().try_into().expect("one line");
    assert_eq!((&error["event"], &error["kind"]), (&"error".into(), &"usage".into()));
    assert_eq!(ran.stderr, "");
    let ran = home.run(["validate", "--json", "nothing.json"]);
    assert!(ran.events().len() == 1 && ran.stderr.is_empty(), "{ran:?}");
}

#[test]
fn what_needs_root_says_so() {
    let home = project();
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Where the program lies, nobody may be allowed to look.
    let program = home.path().join("ovenbird");
    fs_err::copy(env!("CARGO_BIN_EXE_ovenbird"), &program).expect("copied");
    home.tool("chmod").args(["-R", "a+rwX"]).arg(home.path()).run().expect("open to all");
    let nobody = |arguments: &[&str]| {
        let tool = home
            .tool("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .args(arguments)
            // No base is known there.
            .env("XDG_CACHE_HOME", home.path().join("empty"));
        Ran::of(&format!("ovenbird {} as nobody", arguments.join(" ")), tool)
    };
    assert_says("error-up-not-root", &home, &nobody(&["local", "up"]));
    assert_says("error-bake-not-root", &home, &nobody(&["bake", "web"]));
    assert_says("error-base-not-root", &home, &nobody(&["local", "base", "debian-12"]));
}
