//! Control groups of a container: without its own, two containers would share the group that nspawn makes.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::process::Process;
use ovenbird_disk::wait::wait_until;
use rustix::process::Signal;

use crate::engine::ending::wait_for_end;

/// The hierarchies in which systemd keeps its units: version 2 alone, or version 1 with and without the hybrid tree.
const HIERARCHIES: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"];

/// How long the kernel may take to end a process that was killed.
const KILL: Duration = Duration::from_secs(5);

/// Makes the instance's groups, one in each hierarchy that this machine has.
pub(super) fn ensure(instance_id: &str) -> io::Result<Vec<PathBuf>> {
    let groups = list(instance_id);
    for group in &groups {
        fs::create_dir_all(group)?;
    }
    Ok(groups)
}

/// Kills what is left in the instance's groups, and removes them.
pub(super) fn undo(instance_id: &str) -> io::Result<()> {
    for group in list(instance_id) {
        // A process that is just ending can hold its group a moment longer than it shows there.
        if wait_until(KILL, Duration::from_millis(10), || remove_once(&group).ok()).is_err() {
            remove_once(&group)?;
        }
        // The folder that all instances share goes with the last one.
        _ = group.parent().map(fs::remove_dir);
    }
    Ok(())
}

fn list(instance_id: &str) -> Vec<PathBuf> {
    let hierarchies = HIERARCHIES.into_iter().map(Path::new);
    let real = hierarchies.filter(|hierarchy| hierarchy.join("cgroup.procs").exists());
    real.map(|hierarchy| hierarchy.join("ovenbird").join(instance_id)).collect()
}

/// A group can be removed when nothing runs in it and it has no group below.
fn remove_once(group: &Path) -> io::Result<()> {
    if !group.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_once(&entry.path())?;
        }
    }
    let pids = fs::read_to_string(group.join("cgroup.procs"))?;
    for process in pids.lines().filter_map(|line| Process::find(line.parse().ok()?)) {
        process.signal(Signal::KILL);
        wait_for_end(&process, KILL);
    }
    fs::remove_dir(group)
}
