//! A running process by an identity that survives a restart of ours and is never mistaken for another one.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::process::PidfdFlags;
use rustix::process::Signal;

use crate::wait::WaitError;
use crate::wait::wait_even_if_interrupted;
use crate::wait::wait_until;

/// A process: its id, and when the kernel started it (a process id alone is used again sooner or later).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id, as this process's PID namespace counts.
    pub pid: u32,
    /// Start time in clock ticks since boot, `/proc/PID/stat` field 22.
    pub started: u64,
}

impl Process {
    /// The process that has this id now, unless there is none or it is a zombie.
    #[must_use]
    pub fn find(pid: u32) -> Option<Self> {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { pid, started: started_of_live(&stat)? })
    }

    /// Whether this very process still runs (a zombie does not).
    #[must_use]
    pub fn is_running(&self) -> bool {
        Self::find(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal to the process; nothing happens when it has ended.
    pub fn signal(&self, signal: Signal) {
        if let Some(pidfd) = self.open() {
            _ = rustix::process::pidfd_send_signal(pidfd, signal);
        }
    }

    /// Sends a signal to its whole process group, when it leads one; otherwise to the process alone.
    pub fn signal_group(&self, signal: Signal) {
        let (Some(pid), true) = (raw(self.pid), self.is_running()) else { return };
        if rustix::process::kill_process_group(pid, signal) == Err(Errno::SRCH) {
            self.signal(signal);
        }
    }

    /// Asks the process group to end (`SIGTERM`), and kills it after `grace`.
    pub fn end(&self, grace: Duration) {
        self.signal_group(Signal::TERM);
        let ended = || (!self.is_running()).then_some(());
        if wait_even_if_interrupted(grace, Duration::from_millis(20), ended).is_err() {
            self.signal_group(Signal::KILL);
        }
    }

    /// Waits until it runs no more.
    ///
    /// # Errors
    /// [`WaitError`] when it still runs at the deadline, or the wait was interrupted.
    pub fn wait_for_end(&self, deadline: Duration) -> Result<(), WaitError> {
        wait_until(deadline, Duration::from_millis(20), || (!self.is_running()).then_some(()))
    }

    fn open(&self) -> Option<OwnedFd> {
        let pidfd = rustix::process::pidfd_open(raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // Only after the open is it certain that the descriptor means the process that we know.
        self.is_running().then_some(pidfd)
    }
}

fn raw(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Reads `/proc/PID/stat`; the name in parentheses may itself hold spaces and parentheses.
fn started_of_live(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_start_behind_a_hostile_name() {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(started_of_live(&format!("7 (a) b) {tail}")), Some(4242));
        assert_eq!(started_of_live(&format!("7 (z) {}", tail.replacen('S', "Z", 1))), None);
        assert_eq!(started_of_live(""), None);
    }

    #[test]
    fn finds_itself_and_only_itself() {
        let me = Process::find(std::process::id()).expect("this process runs");
        assert!(me.is_running());
        assert!(!Process { started: me.started + 1, ..me }.is_running());
    }
}
