//! What a play does, as it happens.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// A step of a play. Secrets are masked, and results of `no_log` tasks are hidden.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Modules run as forks of a worker in the image.
    FastPath {
        /// The version of the image's Python.
        python: String,
    },
    /// Modules run as Ansible runs them anywhere, each in an interpreter of its own.
    PlainAnsible {
        /// Why.
        reason: String,
    },
    /// A play of the playbook begins.
    PlayStarted {
        /// Its name.
        name: String,
    },
    /// A task begins.
    TaskStarted {
        /// The task.
        task: Task,
    },
    /// A task is done, well or not.
    TaskDone {
        /// The task.
        task: Task,
        /// How it ended.
        status: Status,
        /// How long it took.
        seconds: f64,
        /// Why, if it failed.
        message: Option<String>,
    },
    /// A play's `hosts` matched nothing.
    NoHosts,
    /// The playbook is done.
    Stats(Stats),
}

/// A task, as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its name, else its module.
    pub name: String,
    /// The role that it belongs to.
    pub role: Option<String>,
    /// Where it is written.
    pub place: Option<Place>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing had to be done.
    Ok,
    /// It changed something.
    Changed,
    /// Its condition was false.
    Skipped,
    /// It failed, and the play goes on as it said it would (`ignore_errors`).
    Ignored,
    /// It failed.
    Failed,
    /// The sandbox could not be entered.
    Unreachable,
}

/// What a playbook did, in tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are Ansible's own, of its recap")]
pub struct Stats {
    /// 0 when no play matched the image's host.
    pub hosts: u32,
    pub ok: u32,
    pub changed: u32,
    pub skipped: u32,
    pub failures: u32,
    pub unreachable: u32,
    pub rescued: u32,
    pub ignored: u32,
}

/// A line of the callback plugin: the event, and the whole result for the log.
pub(super) struct Parsed {
    pub(super) event: Event,
    pub(super) result: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "ovenbird")]
enum Wire {
    Play { name: String },
    Task { task: Task },
    Done { task: Task, status: Status, seconds: f64, message: Option<String>, result: Value },
    NoHosts,
    Stats(Stats),
}

/// Reads a line of the plugin; `None` for anything else that Ansible prints.
pub(super) fn parse(line: &str) -> Option<Parsed> {
    let plain = |event| Parsed { event, result: None };
    Some(match serde_json::from_str(line).ok()? {
        Wire::Play { name } => plain(Event::PlayStarted { name }),
        Wire::Task { task } => plain(Event::TaskStarted { task }),
        Wire::Done { task, status, seconds, message, result } => {
            Parsed { event: Event::TaskDone { task, status, seconds, message }, result: Some(result) }
        }
        Wire::NoHosts => plain(Event::NoHosts),
        Wire::Stats(stats) => plain(Event::Stats(stats)),
    })
}

impl Event {
    /// Replaces every text that may quote a secret.
    pub(super) fn mask(&mut self, mask: impl Fn(&str) -> String) {
        match self {
            Self::PlayStarted { name } => *name = mask(name),
            Self::TaskStarted { task } => task.name = mask(&task.name),
            Self::TaskDone { task, message, .. } => {
                task.name = mask(&task.name);
                *message = message.as_deref().map(mask);
            }
            Self::FastPath { .. } | Self::PlainAnsible { .. } | Self::NoHosts | Self::Stats(_) => {}
        }
    }
}

/// `role : name`, as Ansible writes it.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.role {
            Some(role) => write!(f, "{role} : {}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_plugins_lines_and_nothing_else() {
        let line = r#"{"ovenbird":"done","task":{"name":"Nginx","role":"web","place":{"file":"/x/main.yml","line":2}},"status":"failed","seconds":1.5,"message":"no","result":{"rc":1}}"#;
        let parsed = parse(line).expect("an event");
        assert_eq!(parsed.result, Some(serde_json::json!({"rc": 1})));
        let Event::TaskDone { task, status: Status::Failed, message: Some(message), .. } = parsed.event else {
            panic!("a failed task")
        };
        assert_eq!((task.to_string().as_str(), message.as_str()), ("web : Nginx", "no"));
        assert_eq!(task.place.map(|place| place.to_string()).as_deref(), Some("/x/main.yml:2"));
        for line in ["", "ok: [default]", "{\"changed\": true}", "{\"ovenbird\": \"tea\"}"] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
