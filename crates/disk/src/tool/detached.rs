//! Tools that outlive us: the endpoint's daemon, containers, virtual machines.

use std::path::Path;
use std::process::Child;
use std::process::ExitStatus;
use std::process::Stdio;

use super::Tool;
use super::ToolError;
use crate::process::Process;

/// A tool that runs in a session of its own and stays when this process ends.
///
/// Dropping it changes nothing. Keep [`Detached::process`] to find the tool again after a restart.
#[derive(Debug)]
pub struct Detached {
    child: Child,
    process: Process,
}

impl Detached {
    /// The process; its group has the same id.
    #[must_use]
    pub const fn process(&self) -> Process {
        self.process
    }

    /// How it ended, if it has. A long-lived parent must ask once in a while, or the ended tool stays a zombie.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

pub(super) fn spawn(mut tool: Tool, log: &Path) -> Result<Detached, ToolError> {
    let start_error = |source| ToolError::start(&tool.name, &tool.doing, source);
    let log = fs_err::OpenOptions::new().create(true).append(true).open(log).map_err(start_error)?;
    let out = log.try_clone().map_err(start_error)?;
    tool.command.stdin(Stdio::null()).stdout(out.into_file()).stderr(log.into_file());
    let mut child = tool.spawn(false)?;
    let Some(process) = Process::find(child.id()) else {
        // It has ended already; its log says why.
        let status = child.wait().map_err(|source| ToolError::start(&tool.name, &tool.doing, source))?;
        return Err(ToolError::Failed { tool: tool.name, doing: tool.doing, status, last_lines: String::new() });
    };
    Ok(Detached { child, process })
}
