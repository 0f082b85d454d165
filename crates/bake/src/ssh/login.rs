//! A login on the instance.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use ovenbird_disk::tool::Guarded;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;
use ovenbird_disk::wait::WaitError;
use ovenbird_disk::wait::wait_until;

use super::Host;
use super::SshError;
use super::options;
use super::options::Files;
use crate::sandbox::BAKE_VARIABLE;

/// How often an instance that boots is asked: sshd is there within a second of its start, and people wait for it.
const PROBE: Duration = Duration::from_millis(500);
/// How long one probe may take; a dropped packet must not cost the rest of the boot.
const PROBE_DEADLINE: Duration = Duration::from_secs(8);
/// How often is looked whether the connection stands.
const LOOK: Duration = Duration::from_millis(10);
/// What `ssh` ends with where the connection failed or was lost; a command may end with it too.
const LOST: i32 = 255;
/// How long after a command's end its connection may still stand where both were lost: a shutdown ends processes one by one.
const SETTLED: Duration = Duration::from_secs(2);
/// What a probe does.
const LOG_IN: &str = "log in";

/// One connection to an instance, for commands, files and Ansible alike.
#[derive(Clone, Debug)]
pub struct Login {
    host: Host,
    files: Files,
    bake: String,
    /// The process that holds the connection.
    connection: Arc<Mutex<Option<Guarded>>>,
}

impl Login {
    /// A login that keeps its pinned key in `folder`. Nothing is connected yet.
    #[must_use]
    pub fn new(host: Host, key: &Path, folder: &Path, bake: &str) -> Self {
        let files = Files {
            key: key.to_owned(),
            // Of this host alone: a bake that is resumed may log in to another one.
            known_hosts: folder.join(format!("{}-host-key", host.name)),
            control: socket_folder(bake).join("ssh"),
        };
        Self { host, files, bake: bake.to_owned(), connection: Arc::default() }
    }

    /// Who is logged in to.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The bake that it belongs to.
    #[must_use]
    pub fn bake(&self) -> &str {
        &self.bake
    }

    /// Tries to log in until it works, and pins the host's key then. The connection stays.
    ///
    /// Until then a key may change (cloud-init makes the host's keys at the first boot), and the user may be missing.
    ///
    /// # Errors
    /// [`SshError::Unreachable`] with what the last try said; an interrupt.
    pub fn ensure_connected(&self, patience: Duration) -> Result<(), SshError> {
        ensure_socket_folder(&self.bake)?;
        let mut last = String::new();
        let look = || match self.probe() {
            Err(ToolError::Failed { last_lines, .. } | ToolError::TimedOut { last_lines, .. }) => {
                last = last_lines.lines().last().unwrap_or("the connection was closed").to_owned();
                None
            }
            ended => Some(ended),
        };
        match wait_until(patience, PROBE, look) {
            Ok(ended) => Ok(ended?),
            Err(WaitError::Interrupted) => Err(SshError::Interrupted),
            Err(WaitError::Deadline(patience)) => Err(SshError::Unreachable {
                host: format!("{}:{}", self.host.address, self.host.port),
                user: self.host.user.clone(),
                patience,
                last,
            }),
        }
    }

    /// Whether the connection was lost under a command that ended with `code`, or could not be made for it. Where it stands, the
    /// command itself said so.
    #[must_use]
    pub fn was_lost(&self, code: i32) -> bool {
        code == LOST && wait_until(SETTLED, LOOK, || (!self.stands()).then_some(())).is_ok()
    }

    fn stands(&self) -> bool {
        self.control("check").deadline(PROBE_DEADLINE).run().is_ok()
    }

    fn probe(&self) -> Result<(), ToolError> {
        let pin = &self.files.known_hosts;
        if pin.is_file() {
            return self.hold(&self.files, "StrictHostKeyChecking=yes");
        }
        // What a try that failed has seen is no pin: the key was not final, or another machine answered.
        let candidate = pin.with_extension("candidate");
        _ = fs_err::remove_file(&candidate);
        let first = Files { known_hosts: candidate.clone(), ..self.files.clone() };
        self.hold(&first, "StrictHostKeyChecking=accept-new")?;
        fs_err::rename(&candidate, pin).map_err(cannot("keep the key of the instance"))
    }

