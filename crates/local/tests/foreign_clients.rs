//! The unmodified aws command line and boto3, as other people use them, against the endpoint.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::path::PathBuf;

use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;
use support::Endpoint;

const OWNER: &str = "123456789012";
const OTHER: &str = "136693071363";

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// A tool of the virtual environment; without it the test fails and says what to do.
fn foreign(tool: &str) -> String {
    let path = repository().join("target/venv/bin").join(tool);
    assert!(
        path.exists(),
        "{} is missing: run `tests/venv` (it installs tests/requirements.txt into target/venv)",
        path.display()
    );
    path.display().to_string()
}

/// Runs a script of tests/clients; what it prints is shown where it fails.
fn run(endpoint: &Endpoint, tool: &str, script: &str) {
    let (keys, other) = (endpoint.keys(OWNER), endpoint.keys(OTHER));
    let mut printed = String::new();
    let ran = Tool::new(tool)
        .doing(format!("run {script}"))
        .arg(repository().join("tests/clients").join(script))
        .env("AWS_ENDPOINT_URL", &endpoint.url)
        .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)
        .env("OTHER_ACCESS_KEY_ID", &other.access_key_id)
        .env("OTHER_SECRET_ACCESS_KEY", &other.secret_access_key)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("AWS", foreign("aws"))
        .run_lines(|line| {
            let (Line::Out(text) | Line::Err(text)) = line;
            printed.push_str(text);
            printed.push('\n');
        });
    assert!(ran.is_ok(), "{script}: {:?}\n{printed}", ran.err());
}

fn with_endpoint(test: impl FnOnce(&Endpoint)) {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = Endpoint::start(folder.path());
    test(&endpoint);
    endpoint.end();
}

#[test]
fn boto3_images_and_snapshots() {
    with_endpoint(|endpoint| run(endpoint, &foreign("python"), "images.py"));
}

#[test]
fn boto3_instances_and_volumes() {
    with_endpoint(|endpoint| run(endpoint, &foreign("python"), "instances.py"));
}

#[test]
fn boto3_launch_path() {
    with_endpoint(|endpoint| run(endpoint, &foreign("python"), "launch_path.py"));
}

#[test]
fn boto3_encryption_and_billing() {
    with_endpoint(|endpoint| run(endpoint, &foreign("python"), "encryption.py"));
}

#[test]
fn boto3_parameters_and_identity() {
    with_endpoint(|endpoint| run(endpoint, &foreign("python"), "parameters.py"));
}

#[test]
fn boto3_refusals() {
    with_endpoint(|endpoint| run(endpoint, &foreign("python"), "refusals.py"));
}

#[test]
fn aws_command_line() {
    with_endpoint(|endpoint| run(endpoint, "sh", "commands.sh"));
}

#[test]
fn aws_command_line_of_a_launch() {
    with_endpoint(|endpoint| run(endpoint, "sh", "launch_commands.sh"));
}
