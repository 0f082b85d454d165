//! The room that a play runs in: an image's tree as the root of name spaces of its own, and nothing of the host but its network.
//!
//! Why each wall is there was measured (reference offline.md 4.2 and 4.3):
//! - PID 1 is a shell of ours whose root is an empty room *around* the image. So `systemctl`, Ansible and `ischroot` all see a
//!   chroot (they compare `/` with `/proc/1/root`), also behind `sudo`, which drops `SYSTEMD_OFFLINE`; and since its name ends
//!   in `sh`, Ansible takes systemd for the service manager instead of running SysV scripts that start daemons.
//! - The overlay is mounted inside the name spaces only: when PID 1 ends, the kernel ends every process and frees every
//!   mount, so nothing can be left running and no `umount` can be busy.
//! - What keeps packages from starting services or syncing the disk is a shield *below* the image's own writes, so it never
//!   ends in the image, and a play that writes to the same paths wins.

mod enter;
mod error;
mod mounts;
mod package_cache;
mod shield;

use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Guarded;
use ovenbird_disk::tool::Tool;

pub use error::SandboxError;
pub use package_cache::PackageCache;

/// The capabilities that container builds run with, without `mknod`: Debian's packages are known to install under them, and
/// none of them reaches the host's kernel, devices, network set-up or mounts.
const CAPABILITIES: &str = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,\
                            +net_bind_service,+net_raw,+sys_chroot,+audit_write,+setfcap";

/// How long the name spaces may take to come up or to go.
const SET_UP: Duration = Duration::from_secs(20);

/// The variable that every process of a bake carries, so that strays can be found.
pub const BAKE_VARIABLE: &str = "OVENBIRD_BAKE";

/// The layers of the tree that the play sees.
#[derive(Clone, Debug)]
pub struct Layers {
    /// Read-only trees, the topmost first: uppers of earlier layers, then the base. Never written to.
    pub lower: Vec<PathBuf>,
    /// Where the play's writes land; may hold those of an earlier run.
    pub upper: PathBuf,
    /// An empty folder on the same file system as `upper`, for the kernel alone.
    pub work: PathBuf,
}

/// What else a sandbox needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The bake's id, for [`BAKE_VARIABLE`].
    pub bake: String,
    /// A folder for the sandbox's own files; made if it is absent, and the caller's to remove after the sandbox has ended.
    pub room: PathBuf,
    /// The package lists and archives that the play shall find; without it the image's own (empty) ones are used.
    pub packages: Option<PackageCache>,
    /// What `/tmp` is.
    pub tmp: Tmp,
    /// `SOURCE_DATE_EPOCH` in seconds: what tools that honour it write instead of the time of the day.
    pub epoch: i64,
}

/// What becomes of `/tmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tmp {
    /// It is memory of the sandbox.
    OfItsOwn,
    /// It is the image's: what is in it stays, for the layers above.
    Kept,
    /// It is the image's, with what layers below have left in it; nothing of it stays.
    Cleared,
}