    /// Makes the connection that all commands share, in a process that dies with the calling thread, as a bake that is killed does. One that
    /// ssh itself puts into the background would outlive it.
    fn hold(&self, files: &Files, checking: &str) -> Result<(), ToolError> {
        // Beside another one, or where one has left its socket, it would not be shared.
        self.let_go();
        let own = ["-N", "-o", "ControlMaster=yes", "-o", "ControlPersist=no", "-o", checking].map(str::to_owned);
        let tool = self.ssh_with(own.into_iter().chain(options::options(&self.host, files))).doing(LOG_IN);
        let mut connection = tool.spawn_guarded(Stdio::null())?;
        let look = || match connection.try_wait() {
            Some(status) => Some(Err(status)),
            None => files.control.exists().then_some(Ok(())),
        };
        match wait_until(PROBE_DEADLINE, LOOK, look) {
            Ok(Ok(())) => {}
            Ok(Err(status)) => return Err(failed(status, connection.stderr_tail())),
            Err(WaitError::Interrupted) => {
                return Err(ToolError::Interrupted { tool: "ssh".to_owned(), doing: LOG_IN.to_owned() });
            }
            Err(WaitError::Deadline(deadline)) => {
                let last_lines = connection.stderr_tail();
                return Err(ToolError::TimedOut {
                    tool: "ssh".to_owned(),
                    doing: LOG_IN.to_owned(),
                    deadline,
                    last_lines,
                });
            }
        }
        // Some users may log in and be told to log in as another one.
        self.command(LOG_IN, "true").deadline(PROBE_DEADLINE).run()?;
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(())
    }

    fn let_go(&self) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        _ = fs_err::remove_file(&self.files.control);
    }

    /// A command for the instance's shell, as the user. It ends when this process is interrupted, or its deadline is over;
    /// what it has started on the instance may then go on, and ends with the instance.
    pub fn command(&self, doing: impl Into<String>, script: &str) -> Tool {
        self.ssh_with(self.options()).doing(doing).arg(script)
    }

    /// As [`Login::command`], as root.
    pub fn command_as_root(&self, doing: impl Into<String>, script: &str) -> Tool {
        if self.host.user == "root" {
            return self.command(doing, script);
        }
        self.command(doing, &format!("sudo -n sh -c {}", super::quoted(script)))
    }

    /// Ends the connection, and removes its socket. [`Login::ensure_connected`] makes a new one, to the same key.
    pub fn close(&self) {
        // Where there is none, nothing has to be ended.
        _ = self.control("exit").even_if_interrupted().run();
        self.let_go();
        _ = undo_socket_folder(&self.bake);
    }

    /// Options for whatever calls `ssh` itself, such as Ansible; with these it uses the same connection.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        options::options(&self.host, &self.files)
    }

    /// The private key's file.
    #[must_use]
    pub fn key(&self) -> &Path {
        &self.files.key
    }

    /// What a person types to get in.
    #[must_use]
    pub fn for_a_person(&self) -> String {
        options::for_a_person(&self.host, &self.files)
    }

    /// A word to the process that holds the connection.
    fn control(&self, word: &str) -> Tool {
        self.ssh_with([self.options(), vec!["-O".to_owned(), word.to_owned()]].concat())
    }

    fn ssh_with(&self, options: impl IntoIterator<Item = String>) -> Tool {
        Tool::new("ssh")
            .env(BAKE_VARIABLE, &self.bake)
            .args(options)
            .args(["-p", &self.host.port.to_string(), "-l", &self.host.user, "-T"])
            .arg(&self.host.address)
    }
}

fn failed(status: ExitStatus, last_lines: String) -> ToolError {
    ToolError::Failed { tool: "ssh".to_owned(), doing: LOG_IN.to_owned(), status, last_lines }
}

fn cannot(doing: &str) -> impl FnOnce(std::io::Error) -> ToolError {
    move |source| ToolError::Start { tool: "ssh".to_owned(), doing: doing.to_owned(), source }
}

/// The folder of a bake's socket: a socket's path may have 107 bytes, so it cannot lie with the rest of the bake.
/// Nobody can be there before us: the id is drawn by chance.
pub(crate) fn socket_folder(bake: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ovenbird-{bake}"))
}

fn ensure_socket_folder(bake: &str) -> Result<(), SshError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    match builder.mode(0o700).create(socket_folder(bake)) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(SshError::file("make the folder of the connection's socket")(error))
        }
        _ => Ok(()),
    }
}

/// Removes what a bake's connection has left on this machine.
///
/// # Errors
/// The file system's.
pub(crate) fn undo_socket_folder(bake: &str) -> std::io::Result<()> {
    match fs_err::remove_dir_all(socket_folder(bake)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
