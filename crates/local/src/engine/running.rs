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
use rustix::process::Pid;
use rustix::process::Signal;

use super::EngineError;
use super::Machine;
use super::ending::wait_for_end;

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
        match fs::read_to_string(record_path(machine)) {
            Ok(record) => read_record(&record).filter(Process::is_running),
            // Never started, or its daemon was killed between the start and the record.
            Err(_) => find_marked(&machine.instance_id),
        }
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
            if !wait_for_end(&process, grace) {
                process.signal(Signal::KILL);
            }
            if !wait_for_end(&process, KILL) {
                let doing = format!("end process {} of {}", process.pid, machine.instance_id);
                return Err(EngineError::new(doing, "it was killed, but the kernel does not let it go"));
            }
            // Reaps it.
            _ = self.find(machine);
        }
        remove_if_there(record_path(machine)).map_err(|error| EngineError::new("forget a process", error))
    }
}

fn read_record(record: &str) -> Option<Process> {
    let (pid, started) = record.trim().split_once(' ')?;
    Some(Process { pid: pid.parse().ok()?, started: started.parse().ok()? })
}

/// The process that leads the instance's session, found by its environment.
fn find_marked(instance_id: &str) -> Option<Process> {
    let marker = format!("{MARKER}={instance_id}");
    let pids = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let marked = pids.filter(|pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes()) && leads_session(*pid)
    });
    marked.filter_map(Process::find).min_by_key(|process| process.started)
}

fn leads_session(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::getsid(Some(pid)) == Ok(pid))
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
