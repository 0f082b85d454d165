//! How a play can fail.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ovenbird_disk::tool::ToolError;

use super::event::Task;

/// A playbook did not end well. The image is then not made.
#[derive(Debug, thiserror::Error)]
pub enum PlaybookError {
    /// `ansible-playbook` is missing or could not be started.
    #[error("could not run Ansible")]
    Tool(#[source] ToolError),
    /// A file of the run could not be read or written.
    #[error("could not prepare the Ansible run")]
    File(#[from] io::Error),
    /// A task failed.
    #[error("the task `{task}`{} failed: {message}\n  everything that Ansible said is in {}", at(task), log.display())]
    TaskFailed {
        /// The task.
        task: Box<Task>,
        /// What its module said.
        message: String,
        /// The log.
        log: PathBuf,
    },
    /// The sandbox could not be entered, so a task could not run.
    #[error("the task `{task}`{} could not run in the image: {message}\n  everything that Ansible said is in {}", at(task), log.display())]
    Unreachable {
        /// The task.
        task: Box<Task>,
        /// What Ansible said.
        message: String,
        /// The log.
        log: PathBuf,
    },
    /// The collection with the connection plugin is not on this machine.
    #[error(
        "Ansible lacks the collection community.general, which runs plays in a folder (on Debian: apt-get install ansible)"
    )]
    NoConnection,
    /// Ansible did not take the playbook.
    #[error("Ansible could not run {}: {message}\n  everything that it said is in {}", playbook.display(), log.display())]
    Refused {
        /// The playbook.
        playbook: PathBuf,
        /// What Ansible said.
        message: String,
        /// Its exit status.
        code: i32,
        /// The log.
        log: PathBuf,
    },
    /// No task ran at all.
    #[error(
        "{} ran nothing in the image: {}; the image's host is in the groups that the template gives it, and in `all`",
        playbook.display(), if *no_hosts { "no play's `hosts` matched" } else { "it has no play for it" }
    )]
    NothingRan {
        /// The playbook.
        playbook: PathBuf,
        /// Whether Ansible itself said that no host matched.
        no_hosts: bool,
        /// The log.
        log: PathBuf,
    },
    /// It took longer than it may.
    #[error("the play was still running after {deadline:?} and was ended; what it did is in {}", log.display())]
    TimedOut {
        /// The time that it had.
        deadline: Duration,
        /// The log.
        log: PathBuf,
    },
    /// Somebody asked this process to stop.
    #[error("the play was interrupted")]
    Interrupted,
}

impl PlaybookError {
    pub(super) fn refused(playbook: &Path, code: i32, errors: &[String], log: PathBuf) -> Self {
        let text = errors.join("\n");
        if text.contains("community.general.chroot") {
            return Self::NoConnection;
        }
        let message = text.trim().trim_start_matches("ERROR!").trim();
        let message = if message.is_empty() { format!("it ended with status {code}") } else { message.to_owned() };
        Self::Refused { playbook: playbook.to_owned(), message, code, log }
    }
}

fn at(task: &Task) -> String {
    task.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default()
}
