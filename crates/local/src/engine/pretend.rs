//! The pretend engine: for tests of the control plane alone. Nothing runs, and its console says so.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::AttachedVolume;
use super::Engine;
use super::EngineError;
use super::Machine;
use super::Seen;

/// Remembers what it was told to run.
#[derive(Default)]
pub struct Pretend {
    /// Instance id to the volumes that were plugged into it while it ran.
    running: Mutex<HashMap<String, Vec<AttachedVolume>>>,
    fails_to_start: AtomicBool,
    volumes_are_busy: AtomicBool,
}

impl Pretend {
    /// The instance ends by itself, as if powered off from inside.
    pub fn power_off(&self, instance_id: &str) {
        self.running().remove(instance_id);
    }

    /// Lets all starts fail from now on, or succeed again.
    pub fn fail_starts(&self, fail: bool) {
        self.fails_to_start.store(fail, Ordering::Relaxed);
    }

    /// Lets all volumes be in use from now on, or free again.
    pub fn keep_volumes_busy(&self, busy: bool) {
        self.volumes_are_busy.store(busy, Ordering::Relaxed);
    }

    /// What is plugged into an instance beyond what it started with; `None` where it does not run.
    pub fn find_plugged(&self, instance_id: &str) -> Option<Vec<AttachedVolume>> {
        self.running().get(instance_id).cloned()
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Vec<AttachedVolume>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn error(doing: String, why: &str) -> EngineError {
    EngineError { doing, source: why.into() }
}

impl Engine for Pretend {
    fn name(&self) -> &'static str {
        "pretend"
    }

    fn start(&self, machine: &Machine) -> Result<(), EngineError> {
        if self.fails_to_start.load(Ordering::Relaxed) {
            return Err(error(format!("start {}", machine.instance_id), "the pretend engine was told to fail"));
        }
        if !machine.root_disk.is_file() {
            return Err(error(format!("start {}", machine.instance_id), "its root volume has no file"));
        }
        self.running().entry(machine.instance_id.clone()).or_default();
        Ok(())
    }

    fn adopt(&self, machine: &Machine) -> Result<Seen, EngineError> {
        Ok(self.look(machine))
    }

    fn look(&self, machine: &Machine) -> Seen {
        if self.running().contains_key(&machine.instance_id) { Seen::Running } else { Seen::Ended }
    }

    fn stop(&self, machine: &Machine) -> Result<(), EngineError> {
        self.running().remove(&machine.instance_id);
        Ok(())
    }

    fn attach(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), EngineError> {
        let doing = || format!("attach {} to {}", volume.volume_id, machine.instance_id);
        match self.running().get_mut(&machine.instance_id) {
            None => Err(error(doing(), "the instance does not run")),
            Some(plugged) if plugged.contains(volume) => Ok(()),
            Some(plugged) => {
                plugged.push(volume.clone());
                Ok(())
            }
        }
    }

    fn detach(&self, machine: &Machine, volume: &AttachedVolume) -> Result<(), EngineError> {
        if self.volumes_are_busy.load(Ordering::Relaxed) {
            return Err(error(format!("detach {}", volume.volume_id), "the instance uses it"));
        }
        if let Some(plugged) = self.running().get_mut(&machine.instance_id) {
            plugged.retain(|other| other != volume);
        }
        Ok(())
    }

    fn console(&self, _: &Machine) -> Vec<u8> {
        b"pretend engine: nothing runs\n".to_vec()
    }
}