/// A running sandbox. Dropping it ends every process in it and frees its mounts; so does the end of the thread that started it.
#[derive(Debug)]
pub struct Sandbox {
    init: Process,
    /// What the sandbox's PID 1 runs in; its end is the sandbox's.
    unshare: Guarded,
    root: PathBuf,
    enter: PathBuf,
    room: PathBuf,
    packages: Option<PackageCache>,
    bake: String,
    // Keeps the pipe open: PID 1 must not get SIGPIPE.
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Sandbox {
    /// Starts a sandbox over `layers`. Takes some 50 ms. Needs root.
    ///
    /// # Errors
    /// [`SandboxError`]; whatever was started is gone again then.
    pub fn start(layers: &Layers, options: &Options) -> Result<Self, SandboxError> {
        let room = &options.room;
        for name in ["root", "proc"] {
            fs_err::create_dir_all(room.join(name))?;
        }
        let shield = shield::write(&room.join("shield"))?;
        let packages = options.packages.as_ref().map(|cache| cache.open(room)).transpose()?;
        let (unshare, mut stdout) = spawn_init(options)?;
        let init = read_init(&unshare, &mut stdout)?;
        let view = mounts::View { layers, shield: &shield, room, packages: packages.as_ref(), tmp: options.tmp };
        mounts::build(&init, &view)?;
        let root = PathBuf::from(format!("/proc/{}/root/{}", init.pid, mounts::IMAGE));
        let enter = enter::write(room, &init, &root, options)?;
        let packages = options.packages.clone();
        let bake = options.bake.clone();
        Ok(Self { init, unshare, root, enter, room: room.clone(), packages, bake, _stdout: stdout })
    }

    /// The image's tree with all mounts, as seen from outside. Valid while the sandbox lives.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A program to be called as `PROGRAM ROOT COMMAND…`, which runs the command inside. The chroot connection plugin's `exe`.
    #[must_use]
    pub fn enter_program(&self) -> &Path {
        &self.enter
    }

    /// The bake that it belongs to.
    #[must_use]
    pub fn bake(&self) -> &str {
        &self.bake
    }

    /// A tool of the image, to be run inside.
    pub fn tool(&self, program: &str) -> Tool {
        Tool::new(self.enter.to_string_lossy())
            .arg(&self.root)
            .arg(program)
            .doing(format!("run {program} in the sandbox"))
    }

    /// What runs inside besides the sandbox's own two processes: id as the host counts, and command line.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn processes(&self) -> Result<Vec<(u32, String)>, SandboxError> {
        let space = fs_err::read_link(format!("/proc/{}/ns/pid", self.init.pid))?;
        let keeper = format!("tail -f {}", init_file(&self.room).display());
        let mut found = Vec::new();
        for entry in fs_err::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let is_inside = fs_err::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|its| its == space);
            // A process that ends while we look is not there.
            let Ok(command) = fs_err::read(format!("/proc/{pid}/cmdline")) else { continue };
            let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned();
            if is_inside && pid != self.init.pid && command != keeper {
                found.push((pid, command));
            }
        }
        Ok(found)
    }

    /// Ends the sandbox and everything in it, and keeps the packages that were downloaded for the next one.
    ///
    /// # Errors
    /// [`SandboxError`] when a process does not go, or the packages cannot be kept.
    pub fn stop(mut self) -> Result<(), SandboxError> {
        self.end()?;
        self.packages.as_ref().map_or(Ok(()), |cache| cache.keep(&self.room))
    }

    /// As [`Sandbox::stop`], and replaces the cache's package lists by the ones that the sandbox has now.
    pub(crate) fn stop_with_lists(mut self) -> Result<(), SandboxError> {
        self.end()?;
        self.packages.as_ref().map_or(Ok(()), |cache| {
            cache.keep(&self.room)?;
            cache.replace_lists(&self.room)
        })
    }

    fn end(&mut self) -> Result<(), SandboxError> {
        self.unshare.kill();
        // PID 1 is gone only when all other processes of its name space are.
        self.init.wait_for_end(SET_UP).map_err(|_| SandboxError::StillRunning { pid: self.init.pid })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Nobody is left to tell; the parent-death signal reaches PID 1 in any case.
        _ = self.end();
    }
}

/// PID 1. It tells its id as the host's `/proc` counts, which is what `/proc` still is at that moment.
///
/// It tells it through `tail`, which then follows the file for ever: when the line arrives, `tail` has long been loaded, and the root
/// may change under it. While the shell waits for it, it reaps orphans, which a blocking `read` would not.
const INIT: &str = "read -r pid rest </proc/self/stat; echo \"$pid\" >\"$0\"; tail -f \"$0\" & wait";

fn spawn_init(options: &Options) -> Result<(Guarded, BufReader<std::process::ChildStdout>), SandboxError> {
    let mut unshare = Tool::new("unshare")
        .doing("start the sandbox")
        .env_clear()
        .env(BAKE_VARIABLE, &options.bake)
        .args(["--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child"])
        .arg(format!("--mount-proc={}", options.room.join("proc").display()))
        .arg("setpriv")
        .arg(format!("--bounding-set={CAPABILITIES}"))
        .arg("--inh-caps=-all")
        .args(["sh", "-c", INIT])
        .arg(init_file(&options.room))
        .spawn_guarded(Stdio::piped())?;
    let stdout = unshare.take_stdout().ok_or(SandboxError::NoInit { said: String::new() })?;
    Ok((unshare, BufReader::new(stdout)))
}

/// Where PID 1 leaves its id.
fn init_file(room: &Path) -> PathBuf {
    room.join("init")
}

fn read_init(unshare: &Guarded, stdout: &mut impl BufRead) -> Result<Process, SandboxError> {
    let mut line = String::new();
    // Ends at once when the child dies: its end of the pipe closes.
    stdout.read_line(&mut line)?;
    let init = line.trim().parse().ok().and_then(Process::find);
    init.ok_or_else(|| SandboxError::NoInit { said: unshare.stderr_tail() })
}
