//! What the provisioners `shell` and `shell-local` have in common: what runs, and with which variables.

use crate::deferred::Deferred;
use crate::fields::Fields;

/// Packer's default for scripts that are lists of lines.
const SHEBANG: &str = "/bin/sh -e";

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// One script of these lines.
    Inline {
        /// The lines, joined by newlines.
        lines: Vec<Deferred>,
        /// What follows `#!` in the first line.
        shebang: String,
    },
    /// These scripts, one after the other. Paths are as the template writes them; relative ones count from the working folder.
    Files(Vec<Deferred>),
}

impl Script {
    /// The script in a few words, for titles.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Inline { lines, .. } => {
                let first = lines.iter().find_map(|line| line.find_literal()).unwrap_or("…");
                let more = if lines.len() > 1 { ", …" } else { "" };
                format!("`{first}`{more}")
            }
            Self::Files(files) => {
                let names: Vec<&str> = files.iter().map(|file| file.find_literal().unwrap_or("…")).collect();
                names.join(", ")
            }
        }
    }
}

/// Reads the one of `options` that is there: `inline`, `script`, `scripts`, and, of shell-local, `command`. What is missing
/// or there twice is reported.
pub(super) fn read(fields: &Fields<'_>, options: &[&str]) -> Option<Script> {
    let is_given = |name: &&&str| fields.find(name).is_some_and(|node| fields.asks_for(node));
    let mut given = options.iter().filter(is_given);
    let Some(first) = given.next() else {
        let help = format!("what to run; there are {}", options.join(", "));
        fields.missing("inline", &help);
        return None;
    };
    if let Some(second) = given.next() {
        let message = format!("`{first}` and `{second}` are both there");
        let span = fields.find(second).map(|node| node.span.clone()).unwrap_or_default();
        fields.findings.error(&span, message, Some("keep one of them".to_owned()));
        return None;
    }
    let shebang = fields.text("inline_shebang").unwrap_or_else(|| SHEBANG.to_owned());
    let values = fields.deferred_texts(first);
    if values.is_empty() {
        return None;
    }
    Some(match *first {
        "inline" => Script::Inline { lines: values, shebang },
        "command" | "script" => {
            let one = fields.deferred(first)?;
            if *first == "script" { Script::Files(vec![one]) } else { Script::Inline { lines: vec![one], shebang } }
        }
        _ => Script::Files(values),
    })
}

/// `environment_vars`, a list of `NAME=value`, with the object `env` over it, in that order.
pub(super) fn environment(fields: &Fields<'_>) -> Vec<(String, Deferred)> {
    let mut variables: Vec<(String, Deferred)> = Vec::new();
    let mut set = |name: String, value: Deferred| {
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
    };
    for pair in fields.deferred_texts("environment_vars") {
        match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() => set(name, value),
            _ if fields.is_open("environment_vars") => {}
            _ => {
                let span = fields.find("environment_vars").map(|node| node.span.clone()).unwrap_or_default();
                fields.findings.error(&span, "`environment_vars` must be a list of NAME=value", None);
            }
        }
    }
    for (name, value) in fields.deferred_map("env") {
        set(name, value);
    }
    variables
}

/// `valid_exit_codes`; 0 alone where there are none.
pub(super) fn exit_codes(fields: &Fields<'_>) -> Vec<i32> {
    let codes = fields.texts("valid_exit_codes");
    let numbers = codes.iter().filter_map(|code| {
        let number = code.parse();
        if let (Err(_), Some(node), false) =
            (&number, fields.find("valid_exit_codes"), fields.is_open("valid_exit_codes"))
        {
            fields.findings.error(&node.span, format!("`valid_exit_codes` has `{code}`, which is no number"), None);
        }
        number.ok()
    });
    let numbers: Vec<i32> = numbers.collect();
    if numbers.is_empty() { vec![0] } else { numbers }
}
