//! Waiting for processes to end, although this process is being interrupted: ending them is what an interrupt wants.

use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::process::Process;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::process::PidfdFlags;

/// Waits until the process has ended; false if it still runs after `bound`.
pub(super) fn wait_for_end(process: &Process, bound: Duration) -> bool {
    let deadline = Instant::now() + bound;
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return true };
    let Ok(pidfd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return !process.is_running() };
    // The descriptor means whoever has the id now; that is our process, if it runs.
    while process.is_running() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        let timeout =
            Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return !process.is_running(),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use ovenbird_disk::tool::Tool;

    use super::*;

    #[test]
    fn waits_for_the_end_and_no_longer() {
        let mut sleeper = Tool::new("sleep").arg("60").spawn_guarded(std::process::Stdio::null()).unwrap();
        let process = Process::find(sleeper.pid()).unwrap();
        assert!(!wait_for_end(&process, Duration::from_millis(20)));
        process.signal(rustix::process::Signal::KILL);
        let began = Instant::now();
        assert!(wait_for_end(&process, Duration::from_secs(60)));
        assert!(began.elapsed() < Duration::from_secs(30));
        sleeper.kill();
        assert!(wait_for_end(&process, Duration::ZERO));
    }
}
