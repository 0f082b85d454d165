//! Why a layer's key is another one now, in words.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use super::LayerInputs;
use super::ParentRef;
use crate::block::Digest;

/// One input that differs between two layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The base image, or the layer below.
    Parent {
        /// What the layer stood on.
        before: ParentRef,
        /// What it stands on now.
        after: ParentRef,
    },
    /// A file that the play reaches.
    File {
        /// Its path, as the play names it.
        path: String,
        /// What happened to it.
        change: FileChange,
    },
    /// An option of the provisioner.
    Option(Value),
    /// A tool's version.
    Tool(Value),
    /// The architecture.
    Architecture {
        /// Before, as the EC2 API writes it.
        before: String,
        /// Now.
        after: String,
    },
    /// The package archive's state.
    Archive,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content is another one.
    Changed,
}

/// A named text that was added, removed or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The option's or tool's name.
    pub name: String,
    /// `None`: there was none.
    pub before: Option<String>,
    /// `None`: there is none now.
    pub after: Option<String>,
}

pub(super) fn between(old: &LayerInputs, new: &LayerInputs) -> Vec<Difference> {
    let mut found = Vec::new();
    if old.parent != new.parent {
        found.push(Difference::Parent { before: old.parent.clone(), after: new.parent.clone() });
    }
    found.extend(files(&old.files, &new.files));
    found.extend(values(&old.options, &new.options).map(Difference::Option));
    found.extend(values(&old.tools, &new.tools).map(Difference::Tool));
    if old.architecture != new.architecture {
        found.push(Difference::Architecture { before: old.architecture.clone(), after: new.architecture.clone() });
    }
    if old.archive != new.archive {
        found.push(Difference::Archive);
    }
    found
}

fn files<'a>(old: &'a BTreeMap<String, Digest>, new: &'a BTreeMap<String, Digest>) -> impl Iterator<Item = Difference> {
    keys(old, new).into_iter().filter_map(|path| {
        let change = match (old.get(path), new.get(path)) {
            (Some(before), Some(after)) if before == after => return None,
            (Some(_), Some(_)) => FileChange::Changed,
            (None, _) => FileChange::Added,
            (_, None) => FileChange::Removed,
        };
        Some(Difference::File { path: path.clone(), change })
    })
}

fn values<'a>(old: &'a BTreeMap<String, String>, new: &'a BTreeMap<String, String>) -> impl Iterator<Item = Value> {
    keys(old, new).into_iter().filter_map(|name| {
        let (before, after) = (old.get(name).cloned(), new.get(name).cloned());
        (before != after).then(|| Value { name: name.clone(), before, after })
    })
}

fn keys<'a, V>(old: &'a BTreeMap<String, V>, new: &'a BTreeMap<String, V>) -> BTreeSet<&'a String> {
    old.keys().chain(new.keys()).collect()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent { before: ParentRef::Layer(before), after: ParentRef::Layer(after) } => {
                write!(f, "the layer below changed ({} -> {})", before.short(), after.short())
            }
            Self::Parent { before, after } if parent(before) == parent(after) => {
                write!(f, "the content of {} changed", parent(after))
            }
            Self::Parent { before, after } => write!(f, "{} -> {}", parent(before), parent(after)),
            Self::File { path, change: FileChange::Added } => write!(f, "{path} is new"),
            Self::File { path, change: FileChange::Removed } => write!(f, "{path} is gone"),
            Self::File { path, change: FileChange::Changed } => write!(f, "{path} changed"),
            Self::Option(value) => write!(f, "option {value}"),
            Self::Tool(value) => value.fmt(f),
            Self::Architecture { before, after } => write!(f, "architecture {before} -> {after}"),
            Self::Archive => f.write_str("the package archive has new content"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        write!(f, "{} {} -> {}", self.name, shown(&self.before), shown(&self.after))
    }
}

fn parent(parent: &ParentRef) -> String {
    match parent {
        ParentRef::Base { snapshot, .. } => format!("base {snapshot}"),
        ParentRef::Layer(key) => format!("layer {}", key.short()),
    }
}
