//! The peer: Debian's Packer, on the same endpoint. It knows nothing of us but the endpoint's settings.

use ovenbird_disk::tool::Tool;
use serde_json::Value;

use crate::Failure;
use crate::lab::Lab;

/// What the OpenSSH of today needs to talk to the proxy that Packer 1.6.6 puts between Ansible and the instance, and what Ansible needs
/// to be told since that proxy says the local user's name for the instance's.
const ANSIBLE: [(&str, &str); 4] = [
    (
        "ANSIBLE_SSH_ARGS",
        "-C -o ControlMaster=auto -o ControlPersist=60s -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa",
    ),
    ("ANSIBLE_SCP_EXTRA_ARGS", "-O"),
    ("ANSIBLE_REMOTE_TMP", "/tmp/.ansible"),
    ("ANSIBLE_BECOME_ALLOW_SAME_USER", "True"),
];

/// How Packer is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tuning {
    /// As installed: it polls every 15 seconds.
    Installed,
    /// It polls every second, and Ansible pipelines.
    Tuned,
}

/// Such as `packer 1.6.6`.
pub(crate) fn version() -> Result<String, Failure> {
    let said = Tool::new("packer").arg("version").env("CHECKPOINT_DISABLE", "1").run()?.text();
    Ok(said.lines().next().unwrap_or_default().replace("Packer v", "packer "))
}

/// Writes `packer.json` beside the project's own template: the same, with what says where EC2 is. Packer's SDK does not know
/// `AWS_ENDPOINT_URL`.
pub(crate) fn write_template(lab: &Lab<'_>, template: &str) -> Result<(), Failure> {
    let mut value: Value = serde_json::from_slice(&fs_err::read(lab.project().join(template))?)?;
    let url = lab.variable("AWS_ENDPOINT_URL")?;
    let builder = &mut value["builders"][0];
    builder["custom_endpoint_ec2"] = url.into();
    for skipped in ["skip_credential_validation", "skip_metadata_api_check", "skip_region_validation"] {
        builder[skipped] = true.into();
    }
    lab.write("packer.json", &value.to_string())
}

/// One `packer build` of `packer.json`.
pub(crate) fn build(lab: &Lab<'_>, tuning: Tuning) -> Result<Tool, Failure> {
    build_with(lab, tuning, &[])
}

/// A `packer build` of `packer.json` for a service.
pub(crate) fn build_service(lab: &Lab<'_>, service: &str, tuning: Tuning) -> Result<Tool, Failure> {
    Ok(build_with(lab, tuning, &["-var", &format!("service={service}")])?.doing(format!("build {service} with Packer")))
}

fn build_with(lab: &Lab<'_>, tuning: Tuning, options: &[&str]) -> Result<Tool, Failure> {
    Ok(environment(lab, lab.tool("packer"), tuning)?.args(["build", "-color=false"]).args(options).arg("packer.json"))
}

fn environment(lab: &Lab<'_>, tool: Tool, tuning: Tuning) -> Result<Tool, Failure> {
    let collections = lab.place.repository.join("ansible");
    let tool = ANSIBLE.iter().fold(tool, |tool, (name, value)| tool.env(name, value));
    let tool = tool
        .env("AWS_ACCESS_KEY_ID", lab.variable("AWS_ACCESS_KEY_ID")?)
        .env("AWS_SECRET_ACCESS_KEY", lab.variable("AWS_SECRET_ACCESS_KEY")?)
        .env("ANSIBLE_COLLECTIONS_PATH", format!("{}:/usr/share/ansible/collections", collections.display()))
        .env("OVENBIRD_AGENT", lab.place.ovenbird.with_file_name("ovenbird-agent"))
        .env("CHECKPOINT_DISABLE", "1");
    Ok(match tuning {
        Tuning::Installed => tool,
        Tuning::Tuned => tool.env("AWS_POLL_DELAY_SECONDS", "1").env("ANSIBLE_PIPELINING", "True"),
    })
}
