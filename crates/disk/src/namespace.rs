//! A mount namespace of this process's own, so that its mounts (and loop devices) die with it.

use std::io;

use rustix::mount::MountPropagationFlags;
use rustix::thread::UnshareFlags;

/// From now on this process mounts where nobody else sees it. When its last process ends, however it ends, the kernel unmounts
/// everything and frees the loop devices. What others unmount is unmounted here too, where their mounts are shared (as systemd has
/// them), so that a long bake holds nobody's disk.
///
/// Call it first thing in `main`, **before any other thread exists**: only the calling thread moves, and threads that
/// it starts later follow it.
///
/// # Errors
/// When there are other threads, or without `CAP_SYS_ADMIN`.
pub fn enter_private() -> io::Result<()> {
    let threads = fs_err::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!(
            "the mount namespace must be entered before threads are started, and there are {threads}"
        )));
    }
    enter_private_with_this_thread()
}

/// As [`enter_private`] for the calling thread and what it starts from now on; other threads stay where they are.
///
/// # Errors
/// Without `CAP_SYS_ADMIN`.
pub fn enter_private_with_this_thread() -> io::Result<()> {
    unshare_mounts()?;
    let one_way = MountPropagationFlags::REC | MountPropagationFlags::DOWNSTREAM;
    Ok(rustix::mount::mount_change("/", one_way)?)
}

#[expect(unsafe_code, reason = "rustix marks unshare unsafe because of CLONE_FILES")]
fn unshare_mounts() -> io::Result<()> {
    // SAFETY: the danger is a table of file descriptors that threads share no more; CLONE_NEWNS leaves that table alone.
    Ok(unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?)
}
