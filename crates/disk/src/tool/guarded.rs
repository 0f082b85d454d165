//! Tools that live as long as a guard: what holds a sandbox, a server of a test.

use std::fs::File;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::io::Write as _;
use std::process::Child;
use std::process::ChildStdout;
use std::process::ExitStatus;
use std::process::Stdio;

use rustix::process::Pid;
use rustix::process::Signal;

use super::Input;
use super::Tool;
use super::ToolError;

/// How much of the end of the standard error is shown.
const TAIL: u64 = 4096;

/// A running child. Dropping the guard kills its whole process group; so does the end of this process, for the child.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    is_reaped: bool,
    stderr: File,
}

impl Guarded {
    /// The child's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, if it was started with [`Stdio::piped`]; once. Whoever takes it must read it.
    pub const fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, if it has.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        self.is_reaped |= status.is_some();
        status
    }

    /// The end of what it wrote to its standard error so far.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        let mut file = &self.stderr;
        let mut tail = Vec::new();
        let length = file.metadata().map_or(0, |meta| meta.len());
        // The child writes through a descriptor of its own, in append mode: moving our position moves nothing of its.
        if file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).is_ok() {
            _ = file.read_to_end(&mut tail);
        }
        String::from_utf8_lossy(&tail).trim().to_owned()
    }

    /// Kills it with its whole process group, and reaps it.
    pub fn kill(&mut self) {
        // Once the leader is reaped, its id may already name another group.
        if !self.is_reaped {
            _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            _ = self.child.wait();
            self.is_reaped = true;
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Bytes go through a file without a name: the child may read them as late as it likes, and more than once.
fn readable(input: Input) -> std::io::Result<Stdio> {
    Ok(match input {
        Input::Nothing => Stdio::null(),
        Input::File(file) => file.into(),
        Input::Bytes(bytes) => {
            let mut file = tempfile::tempfile()?;
            file.write_all(&bytes)?;
            file.rewind()?;
            file.into()
        }
    })
}

pub(super) fn spawn(mut tool: Tool, stdout: Stdio) -> Result<Guarded, ToolError> {
    let start_error = |source| ToolError::start(&tool.name, &tool.doing, source);
    let stderr = tempfile::NamedTempFile::new().map_err(start_error)?;
    let appended = fs_err::OpenOptions::new().append(true).open(stderr.path()).map_err(start_error)?;
    let stdin = readable(std::mem::replace(&mut tool.stdin, Input::Nothing)).map_err(start_error)?;
    tool.command.stdin(stdin).stdout(stdout).stderr(appended.into_file());
    let child = tool.spawn(true)?;
    Ok(Guarded { child, is_reaped: false, stderr: stderr.into_file() })
}
