//! A login on the instance.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ovenbird_aws::client::TimedOut;
use ovenbird_aws::client::wait;
use ovenbird_disk::interrupt;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;

use super::Host;
use super::SshError;
use super::options;
use super::options::Files;
use crate::sandbox::BAKE_VARIABLE;

/// How often an instance that boots is asked: sshd is there within a second of its start, and people wait for it.
const PROBE: Duration = Duration::from_millis(500);
/// How long one probe may take; a dropped packet must not cost the rest of the boot.
const PROBE_DEADLINE: Duration = Duration::from_secs(8);

/// One connection to an instance, for commands, files and Ansible alike.
#[derive(Clone, Debug)]
pub struct Login {
    host: Host,
    files: Files,
    bake: String,
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
        Self { host, files, bake: bake.to_owned() }
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
    pub async fn ensure_connected(&self, patience: Duration) -> Result<(), SshError> {
        ensure_socket_folder(&self.bake)?;
        let mut last = String::new();
        let look = async || {
            if interrupt::requested() {
                return Err(Ended::By(SshError::Interrupted));
            }
            match self.probe() {
                Ok(()) => Ok(Some(())),
                Err(ToolError::Failed { last_lines, .. } | ToolError::TimedOut { last_lines, .. }) => {
                    last = last_lines.lines().last().unwrap_or("the connection was closed").to_owned();
                    Ok(None)
                }
                Err(error) => Err(Ended::By(error.into())),
            }
        };
        let ended = wait(format!("{} to be reachable", self.host.name), patience, PROBE, look).await;
        ended.map_err(|ended| match ended {
            Ended::By(error) => error,
            Ended::TooLate(_) => SshError::Unreachable {
                host: format!("{}:{}", self.host.address, self.host.port),
                user: self.host.user.clone(),
                patience,
                last,
            },
        })
    }

    fn probe(&self) -> Result<(), ToolError> {
        let pin = &self.files.known_hosts;
        if pin.is_file() {
            return self.command("log in", "true").deadline(PROBE_DEADLINE).run().map(drop);
        }
        // What a try that failed has seen is no pin: the key was not final, or another machine answered.
        let candidate = pin.with_extension("candidate");
        _ = fs_err::remove_file(&candidate);
        let first = Files { known_hosts: candidate.clone(), ..self.files.clone() };
        let trusting = ["-o", "StrictHostKeyChecking=accept-new"].map(str::to_owned);
        let options = trusting.into_iter().chain(options::options(&self.host, &first));
        self.ssh_with(options).doing("log in").arg("true").deadline(PROBE_DEADLINE).run()?;
        fs_err::rename(&candidate, pin).map_err(|source| ToolError::Start {
            tool: "ssh".to_owned(),
            doing: "keep the key of the instance".to_owned(),
            source,
        })
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
        _ = self
            .ssh_with([self.options(), vec!["-O".to_owned(), "exit".to_owned()]].concat())
            .even_if_interrupted()
            .run();
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

    fn ssh_with(&self, options: impl IntoIterator<Item = String>) -> Tool {
        Tool::new("ssh")
            .env(BAKE_VARIABLE, &self.bake)
            .args(options)
            .args(["-p", &self.host.port.to_string(), "-l", &self.host.user, "-T"])
            .arg(&self.host.address)
    }
}

/// Why the wait for the first login ended.
enum Ended {
    By(SshError),
    TooLate(#[allow(dead_code, reason = "its sentence is ours to say")] TimedOut),
}

impl From<TimedOut> for Ended {
    fn from(error: TimedOut) -> Self {
        Self::TooLate(error)
    }
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
