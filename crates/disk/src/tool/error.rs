//! What can go wrong with a tool.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use super::packages;

/// A tool did not do its work. Every sentence says what was being done.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The program is not on this machine.
    #[error("could not {doing}: {tool} is not installed ({hint})")]
    Missing {
        /// The program's name.
        tool: String,
        /// What was being done.
        doing: String,
        /// What to install.
        hint: String,
    },
    /// The program is there but did not start, or could not be talked to.
    #[error("could not {doing}: {tool} could not be started")]
    Start {
        /// The program's name.
        tool: String,
        /// What was being done.
        doing: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// It ended with a status that means failure.
    #[error("could not {doing}: {tool} ended with {status}{}", indented(last_lines))]
    Failed {
        /// The program's name.
        tool: String,
        /// What was being done.
        doing: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        last_lines: String,
    },
    /// It ran longer than it may, and was killed with all its children.
    #[error("could not {doing}: {tool} was still running after {deadline:?} and was killed{}", indented(last_lines))]
    TimedOut {
        /// The program's name.
        tool: String,
        /// What was being done.
        doing: String,
        /// The time that it had.
        deadline: Duration,
        /// The end of what it printed.
        last_lines: String,
    },
    /// This process was asked to stop, so the tool was too.
    #[error("interrupted: did not {doing}")]
    Interrupted {
        /// The program's name.
        tool: String,
        /// What was being done.
        doing: String,
    },
}

impl ToolError {
    /// The exit status of a tool that failed; `None` for other errors and for a tool that a signal ended.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        if let Self::Failed { status, .. } = self { status.code() } else { None }
    }

    /// Whether the run ended because this process was asked to stop.
    #[must_use]
    pub const fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }

    /// The end of what the tool printed, if it ran at all.
    #[must_use]
    pub fn last_lines(&self) -> &str {
        match self {
            Self::Failed { last_lines, .. } | Self::TimedOut { last_lines, .. } => last_lines,
            Self::Missing { .. } | Self::Start { .. } | Self::Interrupted { .. } => "",
        }
    }

    pub(super) fn missing(tool: &str, doing: &str) -> Self {
        let hint = packages::find_package(tool).map_or_else(
            || format!("put {tool} into one of the folders of PATH"),
            |package| format!("on Debian: apt-get install {package}"),
        );
        Self::Missing { tool: tool.to_owned(), doing: doing.to_owned(), hint }
    }

    pub(super) fn start(tool: &str, doing: &str, source: io::Error) -> Self {
        Self::Start { tool: tool.to_owned(), doing: doing.to_owned(), source }
    }
}

fn indented(lines: &str) -> String {
    if lines.is_empty() { String::new() } else { format!(":\n  {}", lines.replace('\n', "\n  ")) }
}
