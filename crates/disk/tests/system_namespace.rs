//! `kill -9` of whoever owns a private mount namespace leaves nothing. Needs root.
//!
//! It has a `main` of its own, since a test harness runs tests in threads, and the namespace is entered before those.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends at the first surprise")]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::PATIENCE;
use common::assert_is_released;
use common::has_loop_device;
use common::make_disk;
use fs_err as fs;
use ovenbird_disk::gpt;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;
use ovenbird_disk::mount::Mount;
use ovenbird_disk::namespace;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;

const HELD_DISK: &str = "OVENBIRD_TEST_HELD_DISK";
const NAME: &str = "kill_9_of_the_owner_of_a_private_namespace_leaves_nothing";

fn main() {
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    match std::env::var_os(HELD_DISK) {
        Some(disk) => hold_a_mount_until_killed(Path::new(&disk)),
        // What a runner of tests asks for.
        None if has("--list") && has("--ignored") => {}
        None if has("--list") => println!("{NAME}: test"),
        None => kill_9_leaves_nothing(),
    }
}

fn kill_9_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    make_disk(&disk);
    let elsewhere = tempfile::tempdir().unwrap();
    // What becomes of a mount elsewhere is decided by the one that it lies in.
    let shared = Mount::tmpfs(&elsewhere.path().join("shared"), "size=1m").unwrap();
    Tool::new("mount").arg("--make-shared").arg(shared.target()).run().unwrap();
    let theirs = Mount::tmpfs(&shared.target().join("theirs"), "size=1m").unwrap();
    let mut holder = Tool::new(std::env::current_exe().unwrap().to_string_lossy())
        .env(HELD_DISK, &disk)
        .spawn_guarded(Stdio::null())
        .unwrap();
    let ready = dir.path().join("ready");
    wait_until(PATIENCE, Duration::from_millis(20), || (ready.exists() || holder.try_wait().is_some()).then_some(()))
        .unwrap();
    assert!(ready.exists(), "{}", holder.stderr_tail());
    assert!(has_loop_device(&disk), "the mount is there");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&*dir.path().to_string_lossy()), "but not in our namespace: {mounts}");
    let seen_by_holder = || fs::read_to_string(format!("/proc/{}/mounts", holder.pid())).unwrap();
    assert!(seen_by_holder().contains("/theirs "), "{}", seen_by_holder());
    theirs.unmount().unwrap();
    assert!(!seen_by_holder().contains("/theirs "), "what others unmount is held by nobody: {}", seen_by_holder());
    holder.kill();
    assert_is_released(&disk);
}

fn hold_a_mount_until_killed(disk: &Path) {
    let dir = disk.parent().unwrap();
    namespace::enter_private().unwrap();
    let root = gpt::find_root(disk).unwrap();
    let _mount = LoopMount::ensure(disk, &root, &dir.join("mnt"), Access::ReadWrite).unwrap();
    let _memory = Mount::tmpfs(&dir.join("memory"), "size=1m").unwrap();
    fs::write(dir.join("mnt/file"), "open").unwrap();
    assert!(
        std::thread::spawn(namespace::enter_private).join().unwrap().is_err(),
        "with a second thread it is refused"
    );
    fs::write(dir.join("ready"), "").unwrap();
    _ = wait_until(Duration::from_secs(60), Duration::from_secs(60), || None::<()>);
}
