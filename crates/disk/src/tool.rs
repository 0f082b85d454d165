//! The one way to spawn a system tool.
//!
//! Every run is bounded in time, drains the tool's output, ends the tool's whole process group when the time is up or
//! this process is interrupted, dies with this process, and fails with an error that says what was being done.

mod detached;
mod error;
mod guarded;
mod packages;
mod run;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

pub use detached::Detached;
pub use error::ToolError;
pub use guarded::Guarded;
pub use run::Started;

/// How long a tool may run unless told otherwise.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(300);

/// How long a tool gets to end by itself unless told otherwise.
const DEFAULT_GRACE: Duration = Duration::from_secs(3);

/// Where system tools live; root's and sudo's `PATH` don't always say so.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A system tool that is about to run.
///
/// ```no_run
/// # use ovenbird_disk::tool::Tool;
/// Tool::new("e2fsck").doing("check root.raw").args(["-fn", "root.raw"]).run()?;
/// # Ok::<(), ovenbird_disk::tool::ToolError>(())
/// ```
#[must_use = "a tool does nothing until it is run"]
pub struct Tool {
    name: String,
    doing: String,
    command: Command,
    found: bool,
    stdin: Input,
    stdout: Option<File>,
    deadline: Duration,
    grace: Duration,
    accepted: Vec<i32>,
    even_if_interrupted: bool,
}

/// What a tool reads.
enum Input {
    Nothing,
    Bytes(Vec<u8>),
    File(File),
}

/// What a tool printed before it ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Exit status: 0, or one that [`Tool::accept`] allows.
    pub code: i32,
    /// All of the standard output; empty after [`Tool::run_lines`] and [`Tool::run_pieces`].
    pub stdout: Vec<u8>,
    /// The end of the standard error (at most 16 KiB).
    pub stderr: String,
}

impl Output {
    /// The standard output as text without white space around it; bytes that are not UTF-8 become `U+FFFD`.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }
}

