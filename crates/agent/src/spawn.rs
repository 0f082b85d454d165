//! The one place that starts other programs: with a deadline, a clean environment, no input, and output that is read to its end.

use std::ffi::OsStr;
use std::io;
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process_group;

use crate::fault::Fault;
use crate::time::Deadline;

/// How much output is kept of each stream.
const KEPT: usize = 64 * 1024;
/// How long to listen after the program's end, if a child of its own holds the pipes open.
const LINGER: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);

/// A program to be run.
#[derive(Debug)]
pub struct Tool {
    name: String,
    command: Command,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The first 64 KiB of its standard output.
    pub stdout: String,
    /// The first 64 KiB of its standard error.
    pub stderr: String,
}

impl Output {
    /// The last line that it printed, for a sentence.
    #[must_use]
    pub fn last_words(&self) -> String {
        let lines = self.stderr.lines().rev().chain(self.stdout.lines().rev());
        let last = lines.map(str::trim).find(|line| !line.is_empty());
        last.map_or_else(
            || format!("exit code {:?} without a word", self.code.unwrap_or(-1)),
            |line| line.chars().take(200).collect(),
        )
    }
}

/// A piece of output.
enum Piece {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

impl Tool {
    /// A program, found in `PATH`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the agent does not depend on crates/disk; this is its one spawn"
        )]
        let mut command = Command::new(name);
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        command.env_clear().env("PATH", path).env("LANG", "C.UTF-8").env("LC_ALL", "C.UTF-8").env("HOME", "/root");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        Self { name: name.to_owned(), command }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the folder that it works in.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it to its end. Any exit code is an answer.
    ///
    /// # Errors
    /// When it cannot be started, or not before the deadline ended; then its whole process group was killed.
    pub fn run(self, deadline: &Deadline) -> Result<Output, Fault> {
        self.run_showing(deadline, &mut |_| {})
    }

    /// Runs it to its end and shows everything that it prints, as it comes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_showing(mut self, deadline: &Deadline, show: &mut dyn FnMut(&[u8])) -> Result<Output, Fault> {
        let name = &self.name;
        let broken = |error: io::Error| Fault::passing(format!("cannot run {name}: {error}"));
        let mut child = self.command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Fault::lasting(format!("the image has no program {name}")),
            _ => broken(error),
        })?;
        let pieces = listen(&mut child);
        let mut output = Output::default();
        let mut keep = |piece: Piece| {
            let (bytes, kept) = match &piece {
                Piece::Out(bytes) => (bytes, &mut output.stdout),
                Piece::Err(bytes) => (bytes, &mut output.stderr),
            };
            show(bytes);
            if kept.len() < KEPT {
                kept.push_str(&String::from_utf8_lossy(bytes));
            }
        };
        let status = loop {
            match pieces.recv_timeout(LOOK) {
                Ok(piece) => {
                    keep(piece);
                    continue;
                }
                // All is read, so its end is near.
                Err(mpsc::RecvTimeoutError::Disconnected) => _ = deadline.pause(LOOK),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if let Some(status) = child.try_wait().map_err(broken)? {
                break status;
            }
            if deadline.is_over() {
                end(&mut child);
                return Err(Fault::passing(format!("{name} did not end in time")));
            }
        };
        let linger = Deadline::after(LINGER);
        while let Ok(piece) = pieces.recv_timeout(linger.remaining()) {
            keep(piece);
        }
        output.code = status.code();
        Ok(output)
    }
}

fn listen(child: &mut Child) -> mpsc::Receiver<Piece> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        let sender = sender.clone();
        thread::spawn(move || forward(stdout, &sender, Piece::Out));
    }
    if let Some(stderr) = child.stderr.take() {
        thread::spawn(move || forward(stderr, &sender, Piece::Err));
    }
    receiver
}

/// Reads to the end even when nobody listens any more: a program dies when its output is not read.
fn forward(mut from: impl Read, to: &mpsc::Sender<Piece>, piece: fn(Vec<u8>) -> Piece) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        _ = to.send(piece(buffer[..length].to_vec()));
    }
}

fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        _ = kill_process_group(group, Signal::KILL);
    }
    _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    fn sh(script: &str) -> Tool {
        Tool::new("sh").args(["-c", script])
    }

    #[test]
    fn output_and_code_are_told_apart() {
        let output = sh("echo out; echo err >&2; exit 3").run(&soon()).unwrap();
        assert_eq!(output, Output { code: Some(3), stdout: "out\n".to_owned(), stderr: "err\n".to_owned() });
        assert_eq!(output.last_words(), "err");
        assert!(Tool::new("no-such-program").run(&soon()).unwrap_err().sentence.contains("the image has no program"));
    }

    #[test]
    fn more_output_than_a_pipe_holds_is_drained() {
        let mut shown = 0;
        let output = sh("head -c 3000000 /dev/zero").run_showing(&soon(), &mut |bytes| shown += bytes.len()).unwrap();
        assert_eq!((output.code, shown), (Some(0), 3_000_000));
        assert!(output.stdout.len() <= KEPT + 8192);
    }

    #[test]
    fn at_the_deadline_the_whole_family_is_killed() {
        let marker = tempfile::tempdir().unwrap();
        let alive = marker.path().join("alive");
        let script = format!("(sleep 3; touch {}) & sleep 60", alive.display());
        let before = Instant::now();
        let fault = sh(&script).run(&Deadline::after(Duration::from_millis(300))).unwrap_err();
        assert!(fault.sentence.contains("sh did not end in time"));
        assert!(before.elapsed() < Duration::from_secs(5));
        assert!(soon().pause(Duration::from_secs(4)));
        assert!(!alive.exists());
    }

    #[test]
    fn a_child_that_holds_the_pipe_open_does_not_hold_us() {
        let before = Instant::now();
        let output = sh("sleep 30 & echo done").run(&soon()).unwrap();
        assert_eq!(output.stdout, "done\n");
        assert!(before.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn nothing_of_our_environment_leaks() {
        let output = Tool::new("env").run(&soon()).unwrap();
        let names: Vec<_> = output.stdout.lines().map(|line| line.split('=').next().unwrap()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
    }
}
