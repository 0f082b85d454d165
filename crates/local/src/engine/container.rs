//! Instances as containers of the image's own userland: a second to boot, on this machine's kernel.
//!
//! What an instance holds, and what frees it: the root's mount and loop device end with the container (they live in its
//! mount namespace); the network, the volumes' loop devices and the control groups are freed by [`Engine::stop`], which
//! finds them by name after a crash of the daemon too.

mod block;
mod group;
mod internet;
mod leader;
mod nspawn;
mod tokens;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::gpt;
use ovenbird_disk::wait::wait_until;
use rustix::process::Signal;
use tokio::runtime::Handle;

use super::AttachedVolume;
use super::Engine;
use super::EngineError;
use super::Failure;
use super::Machine;
use super::Seen;
use super::running::Children;
use super::running::console_tail;
use super::running::remove_if_there;
use super::services::Services;
use crate::network;
use block::Blocks;
use tokens::TokensOptional;

/// Address of the metadata service, on the instance's router.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// How long it may take until the image's init runs; it takes a tenth of a second.
const STARTED: Duration = Duration::from_secs(20);

/// How long the container may take to power off before it is killed; it takes a second.
const POWER_OFF: Duration = Duration::from_secs(10);

/// The engine that runs instances with systemd-nspawn.
pub struct Container {
    services: Services,
    children: Children,
    has_internet: bool,
}

impl Container {
    /// An engine whose metadata services are served by `runtime`.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self { services: Services::new(runtime), children: Children::default(), has_internet: false }
    }

    /// The same engine, whose instances have a way out: NAT, and names from this machine's resolver.
    #[must_use]
    pub fn with_internet(mut self) -> Self {
        self.has_internet = true;
        self
    }

    fn ensure_services(&self, machine: &Machine) -> Result<(), Failure> {
        let network = super::network_of(machine);
        network.ensure()?;
        let machine = Machine { metadata: Arc::new(TokensOptional(Arc::clone(&machine.metadata))), ..machine.clone() };
        Ok(self.services.ensure(&machine, &network.router(), METADATA)?)
    }

    fn start_once(&self, machine: &Machine) -> Result<(), Failure> {
        self.ensure_services(machine)?;
        let blocks = Blocks::of(&machine.folder);
        blocks.reset(&machine.root_volume_id, &machine.root_disk)?;
        fs::create_dir_all(nspawn::mount_point(machine))?;
        let root = gpt::find_root(&machine.root_disk)?;
        let groups = group::ensure(&machine.instance_id)?;
        let network = super::network_of(machine);
        if self.has_internet {
            internet::ensure(machine, &network)?;
        }
        let network = self.has_internet.then_some(&network);
        let process = self.children.start(machine, nspawn::command(machine, &root, &groups, &blocks, network))?;
        wait_until(STARTED, Duration::from_millis(10), || {
            (leader::find(process).is_some() || !process.is_running()).then_some(())
        })?;
        let leader = leader::find(process).ok_or_else(|| super::ended_early("the container", machine))?;
        machine.volumes.iter().try_for_each(|volume| plug(machine, volume, leader))
    }

    fn stop_once(&self, machine: &Machine) -> Result<(), Failure> {
        self.services.stop(&machine.instance_id);
        // nspawn asks the container's init to power off when it is asked to end.
        self.children.end(machine, POWER_OFF, |nspawn| nspawn.signal(Signal::TERM))?;
        group::undo(&machine.instance_id)?;
        for (_, file) in list_plugged(machine) {
            block::undo_loop(&file)?;
        }
        network::undo(&machine.namespace)?;
        for folder in [plugged_folder(machine), nspawn::mount_point(machine), propagation_folder(machine)] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }

    fn find_leader(&self, machine: &Machine) -> Option<u32> {
        leader::find(self.children.find(machine)?)
    }

    fn unplug(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), Failure> {
        if let Some(device) = block::find_loop(&volume.file)? {
            if block::is_in_use(&device) {
                return Err("it is still mounted in the instance; unmount it there first".into());
            }
            let blocks = Blocks::of(&machine.folder);
            if let Some(name) = blocks.find(&volume.volume_id) {
                if let Some(leader) = self.find_leader(machine) {
                    block::undo_node(leader, &name)?;
                }
                blocks.remove(&name)?;
            }
            block::undo_loop(&volume.file)?;
        }
        Ok(remove_if_there(plugged_folder(machine).join(&volume.volume_id))?)
    }
}