/// A line that a tool printed, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// On the standard output.
    Out(&'a str),
    /// On the standard error.
    Err(&'a str),
}

impl Tool {
    /// The tool of this name, found in `PATH` or where system tools live; or the program at this path, if it has a slash.
    ///
    /// It inherits the environment, with `LC_ALL=C.UTF-8`, so that its messages are the same everywhere.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let path = find_program(&name);
        #[expect(clippy::disallowed_methods, reason = "this is the spawning that the ban points to")]
        let mut command = Command::new(path.as_deref().unwrap_or(Path::new(&name)));
        command.env("LC_ALL", "C.UTF-8");
        Self {
            doing: format!("run {name}"),
            name,
            command,
            found: path.is_some(),
            stdin: Input::Nothing,
            stdout: None,
            deadline: DEFAULT_DEADLINE,
            grace: DEFAULT_GRACE,
            accepted: vec![0],
            even_if_interrupted: false,
        }
    }

    /// What the run is for, as it reads after "could not": `write the root file system of x.raw`.
    pub fn doing(mut self, doing: impl Into<String>) -> Self {
        self.doing = doing.into();
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the tool's environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts from an environment of `PATH` (the system's) and `LC_ALL` alone.
    pub fn env_clear(mut self) -> Self {
        self.command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", SYSTEM_PATH);
        self
    }

    /// Runs the tool in this folder.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Feeds these bytes to its standard input, which is empty otherwise.
    pub fn stdin_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Input::Bytes(bytes.into());
        self
    }

    /// Feeds this file to its standard input, however large it is.
    pub fn stdin_file(mut self, file: impl Into<File>) -> Self {
        self.stdin = Input::File(file.into());
        self
    }

    /// Writes its standard output to this file, however much it is; [`Output::stdout`] is then empty.
    pub fn stdout_file(mut self, file: impl Into<File>) -> Self {
        self.stdout = Some(file.into());
        self
    }

    /// Ends it when it runs longer than this; 5 minutes unless said.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long it gets to end by itself, after SIGTERM, when its time is up or this process is interrupted; 3 seconds unless said.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Takes these exit statuses for success too, besides 0 (`e2fsck` says 1 when it mended something).
    pub fn accept(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.accepted.extend(codes);
        self
    }

    /// Lets it run to its end although this process is being interrupted: for undoing, which is what an interrupt wants.
    pub fn even_if_interrupted(mut self) -> Self {
        self.even_if_interrupted = true;
        self
    }

    /// Runs it to its end and keeps what it printed.
    ///
    /// # Errors
    /// [`ToolError`] when it is missing, cannot start, ends with another status than 0, takes too long, or is interrupted.
    pub fn run(self) -> Result<Output, ToolError> {
        run::run(self)
    }

    /// Runs it to its end, and hands over what it prints piece by piece, however much it is; [`Output::stdout`] is then empty.
    ///
    /// # Errors
    /// As [`Tool::run`].
    pub fn run_pieces(self, see: impl FnMut(&[u8])) -> Result<Output, ToolError> {
        run::run_pieces(self, see)
    }

    /// Runs it to its end, and hands over every line as soon as it is printed.
    ///
    /// # Errors
    /// As [`Tool::run`].
    pub fn run_lines(self, follow: impl FnMut(Line<'_>)) -> Result<Output, ToolError> {
        run::start(self)?.run_lines(follow)
    }

    /// Starts it, to be followed to its end later. It dies with the calling **thread**.
    ///
    /// # Errors
    /// [`ToolError`] when it is missing or cannot start.
    pub fn start(self) -> Result<Started, ToolError> {
        run::start(self)
    }

    /// Starts it in a session of its own to outlive this process; its output is appended to `log`.
    ///
    /// # Errors
    /// [`ToolError`] when it is missing or cannot start, or `log` cannot be opened.
    pub fn spawn_detached(self, log: &Path) -> Result<Detached, ToolError> {
        detached::spawn(self, log)
    }

    /// Starts it as a child that lives no longer than the returned guard, nor than the calling **thread**
    /// (Linux ties the parent-death signal to the thread that forked).
    ///
    /// # Errors
    /// [`ToolError`] when it is missing or cannot start.
    pub fn spawn_guarded(self, stdout: impl Into<Stdio>) -> Result<Guarded, ToolError> {
        guarded::spawn(self, stdout.into())
    }

    /// Starts the child in its own process group; `bound` ones die with the thread that calls this.
    fn spawn(&mut self, bound: bool) -> Result<std::process::Child, ToolError> {
        if !self.found {
            return Err(ToolError::missing(&self.name, &self.doing));
        }
        prepare_child(&mut self.command, bound);
        self.command.spawn().map_err(|source| ToolError::start(&self.name, &self.doing, source))
    }
}

/// The command line, for logs: words that a shell would split are quoted.
impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for arg in self.command.get_args() {
            let arg = arg.to_string_lossy();
            let plain = !arg.is_empty() && arg.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c));
            if plain { write!(f, " {arg}")? } else { write!(f, " '{}'", arg.replace('\'', r"'\''"))? }
        }
        Ok(())
    }
}

/// Whether this machine has the program; `Err` names the Debian package to install.
///
/// # Errors
/// [`ToolError::Missing`].
pub fn ensure_installed(name: &str, doing: &str) -> Result<(), ToolError> {
    find_program(name).map(drop).ok_or_else(|| ToolError::missing(name, doing))
}

/// Where the program of this name is: in `PATH`, or where system tools live.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Path::new(name).is_file().then(|| name.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(std::env::split_paths(SYSTEM_PATH))
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[expect(unsafe_code, reason = "std offers no other way to ask for the parent-death signal")]
fn prepare_child(command: &mut Command, bound: bool) {
    use rustix::process::Signal;
    use rustix::process::getpid;
    use rustix::process::getppid;
    use rustix::process::set_parent_process_death_signal;
    use rustix::process::setsid;

    if !bound {
        let set_up = || setsid().map(drop).map_err(Into::into);
        // SAFETY: between fork and exec the closure makes one system call, allocates nothing and takes no lock.
        unsafe { command.pre_exec(set_up) };
        return;
    }
    let parent = getpid();
    let set_up = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the line above; nobody would tell us.
        if getppid() == Some(parent) { Ok(()) } else { Err(std::io::ErrorKind::NotConnected.into()) }
    };
    command.process_group(0);
    // SAFETY: between fork and exec the closure makes two system calls, allocates nothing and takes no lock.
    unsafe { command.pre_exec(set_up) };
}
