//! Reads the provisioners of a build.

use std::time::Duration;

use crate::ansible;
use crate::fields::Fields;
use crate::fields::Findings;
use crate::nearest::did_you_mean;
use crate::recipe::Provisioner;
use crate::recipe::ProvisionerKind;
use crate::recipe::Unsupported;
use crate::scope::Scope;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// Reads one provisioner for the build of `scope`. `None` when it is not for that build, or wrong, which has been reported.
pub(crate) fn read(node: &Node, findings: &Findings, scope: Scope<'_>, builds: &[&str]) -> Option<Provisioner> {
    let (build, _) = scope.build?;
    let mut fields = Fields::of("a provisioner", node, findings, scope)?;
    let kind = fields.required_text("type", "such as \"ansible\"");
    verify_build_names(&fields, builds);
    work_in_override(&mut fields, build, builds);
    let kind = kind?;
    let place = findings.source.place(node.span.start);
    let kind = match kind.as_str() {
        ansible::TYPE => {
            let ansible = ansible::read(&fields.called(ansible::TYPE));
            ansible.map(|ansible| ProvisionerKind::Ansible(Box::new(ansible)))
        }
        _ => Some(ProvisionerKind::Unsupported(Unsupported { instead: instead(&kind), kind, place: place.clone() })),
    };
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

fn instead(kind: &str) -> String {
    match kind {
        "ansible-local" => "use `ansible`: the play runs in the image without Ansible being installed in it",
        "shell" | "shell-local" | "file" => "make it a task of a playbook, so that plan knows what it depends on",
        _ => return did_you_mean(kind, [ansible::TYPE]).unwrap_or_else(|| format!("there is `{}`", ansible::TYPE)),
    }
    .to_owned()
}
