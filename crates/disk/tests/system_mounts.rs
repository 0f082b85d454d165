//! Mounts and loop devices really go, however their owner ends. Needs root.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod common;

use std::io::Write as _;

use common::assert_is_released;
use common::has_loop_device;
use common::make_disk;
use fs_err as fs;
use ovenbird_disk::blocks;
use ovenbird_disk::fs_journal::JournalError;
use ovenbird_disk::fs_journal::KeptJournal;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;
use ovenbird_disk::mount::Mount;
use ovenbird_disk::tool::Tool;

#[test]
fn what_is_written_through_a_mount_stays_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, target) = (dir.path().join("disk"), dir.path().join("mnt"));
    let root = make_disk(&disk);
    let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadWrite).unwrap();
    fs::write(target.join("file"), "kept").unwrap();
    fs::write(target.join("big"), vec![1; 20 << 20]).unwrap();
    mount.unmount().unwrap();
    assert_is_released(&disk);

    let full = blocks::scan(&disk).unwrap().blocks.len();
    let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadWrite).unwrap();
    fs::remove_file(target.join("big")).unwrap();
    rustix::fs::sync();
    assert!(mount.trim().unwrap() > 20 << 20);
    mount.unmount().unwrap();
    let trimmed = blocks::scan(&disk).unwrap().blocks.len();
    assert!(trimmed + 39 <= full, "{full} blocks before and {trimmed} after");

    let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadOnly).unwrap();
    assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "kept");
    assert!(fs::write(target.join("more"), "").is_err());
    mount.unmount().unwrap();
    assert_is_released(&disk);
}

#[test]
fn a_journal_that_is_put_back_leaves_only_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, target) = (dir.path().join("disk"), dir.path().join("mnt"));
    let root = make_disk(&disk);
    let before = blocks::scan(&disk).unwrap();
    let write = |name: &str| {
        let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadWrite).unwrap();
        fs::write(target.join(name), "kept").unwrap();
        mount.unmount().unwrap();
    };
    let plain = dir.path().join("plain");
    blocks::copy_sparse(&disk, &plain).unwrap();

    let journal = KeptJournal::keep(&disk, &root).unwrap().expect("ext4 has one");
    write("file");
    let with = blocks::scan(&disk).unwrap().changes_since(&before).len();
    journal.put_back().unwrap();
    let without = blocks::scan(&disk).unwrap().changes_since(&before).len();
    assert!(without < with, "{with} blocks with the journal's, {without} without");

    let start = root.start;
    let checked = Tool::new("e2fsck").arg("-fn").arg(format!("{}?offset={start}", disk.display())).run();
    assert!(checked.is_ok(), "{checked:?}");
    write("again");
    let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadOnly).unwrap();
    assert_eq!(fs::read_to_string(target.join("file")).unwrap(), "kept");
    assert_eq!(fs::read_to_string(target.join("again")).unwrap(), "kept");
    mount.unmount().unwrap();

    let journal = KeptJournal::keep(&disk, &root).unwrap().expect("ext4 has one");
    let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadWrite).unwrap();
    fs::write(target.join("more"), "under way").unwrap();
    rustix::fs::sync();
    assert!(matches!(journal.put_back(), Err(JournalError::InUse { .. })), "a mounted file system needs its journal");
    mount.unmount().unwrap();
}

#[test]
fn what_has_no_journal_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    let root = make_disk(&disk);
    let file = fs::OpenOptions::new().write(true).open(&disk).unwrap();
    std::os::unix::fs::FileExt::write_all_at(file.file(), &[0; 4096], root.start).unwrap();
    assert!(KeptJournal::keep(&disk, &root).unwrap().is_none());
}

#[test]
fn a_panic_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, target) = (dir.path().join("disk"), dir.path().join("mnt"));
    let root = make_disk(&disk);
    let panicked = std::panic::catch_unwind(|| {
        let _mount = LoopMount::ensure(&disk, &root, &target, Access::ReadWrite).unwrap();
        // Even with an open file on it.
        let mut file = fs::File::create(target.join("open")).unwrap();
        file.write_all(b"x").unwrap();
        panic!("as if a step had a bug");
    });
    assert!(panicked.is_err());
    assert_is_released(&disk);
}

#[test]
fn a_mount_in_use_says_so_and_ends_with_its_user() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, target) = (dir.path().join("disk"), dir.path().join("mnt"));
    let root = make_disk(&disk);
    let mount = LoopMount::ensure(&disk, &root, &target, Access::ReadWrite).unwrap();
    let file = fs::File::create(target.join("open")).unwrap();
    let error = mount.unmount().unwrap_err();
    assert!(error.to_string().contains("fuser -vm"), "{error}");
    assert!(has_loop_device(&disk));
    drop(file);
    assert_is_released(&disk);
}

#[test]
fn an_overlay_keeps_the_lower_clean() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("lower, a:b")).unwrap();
    fs::write(path("lower, a:b").join("old"), "old").unwrap();
    let memory = Mount::tmpfs(&path("memory"), "size=16m,mode=0755").unwrap();
    let (upper, work) = (memory.target().join("upper"), memory.target().join("work"));
    fs::create_dir(&upper).unwrap();
    fs::create_dir(&work).unwrap();
    let overlay = Mount::overlay(&path("lower, a:b"), &upper, &work, &path("merged")).unwrap();
    let bind = Mount::bind(overlay.target(), &path("seen")).unwrap();
    fs::write(bind.target().join("old"), "new").unwrap();
    assert_eq!(fs::read_to_string(path("merged").join("old")).unwrap(), "new");
    assert_eq!(fs::read_to_string(path("lower, a:b").join("old")).unwrap(), "old");
    assert_eq!(fs::read_to_string(upper.join("old")).unwrap(), "new");
    for mount in [bind, overlay, memory] {
        mount.unmount().unwrap();
    }
    assert!(fs::read_dir(path("memory")).unwrap().next().is_none());
}
