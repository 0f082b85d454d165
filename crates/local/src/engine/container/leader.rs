//! The container's first process, as this machine counts.

use fs_err as fs;
use ovenbird_disk::process::Process;

/// The first process of the container that `nspawn` supervises, once it runs the image's own init; `None` before.
pub(super) fn find(nspawn: Process) -> Option<u32> {
    let children = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let leader = children.into_iter().find(|pid| is_leader(*pid, nspawn.pid))?;
    // Until it becomes init it is a copy of nspawn, with the container's /dev half made.
    (exe(leader)? != exe(nspawn.pid)?).then_some(leader)
}

fn exe(pid: u32) -> Option<std::path::PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

fn is_leader(pid: u32, parent: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    // It is number 1 in the innermost of its two PID namespaces.
    field("PPid:").parse() == Ok(parent) && field("NSpid:").split_whitespace().nth(1) == Some("1")
}
