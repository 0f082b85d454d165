//! Packer 1.6.6, as Debian has it, builds the example's image with its own builder and provisioner. It knows nothing of us.

use std::time::Instant;

use ovenbird_aws::ec2;
use ovenbird_disk::tool::Line;
use serde_json::Value;

use super::page;
use crate::support::Lab;
use crate::support::audit;
use crate::support::repository;

/// What the example's template lacks: where EC2 is. Packer's SDK does not know `AWS_ENDPOINT_URL`.
fn endpoint_settings(url: &str) -> [(&'static str, Value); 5] {
    [
        ("custom_endpoint_ec2", url.into()),
        ("skip_credential_validation", true.into()),
        ("skip_metadata_api_check", true.into()),
        ("skip_region_validation", true.into()),
        ("insecure_skip_tls_verify", true.into()),
    ]
}

/// What the OpenSSH of today needs to talk to the proxy that Packer 1.6.6 puts between Ansible and the instance: the proxy's
/// keys are of the type ssh-rsa, and it knows scp's own protocol only. And it tells Ansible the local user's name as the
/// instance's: for root, who runs the tests, Ansible would then expect root's home and see no need to become root.
const ANSIBLE: [(&str, &str); 4] = [
    (
        "ANSIBLE_SSH_ARGS",
        "-C -o ControlMaster=auto -o ControlPersist=60s -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa",
    ),
    ("ANSIBLE_SCP_EXTRA_ARGS", "-O"),
    ("ANSIBLE_REMOTE_TMP", "/tmp/.ansible"),
    ("ANSIBLE_BECOME_ALLOW_SAME_USER", "True"),
];

#[test]
fn packer_builds_the_example_and_its_image_provisions_itself() {
    let lab = Lab::start_with_internet();
    lab.home.copy_examples();
    lab.base();
    let image = build(&lab);
    let api = lab.api();
    let made = api.find_image(&image).expect("the image is there");
    assert_eq!(made.state.as_deref(), Some("available"), "{made:?}");
    assert!(made.name.as_deref().is_some_and(|name| name.starts_with("web 20")), "{made:?}");
    assert_eq!(left_of_the_build(&lab), [""; 0]);

    // The instances of the image's own need no way out.
    lab.down(&[]);
    lab.up();
    let told = lab.home.run(["launch", "web", "--env", "dev", "--image", &image, "--wait", "--json"]).ok().json();
    assert_eq!(told["state"], "ok", "{told}");
    let page = page::fetch(told["address"].as_str().expect("an address"));
    assert_eq!(page::element(&page, "environment"), "dev");
    assert_eq!(audit(&lab.home.local_state()), [""; 0]);
}

/// Packer's image id.
fn build(lab: &Lab) -> String {
    let environment = lab.home.run(["local", "env", "--json"]).ok().json();
    let variable = |name: &str| environment[name].as_str().expect("text").to_owned();
    let text = fs_err::read_to_string(lab.home.project().join("web/web.json")).expect("the template");
    let mut template: Value = serde_json::from_str(&text).expect("JSON");
    for (name, value) in endpoint_settings(&variable("AWS_ENDPOINT_URL")) {
        template["builders"][0][name] = value;
    }
    lab.home.write("packer.json", template.to_string());
    let collections = format!("{}:/usr/share/ansible/collections", repository().join("ansible").display());
    let mut tool = lab.home.tool("packer").args(["build", "-machine-readable", "packer.json"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        tool = tool.env(name, variable(name));
    }
    for (name, value) in ANSIBLE {
        tool = tool.env(name, value);
    }
    let (began, mut log, mut artifact) = (Instant::now(), String::new(), None);
    let ran = tool
        .doing("build the example's image with Packer")
        .env("AWS_POLL_DELAY_SECONDS", "1")
        .env("CHECKPOINT_DISABLE", "1")
        .env("ANSIBLE_COLLECTIONS_PATH", collections)
        .run_lines(|line| {
            let (Line::Out(text) | Line::Err(text)) = line;
            // Such as `1764000000,amazon-ebs,artifact,0,id,us-east-1:ami-0123456789abcdef0`.
            if let Some((_, id)) = text.split_once(",artifact,0,id,") {
                artifact = id.split_once(':').map(|(_, image)| image.trim().to_owned());
            }
            log.push_str(text);
            log.push('\n');
        });
    println!("packer: {:.1} s", began.elapsed().as_secs_f64());
    assert!(ran.is_ok(), "{:?}\n{log}", ran.err());
    artifact.unwrap_or_else(|| panic!("no artifact in\n{log}"))
}

/// Key pairs, security groups and instances that Packer made for the build and did not take away.
fn left_of_the_build(lab: &Lab) -> Vec<String> {
    let api = lab.api();
    let pairs = api.send(ec2::DescribeKeyPairsRequest::default()).expect("key pairs").key_pairs;
    let groups = api.send(ec2::DescribeSecurityGroupsRequest::default()).expect("groups").security_groups;
    let instances = api.send(ec2::DescribeInstancesRequest::default()).expect("instances").reservations;
    let is_alive = |instance: &ec2::Instance| {
        instance.state.as_ref().is_some_and(|state| state.name.as_deref() != Some("terminated"))
    };
    let instances = instances.into_iter().flat_map(|reservation| reservation.instances).filter(is_alive);
    let names = pairs.into_iter().filter_map(|pair| pair.key_name);
    let names = names.chain(groups.into_iter().filter_map(|group| group.group_name).filter(|name| name != "default"));
    names.chain(instances.filter_map(|instance| instance.instance_id)).collect()
}