impl Engine for Container {
    fn name(&self) -> &'static str {
        "container"
    }

    fn start(&self, machine: &Machine) -> Result<(), EngineError> {
        if self.children.find(machine).is_some() {
            return self.adopt(machine).map(drop);
        }
        self.start_once(machine).map_err(|error| {
            _ = self.stop(machine);
            EngineError::new(format!("start instance {} as a container", machine.instance_id), error)
        })
    }

    fn adopt(&self, machine: &Machine) -> Result<Seen, EngineError> {
        if self.children.find(machine).is_none() {
            return self.stop(machine).map(|()| Seen::Ended);
        }
        let adopted = self.ensure_services(machine);
        adopted.map_err(EngineError::of(format!("take up instance {}", machine.instance_id)))?;
        Ok(Seen::Running)
    }

    fn look(&self, machine: &Machine) -> Seen {
        if self.children.find(machine).is_some() { Seen::Running } else { Seen::Ended }
    }

    fn stop(&self, machine: &Machine) -> Result<(), EngineError> {
        self.stop_once(machine).map_err(EngineError::of(format!("stop instance {}", machine.instance_id)))
    }

    fn attach(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), EngineError> {
        let leader = self.find_leader(machine).ok_or_else(|| Failure::from("the instance does not run"));
        leader
            .and_then(|leader| plug(machine, volume, leader))
            .map_err(EngineError::of(format!("attach {} to {}", volume.volume_id, machine.instance_id)))
    }

    fn detach(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), EngineError> {
        self.unplug(machine, volume)
            .map_err(EngineError::of(format!("detach {} from {}", volume.volume_id, machine.instance_id)))
    }

    fn console(&self, machine: &Machine) -> Vec<u8> {
        console_tail(machine)
    }
}

/// Plugs a volume in; nothing is left of it when that fails.
fn plug(machine: &Machine, volume: &AttachedVolume, leader: u32) -> Result<(), Failure> {
    plug_once(machine, volume, leader).inspect_err(|_| _ = block::undo_loop(&volume.file))
}

fn plug_once(machine: &Machine, volume: &AttachedVolume, leader: u32) -> Result<(), Failure> {
    let blocks = Blocks::of(&machine.folder);
    if blocks.find(&volume.volume_id).is_some() {
        return Ok(());
    }
    // Written first, so that a loop device whose maker was killed is found by its file.
    fs::create_dir_all(plugged_folder(machine))?;
    fs::write(plugged_folder(machine).join(&volume.volume_id), volume.file.as_os_str().as_encoded_bytes())?;
    let device = block::ensure_loop(&volume.file)?;
    let (name, numbers) = (blocks.next_name(), block::numbers(&device)?);
    // The node before the entry: whoever sees the entry opens the node.
    block::ensure_node(leader, &name, numbers)?;
    Ok(blocks.add(&name, &volume.volume_id, fs::metadata(&volume.file)?.len(), Some(numbers))?)
}

/// One file for each volume that was plugged in; it holds the path of the volume's raw file.
fn plugged_folder(machine: &Machine) -> PathBuf {
    machine.folder.join("volumes")
}

fn list_plugged(machine: &Machine) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(plugged_folder(machine)).into_iter().flatten().flatten();
    let read = |entry: fs::DirEntry| {
        let file = fs::read_to_string(entry.path()).ok()?;
        Some((entry.file_name().into_string().ok()?, PathBuf::from(file)))
    };
    entries.filter_map(read).collect()
}

/// A folder that nspawn makes, and cannot always remove.
fn propagation_folder(machine: &Machine) -> PathBuf {
    PathBuf::from("/run/systemd/nspawn/propagate").join(&machine.instance_id)
}
