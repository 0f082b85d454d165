//! The fast path: a worker inside the sandbox runs Ansible's modules as forks of itself, in place of a new interpreter for each.
//!
//! What Ansible does stays Ansible's: its own modules run, from the payloads that it builds, each in a process of its own with its own
//! environment, streams and exit status. What is not a module fed to the image's interpreter (`become_user`, `async`, `raw`,
//! `script`, modules in other languages, another interpreter) is a command of the image's shell, as without us. So the result
//! is the same with and without, a test compares the trees, and the choice is no part of a layer's key.
//!
//! The transport is a socket of three requests (`connection.py` says which); nothing but [`Worker::start`] knows of the sandbox.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::tool::Guarded;
use ovenbird_disk::wait::wait_even_if_interrupted;
use serde::Deserialize;
use tempfile::TempDir;

use crate::sandbox::Sandbox;

/// The worker; it is fed to the image's interpreter.
const WORKER: &str = include_str!("fast/worker.py");
/// The connection plugin that asks it.
const CONNECTION: &str = include_str!("fast/connection.py");
/// The plugin's name.
pub(super) const CONNECTION_NAME: &str = "ovenbird_sandbox";
/// As Ansible starts a module, to the letter: the worker's forks inherit what that leaves in the environment.
const START: &str = "/usr/bin/python3 && sleep 0";
/// How long the worker may take to say that it is there, or to go.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running worker. Dropping it ends it.
pub(super) struct Worker {
    process: Guarded,
    /// Holds the socket; only root may look into it.
    folder: TempDir,
    /// The version of the image's Python.
    pub(super) python: String,
}

/// What a worker did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Work {
    /// Modules that were forks, since the worker last started again.
    pub(super) forked: u32,
    /// Commands that were run by the image's shell.
    pub(super) shells: u32,
}

#[derive(Deserialize)]
struct Hello {
    python: String,
}

impl Worker {
    /// Starts a worker, or says why modules have to run plainly.
    pub(super) fn start(sandbox: &Sandbox) -> Result<Self, String> {
        // A link is as good as a file: it counts from the image, not from here.
        if fs::symlink_metadata(sandbox.root().join("usr/bin/python3")).is_err() {
            return Err("the image has no /usr/bin/python3".to_owned());
        }
        let failed = |error: io::Error| format!("the worker's socket could not be made: {error}");
        let folder = tempfile::tempdir().map_err(failed)?;
        let listener = UnixListener::bind(folder.path().join("worker")).map_err(failed)?;
        let shell = sandbox.tool("/bin/sh").args(["-c", START]).doing("start the worker in the sandbox");
        let process = shell.stdin_bytes(WORKER).spawn_guarded(Stdio::from(OwnedFd::from(listener)));
        let process = process.map_err(|error| error.to_string())?;
        let mut worker = Self { process, folder, python: String::new() };
        match worker.ask::<Hello>("hello") {
            Ok(hello) => worker.python = hello.python,
            Err(error) => return Err(format!("the worker did not start: {error}: {}", worker.said())),
        }
        Ok(worker)
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("worker")
    }

    /// What it had to say besides its answers.
    pub(super) fn said(&self) -> String {
        self.process.stderr_tail()
    }

    /// Ends it; says why, if it had ended before.
    pub(super) fn end(&mut self) -> Result<Work, String> {
        let work = self.ask("end").map_err(|error| format!("the worker ended early ({error}): {}", self.said()))?;
        let gone = wait_even_if_interrupted(PATIENCE, Duration::from_millis(5), || self.process.try_wait());
        gone.map(|_| work).map_err(|error| format!("the worker does not end: {error}"))
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, request: &str) -> io::Result<T> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{}\n", serde_json::json!({ "do": request })).as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

/// Writes the connection plugin into a folder.
pub(super) fn write_plugin(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("{CONNECTION_NAME}.py")), CONNECTION)
}
