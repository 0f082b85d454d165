//! Instances as virtual machines: the image's own kernel, real disks, real hot-plug; and slow where KVM is missing.
//!
//! QEMU runs in the instance's network namespace. The guest sees QEMU's own network, where the metadata service's address
//! leads to the namespace's loopback, and ports 22 and 80 of the instance's address lead to the guest. The end of the
//! process frees everything but the network.

mod accelerator;
mod boot;
mod command;
mod qmp;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::wait::wait_until;
use tokio::runtime::Handle;

use super::AttachedVolume;
use super::Engine;
use super::EngineError;
use super::Failure;
use super::Machine;
use super::Seen;
use super::running::Children;
use super::running::console_tail;
use super::serial;
use super::services::Services;
use crate::network;
use accelerator::Accelerator;
use boot::Boot;
use qmp::Qmp;

/// Where QEMU's network leads what the guest sends to 169.254.169.254.
const METADATA: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// How long QEMU may take until it answers; the guest begins to boot then.
const STARTED: Duration = Duration::from_secs(20);
/// How long the guest may take to power off before it is switched off; under TCG everything takes long.
const POWER_OFF: Duration = Duration::from_secs(30);
/// How long the guest may take to let a device go; five seconds are the rule of PCI Express.
const LET_GO: Duration = Duration::from_secs(40);
/// How long QEMU may take to take a device apart that the guest let go: a moment, in which it finishes what the device was at.
const TAKEN_APART: Duration = Duration::from_secs(20);

/// The engine that runs instances with QEMU.
pub struct Qemu {
    services: Services,
    children: Children,
    /// Where it is remembered whether KVM works.
    folder: PathBuf,
}

impl Qemu {
    /// An engine whose metadata services are served by `runtime`, and which keeps what it learns of this machine in `folder`.
    #[must_use]
    pub fn new(runtime: Handle, folder: PathBuf) -> Self {
        Self { services: Services::new(runtime), children: Children::default(), folder }
    }

    fn ensure_services(&self, machine: &Machine) -> Result<(), Failure> {
        super::network_of(machine).ensure()?;
        Ok(self.services.ensure(machine, &machine.namespace, METADATA)?)
    }

    fn start_once(&self, machine: &Machine) -> Result<(), Failure> {
        fs::create_dir_all(&machine.folder)?;
        self.ensure_services(machine)?;
        let boot = Boot::choose(machine)?;
        let accelerator = match &boot {
            Boot::Kernel(files) => Accelerator::choose(&self.folder, Some(files)),
            Boot::Uefi | Boot::Bios => Accelerator::choose(&self.folder, None),
        };
        if boot == Boot::Uefi {
            fs::copy(command::FIRMWARE_VARIABLES, machine.folder.join(command::VARIABLES))?;
        }
        let process = self.children.start(machine, command::command(machine, &boot, accelerator)?)?;
        let answers = || match Qmp::connect(&machine.folder) {
            Ok(_) => Some(true),
            Err(_) => (!process.is_running()).then_some(false),
        };
        let answered = wait_until(STARTED, Duration::from_millis(20), answers)?;
        if answered { Ok(()) } else { Err(super::ended_early("QEMU", machine)) }
    }

    fn stop_once(&self, machine: &Machine) -> Result<(), Failure> {
        self.services.stop(&machine.instance_id);
        self.children.end(machine, POWER_OFF, |qemu| {
            if Qmp::connect(&machine.folder).and_then(|mut qmp| qmp.power_down()).is_err() {
                qemu.signal(rustix::process::Signal::TERM);
            }
        })?;
        for file in [command::SOCKET, command::VARIABLES, "kernel", "initrd"] {
            super::running::remove_if_there(machine.folder.join(file))?;
        }
        Ok(network::undo(&machine.namespace)?)
    }

    /// Says something to the machine's QEMU. `say` looks before it changes anything: where QEMU hangs up in the middle, which it may do to
    /// who comes while it still lets the one before go, it is said once more.
    fn talk(&self, machine: &Machine, say: impl Fn(&mut Qmp) -> Result<(), Failure>) -> Result<(), Failure> {
        let talked = || Qmp::connect(&machine.folder).and_then(|mut qmp| say(&mut qmp));
        match talked() {
            Err(error) if !qmp::is_hung_up(&error) => Err(error),
            Err(_) if self.children.find(machine).is_none() => Err(super::ended_early("QEMU", machine)),
            Err(_) => talked(),
            Ok(()) => Ok(()),
        }
    }

    fn plug(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), Failure> {
        self.children.find(machine).ok_or("the instance does not run")?;
        let serial = serial(&volume.volume_id);
        self.talk(machine, |qmp| {
            let ports = qmp.list_ports()?;
            if ports.iter().any(|(_, device)| device.as_ref() == Some(&serial)) {
                return Ok(());
            }
            let free = ports.into_iter().find(|(_, device)| device.is_none());
            let (port, _) = free.ok_or("all ports for volumes are taken; detach one first")?;
            qmp.add(&port, &serial, &volume.file)
        })
    }

    fn unplug(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), Failure> {
        if self.children.find(machine).is_none() {
            return Ok(());
        }
        let serial = serial(&volume.volume_id);
        self.talk(machine, |qmp| {
            if qmp.has(&serial)? {
                // A guest that is still booting does not hear it, so it is asked more than once.
                let gone = wait_until(LET_GO, Duration::from_millis(500), || {
                    let asked = qmp.ask_back(&serial);
                    match qmp.has(&serial) {
                        Ok(true) => asked.err().map(Err),
                        Ok(false) => Some(Ok(())),
                        Err(error) => Some(Err(error)),
                    }
                });
                gone.map_err(|_| "the instance does not let the device go")??;
            }
            let forgotten = wait_until(TAKEN_APART, Duration::from_millis(20), || match qmp.forget(&serial) {
                Ok(false) => None,
                forgotten => Some(forgotten.map(drop)),
            });
            forgotten.map_err(|_| "QEMU does not take the device apart")?
        })
    }
}

impl Engine for Qemu {
    fn name(&self) -> &'static str {
        "qemu"
    }

    fn start(&self, machine: &Machine) -> Result<(), EngineError> {
        if self.children.find(machine).is_some() {
            return self.adopt(machine).map(drop);
        }
        self.start_once(machine).map_err(|error| {
            _ = self.stop(machine);
            EngineError::new(format!("start instance {} as a virtual machine", machine.instance_id), error)
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
        self.plug(machine, volume)
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
