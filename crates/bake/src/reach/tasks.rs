//! What plays and tasks name.

use std::path::PathBuf;

use super::search::Context;
use super::words;
use crate::yaml::Node;

/// Something that a play names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A playbook that is imported, by its name.
    Playbook(String),
    /// A role, and the collections in which it may be.
    Role { name: String, prefer: Vec<String> },
    /// A file of tasks.
    Tasks(PathBuf),
    /// A file or folder of another kind.
    File(PathBuf),
    /// A file that a variable of the environment names.
    Environment(String),
    /// A name that is only known at run time.
    Dynamic,
}

/// Keys whose values name files of the machine that runs Ansible.
const FILE_KEYS: [&str; 4] = ["vars_files", "include_vars", "script", "src"];
const LOOPS_OVER_FILES: [&str; 5] = ["with_file", "with_fileglob", "with_filetree", "with_first_found", "with_lines"];

/// Collects what a document names; plays, tasks, blocks and variables alike, wherever they stand.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) findings: Vec<Finding>,
}

impl Seen {
    pub(super) fn node(&mut self, node: &Node, context: &Context) {
        match node {
            Node::Text(_) => {}
            Node::List(items) => items.iter().for_each(|item| self.node(item, context)),
            Node::Map(pairs) => {
                for (key, value) in pairs {
                    self.pair(node, key, value, context);
                    self.node(value, context);
                }
            }
        }
    }

    /// `whole` is the map that the pair is in: a task, for its loop.
    fn pair(&mut self, whole: &Node, key: &str, value: &Node, context: &Context) {
        let prefer = || {
            let own = whole.get("collections").map(Node::list).unwrap_or_default();
            own.iter().filter_map(Node::text).map(ToOwned::to_owned).chain(context.prefer.clone()).collect::<Vec<_>>()
        };
        // A module's full name ends in the short one.
        match key.rsplit('.').next().unwrap_or(key) {
            "import_playbook" => self.named(value.text(), Finding::Playbook),
            "roles" | "dependencies" => {
                for item in value.list() {
                    let name = item.text().or_else(|| item.get("role").or_else(|| item.get("name"))?.text());
                    self.named(name, |name| Finding::Role { name, prefer: prefer() });
                }
            }
            "import_role" | "include_role" => {
                let name = value.get("name").and_then(Node::text).or_else(|| argument(value.text()?, "name"));
                self.named(name, |name| Finding::Role { name, prefer: prefer() });
            }
            "import_tasks" | "include_tasks" | "include" => {
                let name = value.text().or_else(|| value.get("file").or_else(|| value.get("_raw_params"))?.text());
                self.found(whole, name.and_then(|name| name.split_whitespace().next()), context, Finding::Tasks);
            }
            module @ ("copy" | "template" | "unarchive" | "assemble" | "win_copy" | "win_template") => {
                let is_remote = |node: &Node| node.get("remote_src").and_then(Node::text).is_some_and(is_true);
                // The arguments as a map are seen when that map is: here only the old form, `copy: src=x dest=y`.
                if let Some(text) = value.text()
                    && !text.contains("remote_src")
                {
                    self.found(whole, argument(text, "src"), context, Finding::File);
                } else if !is_remote(value) {
                    let source = value.get("src").and_then(Node::text);
                    let is_link = module == "file";
                    self.found(whole, source.filter(|_| !is_link), context, Finding::File);
                }
            }
            "action" | "local_action" => {
                let source = value.get("src").and_then(Node::text).or_else(|| argument(value.text()?, "src"));
                self.found(whole, source, context, Finding::File);
            }
            name if FILE_KEYS.contains(&name) && name != "src" => {
                let named =
                    value.get("file").or_else(|| value.get("dir")).or_else(|| value.get("cmd")).unwrap_or(value);
                for text in named.texts() {
                    let first = if name == "script" {
                        text.split_whitespace().next()
                    } else {
                        argument(text, "file").or(Some(text))
                    };
                    self.found(whole, first, context, Finding::File);
                }
            }
            name if LOOPS_OVER_FILES.contains(&name) => {
                for text in value.texts() {
                    self.found(whole, Some(text), context, Finding::File);
                }
            }
            // Any other module with a `src` may read it here; the one that makes links does not.
            name if name != "file" && name != "vars" => {
                let is_remote = value.get("remote_src").and_then(Node::text).is_some_and(is_true);
                let source = value.get("src").and_then(Node::text).filter(|_| !is_remote && is_task(whole));
                self.found(whole, source, context, Finding::File);
            }
            _ => {}
        }
    }

    fn named(&mut self, name: Option<&str>, finding: impl Fn(String) -> Finding) {
        match name {
            Some(name) if words::is_dynamic(name) => self.findings.push(Finding::Dynamic),
            Some(name) => self.findings.push(finding(name.split_whitespace().next().unwrap_or_default().to_owned())),
            None => {}
        }
    }

    /// A path that is looked for; with the values of a literal loop filled in, if it has variables.
    fn found(&mut self, task: &Node, name: Option<&str>, context: &Context, finding: fn(PathBuf) -> Finding) {
        let Some(name) = name.filter(|name| !name.is_empty()) else { return };
        if let Some(variable) = words::environment(name) {
            self.findings.push(Finding::Environment(variable.to_owned()));
            return;
        }
        let names = expand(name, task, context);
        if names.iter().any(|name| words::is_dynamic(name) || words::is_glob(name)) {
            self.findings.push(Finding::Dynamic);
            return;
        }
        for name in names {
            match context.find(&name) {
                Some(path) => self.findings.push(finding(path)),
                // Made by an earlier task, or missing; a variable's value may have hidden a part of the name.
                None if name.contains("://") => {}
                None => {}
            }
        }
    }
}

/// `name` with what is known before the play runs: the folders of playbook and role, and the items of a literal loop.
fn expand(name: &str, task: &Node, context: &Context) -> Vec<String> {
    let mut name = name.to_owned();
    let role = context.role.as_ref().map(|role| role.display().to_string());
    let playbook = context.playbook.display().to_string();
    for (variable, value) in [("role_path", role), ("playbook_dir", Some(playbook))] {
        if let Some(value) = value {
            name = fill(&name, variable, &value);
        }
    }
    let items =
        ["loop", "with_items", "with_list"].iter().find_map(|key| task.get(key)).map(Node::list).unwrap_or_default();
    if !words::is_dynamic(&name) || items.is_empty() {
        return vec![name];
    }
    let filled = items.iter().map(|item| match item {
        Node::Text(text) => fill(&name, "item", text),
        Node::Map(pairs) => pairs.iter().fold(name.clone(), |name, (key, value)| {
            value.text().map_or_else(|| name.clone(), |text| fill(&name, &format!("item.{key}"), text))
        }),
        Node::List(_) => name.clone(),
    });
    filled.collect()
}

/// Replaces `{{ variable }}`, with or without the spaces.
fn fill(text: &str, variable: &str, value: &str) -> String {
    text.replace(&format!("{{{{ {variable} }}}}"), value).replace(&format!("{{{{{variable}}}}}"), value)
}

/// The value of `key=value` in the old form of a task.
fn argument<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split_whitespace()
        .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        .map(|value| value.trim_matches(['"', '\'']))
}

fn is_true(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "true" | "yes" | "on" | "1")
}

/// Whether a map is a task rather than a map of variables: `src` is a common name for one of those as well.
fn is_task(map: &Node) -> bool {
    map.pairs()
        .iter()
        .any(|(key, value)| matches!(value, Node::Map(_)) && !matches!(key.as_str(), "vars" | "environment"))
}
