//! What the baked boot play reaches for.

use std::io;

use crate::root::Root;
use crate::yaml;
use crate::yaml::Node;

/// Where the boot play is in an image.
const FOLDER: &str = "usr/lib/ovenbird/boot";

/// Modules that fetch something: an instance that needs them needs somebody else to start.
const NETWORK_MODULES: [&str; 18] = [
    "apt",
    "apt_key",
    "apt_repository",
    "dnf",
    "docker_image",
    "gem",
    "get_url",
    "git",
    "hg",
    "npm",
    "package",
    "pip",
    "podman_image",
    "snap",
    "subversion",
    "uri",
    "yum",
    "zypper",
];

/// Lookups that do. Parameters are the agent's work, before the play.
const NETWORK_LOOKUPS: [&str; 8] =
    ["aws_secret", "aws_ssm", "dig", "hashi_vault", "secretsmanager_secret", "ssm_parameter", "url", "consul_kv"];

/// One sentence for each thing of the boot play that needs the network, and for each file that is no YAML.
pub(super) fn find_network_use(root: &Root) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for (file, _) in root.walk(FOLDER)? {
        let Some(content) = root.read(&file)? else { continue };
        let text = String::from_utf8_lossy(&content);
        for name in NETWORK_LOOKUPS.into_iter().filter(|name| has_lookup(&text, name)) {
            found.push(format!("the boot play uses the lookup `{name}` in /{}", file.display()));
        }
        if !file.extension().is_some_and(|end| end == "yml" || end == "yaml") {
            continue;
        }
        match yaml::parse(&text) {
            Some(documents) => {
                let modules = documents.iter().flat_map(modules);
                found.extend(modules.map(|name| format!("the boot play uses `{name}` in /{}", file.display())));
            }
            None => found.push(format!("/{} of the boot play is no YAML that can be checked", file.display())),
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Network modules that tasks use, wherever they stand. A task is an item of a list: a variable may have any name.
fn modules(node: &Node) -> Vec<String> {
    let of_item = |item: &Node| -> Vec<String> {
        let own = item.pairs().iter().filter_map(|(key, value)| own(key, value));
        own.chain(modules(item)).collect()
    };
    match node {
        Node::Text(_) => Vec::new(),
        Node::List(items) => items.iter().flat_map(of_item).collect(),
        Node::Map(pairs) => pairs.iter().flat_map(|(_, value)| modules(value)).collect(),
    }
}

fn own(key: &str, value: &Node) -> Option<String> {
    let action =
        value.get("module").or(Some(value)).and_then(Node::text).and_then(|text| text.split_whitespace().next());
    let name = if matches!(key, "action" | "local_action") { action? } else { key };
    NETWORK_MODULES.contains(&name.rsplit('.').next()?).then(|| name.to_owned())
}

/// The quoted name of a lookup, with its collection or without.
fn has_lookup(text: &str, name: &str) -> bool {
    text.contains("lookup(") | text.contains("query(") | text.contains("q(")
        && ['\'', '"']
            .iter()
            .any(|quote| text.contains(&format!("{quote}{name}{quote}")) || text.contains(&format!(".{name}{quote}")))
}
