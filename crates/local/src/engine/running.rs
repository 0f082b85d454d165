//! A machine's main process and console, as its folder remembers them: they outlive the daemon that started them.

use std::collections::HashMap;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Detached;
use ovenbird_disk::tool::Tool;
use rustix::process::Signal;

use super::EngineError;
use super::Machine;

/// Variable in the environment of every process that stands for a machine; its value is the instance id.
pub const MARKER: &str = "OVENBIRD_INSTANCE";

/// EC2 keeps this much of a console (GetConsoleOutput).
const CONSOLE: u64 = 64 * 1024;
/// How long the kernel may take to end a process that was killed.
const KILL: Duration = Duration::from_secs(10);

/// The children that this daemon started; they must be asked for, or ended ones stay as zombies.
#[derive(Default)]
pub(super) struct Children(Mutex<HashMap<String, Detached>>);

impl Children {
    /// Starts the machine's main process with its output to the console, and remembers it in the machine's folder.
    pub(super) fn start(&self, machine: &Machine, tool: Tool) -> Result<Process, EngineError> {
        let failed = EngineError::of(format!("start {}", machine.instance_id));
        let child = tool
            .env(MARKER, &machine.instance_id)
            .spawn_detached(&console_path(machine))
            .map_err(|error| failed(error.into()))?;
        let process = child.process();
        let mut children = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        children.insert(machine.instance_id.clone(), child);
        drop(children);
        fs::write(record_path(machine), format!("{} {}\n", process.pid, process.started)).map_err(|error| {
            process.signal(Signal::KILL);
            failed(error.into())
        })?;
        Ok(process)
    }

    /// The machine's main process, if it runs.
    pub(super) fn find(&self, machine: &Machine) -> Option<Process> {
        let mut children = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain(|_, child| child.try_wait().is_none());
        drop(children);
        let record = fs::read_to_string(record_path(machine)).ok()?;
        let (pid, started) = record.trim().split_once(' ')?;
        let process = Process { pid: pid.parse().ok()?, started: started.parse().ok()? };
        process.is_running().then_some(process)
    }

    /// Asks the machine's main process to end, kills it if it still runs after `grace`, and forgets it.
    pub(super) fn end(
        &self,
        machine: &Machine,
        grace: Duration,
        ask: impl FnOnce(&Process),
    ) -> Result<(), EngineError> {
        if let Some(process) = self.find(machine) {
            ask(&process);
            if process.wait_for_end(grace).is_err() {
                process.signal(Signal::KILL);
                let failed = EngineError::of(format!("end process {} of {}", process.pid, machine.instance_id));
                process.wait_for_end(KILL).map_err(|error| failed(error.into()))?;
            }
            // Reaps it.
            _ = self.find(machine);
        }
        remove_if_there(record_path(machine)).map_err(|error| EngineError::new("forget a process", error))
    }
}

/// The end of what the machine wrote to its console; empty where it wrote nothing.
pub(super) fn console_tail(machine: &Machine) -> Vec<u8> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(console_path(machine))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(CONSOLE)))?;
        let mut tail = Vec::new();
        file.take(CONSOLE).read_to_end(&mut tail)?;
        Ok(tail)
    };
    read().unwrap_or_default()
}

/// Where the machine's console is written.
pub(super) fn console_path(machine: &Machine) -> PathBuf {
    machine.folder.join("console.log")
}

fn record_path(machine: &Machine) -> PathBuf {
    machine.folder.join("process")
}

/// Removes a file that may be missing.
pub(super) fn remove_if_there(file: PathBuf) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
