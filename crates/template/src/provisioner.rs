//! Reads the provisioners of a build.

mod ansible_local;
mod breakpoint;
mod file;
mod script;
mod shell;
pub(crate) mod shell_local;

use std::time::Duration;

use crate::ansible;
use crate::fields::Fields;
use crate::fields::Findings;
use crate::nearest::did_you_mean;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::place::Place;
use crate::recipe::Provisioner;
use crate::recipe::ProvisionerKind;
use crate::recipe::Unsupported;
use crate::scope::Scope;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

pub use ansible_local::AnsibleLocal;
pub use breakpoint::Breakpoint;
pub use breakpoint::Sleep;
pub use file::Direction;
pub use file::FileTransfer;
pub use file::Origin;
pub use script::Script;
pub use shell::Shell;
pub use shell_local::ShellLocal;

/// The options that every provisioner has.
pub(crate) const COMMON: Row =
    (&["type", "only", "except", "override", "pause_before", "max_retries", "timeout"], Honoured);

/// The types that there are.
const TYPES: [&str; 7] = [
    ansible::TYPE,
    ansible_local::TYPE,
    shell::TYPE,
    file::TYPE,
    shell_local::TYPE,
    breakpoint::BREAKPOINT,
    breakpoint::SLEEP,
];

/// Reads one provisioner for the build of `scope`. `None` when it is not for that build, or wrong, which has been reported.
pub(crate) fn read(node: &Node, findings: &Findings, scope: Scope<'_>, builds: &[&str]) -> Option<Provisioner> {
    let (build, _) = scope.build?;
    let mut fields = Fields::of("a provisioner", node, findings, scope)?;
    let kind = fields.required_text("type", "such as \"ansible\"");
    verify_build_names(&fields, builds);
    work_in_override(&mut fields, build, builds);
    let kind = kind?;
    let place = findings.source.place(node.span.start);
    let kind = read_kind(kind, &fields, &place);
    let pause_before = fields.duration("pause_before").unwrap_or(Duration::ZERO);
    let max_retries = fields.count("max_retries").unwrap_or(0);
    let timeout = fields.duration("timeout").filter(|timeout| !timeout.is_zero());
    let provisioner = Provisioner { kind: kind?, pause_before, max_retries, timeout, place };
    let only = fields.texts("only");
    let is_for_it = (only.is_empty() || only.iter().any(|name| name == build))
        && !fields.texts("except").iter().any(|name| name == build);
    is_for_it.then_some(provisioner)
}

/// Puts the build's own options over the others.
fn work_in_override<'a>(fields: &mut Fields<'a>, build: &str, builds: &[&str]) {
    let Some(node) = fields.find("override") else { return };
    let Value::Object(overrides) = &node.value else {
        if fields.is_open("override") {
            return;
        }
        fields.findings.error(&node.span, "`override` must be an object of builder names", None);
        return;
    };
    for member in overrides.iter().filter(|member| !member.key.starts_with('_')) {
        verify_build_name(fields.findings, &member.key, member, builds);
    }
    let Some(Member { node: Node { value: Value::Object(own), .. }, .. }) =
        overrides.iter().find(|member| member.key == build)
    else {
        return;
    };
    let is_overridden = |member: &&'a Member| own.iter().any(|own| own.key == member.key);
    fields.members.retain(|member| !is_overridden(member));
    fields.members.extend(own);
}

fn verify_build_name(findings: &Findings, name: &str, member: &Member, builds: &[&str]) {
    if !builds.contains(&name) {
        let help =
            did_you_mean(name, builds.iter().copied()).or_else(|| Some(format!("there are {}", builds.join(", "))));
        findings.error(&member.key_span, format!("there is no builder `{name}`"), help);
    }
}

/// Reports names in `only` and `except` that are no builder's.
pub(crate) fn verify_build_names(fields: &Fields<'_>, builds: &[&str]) {
    for list in ["only", "except"] {
        let Some(member) = fields.members.iter().find(|member| member.key == list) else { continue };
        for name in fields.texts(list) {
            verify_build_name(fields.findings, &name, member, builds);
        }
    }
}

/// Reads what a provisioner of that type does. `None` when it is wrong, which has been reported.
fn read_kind(kind: String, fields: &Fields<'_>, place: &Place) -> Option<ProvisionerKind> {
    Some(match kind.as_str() {
        ansible::TYPE => ProvisionerKind::Ansible(Box::new(ansible::read(&fields.called(ansible::TYPE))?)),
        ansible_local::TYPE => {
            ProvisionerKind::AnsibleLocal(Box::new(ansible_local::read(&fields.called(ansible_local::TYPE))?))
        }
        shell::TYPE => ProvisionerKind::Shell(Box::new(shell::read(&fields.called(shell::TYPE))?)),
        file::TYPE => ProvisionerKind::File(Box::new(file::read(&fields.called(file::TYPE))?)),
        shell_local::TYPE => {
            let fields = fields.called(shell_local::TYPE);
            ProvisionerKind::ShellLocal(Box::new(shell_local::read(&fields, shell_local::OPTIONS)?))
        }
        breakpoint::BREAKPOINT => {
            ProvisionerKind::Breakpoint(breakpoint::breakpoint(&fields.called(breakpoint::BREAKPOINT)))
        }
        breakpoint::SLEEP => ProvisionerKind::Sleep(breakpoint::sleep(&fields.called(breakpoint::SLEEP))?),
        _ => ProvisionerKind::Unsupported(Unsupported { instead: instead(&kind), kind, place: place.clone() }),
    })
}

fn instead(kind: &str) -> String {
    match kind {
        "powershell" | "windows-shell" | "windows-restart" => "Windows images are not supported".to_owned(),
        "chef-solo" | "chef-client" | "puppet-masterless" | "puppet-server" | "salt-masterless" | "converge" => {
            format!("run it by `{}`, or make it a playbook", shell::TYPE)
        }
        "inspec" | "goss" => format!("run it by `{}`, in the image as it is then", shell::TYPE),
        "hcp-sbom" => "every bake writes a bill of materials with its manifest".to_owned(),
        _ => did_you_mean(kind, TYPES).unwrap_or_else(|| format!("there are {}", TYPES.join(", "))),
    }
}

/// The tables of the provisioners, each under its heading.
#[cfg(test)]
pub(crate) fn tables() -> Vec<(&'static str, &'static [Row])> {
    vec![
        ("Provisioner `ansible-local`", ansible_local::OPTIONS),
        ("Provisioner `shell`", shell::OPTIONS),
        ("Provisioner `file`", file::OPTIONS),
        ("Provisioner `shell-local`", shell_local::OPTIONS),
        ("Provisioner `breakpoint`", breakpoint::BREAKPOINT_OPTIONS),
        ("Provisioner `sleep`", breakpoint::SLEEP_OPTIONS),
    ]
}
