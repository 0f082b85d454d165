//! Engines: what makes an instance of a disk. The rest of the endpoint knows only this page.
//!
//! An engine never touches the catalogue. It is told what to run, keeps what it needs to find a machine again in the
//! machine's folder, and answers what it sees.

pub mod container;
mod ending;
pub mod pretend;
pub mod qemu;
mod running;
mod services;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::metadata::MetadataSource;
use crate::network::Network;

pub use running::MARKER;

/// One instance, as an engine needs to know it.
#[derive(Clone)]
pub struct Machine {
    /// `i-` and 17 hex digits.
    pub instance_id: String,
    /// The instance's own folder: console, pid and mount point live here.
    pub folder: PathBuf,
    /// The root volume's raw file.
    pub root_disk: PathBuf,
    /// The root volume's id; its serial is the id without the dash.
    pub root_volume_id: String,
    /// Firmware to boot with; `false` lets an engine take its own short cut.
    pub firmware: bool,
    /// Address of `eth0`, reachable from this machine.
    pub private_ip: Ipv4Addr,
    /// Ethernet address of `eth0`, such as `0a:ff:d3:12:34:56`.
    pub mac: String,
    /// Name of the instance's network namespace.
    pub namespace: String,
    /// Volumes that are attached from the start, the root aside.
    pub volumes: Vec<AttachedVolume>,
    /// What the metadata service of this instance answers.
    pub metadata: Arc<dyn MetadataSource>,
    /// Where the API answers inside the instance is decided by the engine: it forwards to this loopback port of the host.
    pub api_port: u16,
}

/// A volume in a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedVolume {
    /// `vol-` and 17 hex digits.
    pub volume_id: String,
    /// The name asked for, such as `/dev/sdf`.
    pub device: String,
    /// The raw file.
    pub file: PathBuf,
}

/// What an engine sees of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It runs.
    Running,
    /// It ended, by itself or by [`Engine::stop`].
    Ended,
}

/// Why an engine could not do it; one sentence with what to do next.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct EngineError {
    /// What was being done, to what.
    pub doing: String,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Any reason why a step failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl EngineError {
    fn new(doing: impl Into<String>, source: impl Into<Failure>) -> Self {
        Self { doing: doing.into(), source: source.into() }
    }

    /// Names what failed while `doing`.
    fn of(doing: String) -> impl Fn(Failure) -> Self {
        move |source| Self { doing: doing.clone(), source }
    }
}

fn network_of(machine: &Machine) -> Network {
    Network { namespace: machine.namespace.clone(), private_ip: machine.private_ip, mac: machine.mac.clone() }
}

/// The serial of an EBS volume's NVMe device: the volume's id without the dash (EC2 User Guide, "Amazon EBS and NVMe").
fn serial(volume_id: &str) -> String {
    volume_id.replace('-', "")
}

/// What a machine said that ended as soon as it was started.
fn ended_early(what: &str, machine: &Machine) -> Failure {
    let console = running::console_tail(machine);
    let text = String::from_utf8_lossy(&console);
    let last: Vec<_> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(5).collect();
    format!("{what} ended early: {}", last.into_iter().rev().collect::<Vec<_>>().join(" | ")).into()
}

/// Makes instances of disks. All calls block; each has a bound on its time.
pub trait Engine: Send + Sync {
    /// `container`, `qemu` or `pretend`.
    fn name(&self) -> &'static str;

    /// Starts `machine`, its network and its metadata service. Started twice, it is the same machine.
    ///
    /// # Errors
    /// What failed; nothing of the machine is left then.
    fn start(&self, machine: &Machine) -> Result<(), EngineError>;

    /// Takes up a machine that an earlier daemon started: its metadata service, its watch.
    ///
    /// # Errors
    /// As [`Self::start`]. [`Seen::Ended`] where it no longer runs; what it held is freed then.
    fn adopt(&self, machine: &Machine) -> Result<Seen, EngineError>;

    /// Is it still there?
    fn look(&self, machine: &Machine) -> Seen;

    /// Ends the machine and frees all it holds: processes, mounts, loop devices, network. Repeatable.
    ///
    /// # Errors
    /// What could not be freed.
    fn stop(&self, machine: &Machine) -> Result<(), EngineError>;

    /// Plugs a volume into the running machine. Repeatable.
    ///
    /// # Errors
    /// What failed; the volume is not plugged then.
    fn attach(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), EngineError>;

    /// Unplugs a volume. Repeatable.
    ///
    /// # Errors
    /// The machine still uses it.
    fn detach(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), EngineError>;

    /// All that the machine has written to its console, the latest 64 KiB.
    fn console(&self, machine: &Machine) -> Vec<u8>;
}
