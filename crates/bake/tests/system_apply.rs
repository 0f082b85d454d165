//! Random trees, random changes through a real overlay: applied, the disk is what the overlay showed. Needs root.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_bake::apply::apply;
use ovenbird_bake::tree::Tree;
use ovenbird_disk::mount::Mount;
use ovenbird_disk::tool::Tool;
use proptest::prelude::*;

/// One change. Those that make no sense at the moment (a folder in the way, nothing there) do nothing.
#[derive(Clone, Debug)]
enum Change {
    Write(PathBuf, usize, u8),
    Patch(PathBuf, usize, u8),
    Truncate(PathBuf, usize),
    Folder(PathBuf),
    Remove(PathBuf),
    Move(PathBuf, PathBuf),
    HardLink(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Pipe(PathBuf),
    Mode(PathBuf, u32),
    Owner(PathBuf, u32),
    Attribute(PathBuf, u8),
    Touch(PathBuf),
}

impl Change {
    fn make(&self, root: &Path) -> std::io::Result<()> {
        let at = |path: &PathBuf| root.join(path);
        if let Self::Write(path, ..) | Self::Patch(path, ..) | Self::Truncate(path, _) | Self::Touch(path) = self
            && at(path).exists()
            && !at(path).is_file()
        {
            // Opening a pipe would wait for its other end.
            return Ok(());
        }
        match self {
            Self::Write(path, length, byte) => fs::write(at(path), vec![*byte; *length]),
            Self::Patch(path, offset, byte) => {
                let mut content = fs::read(at(path))?;
                if let Some(place) = content.get_mut(*offset) {
                    *place = *byte;
                }
                fs::write(at(path), content)
            }
            Self::Truncate(path, length) => fs::OpenOptions::new().write(true).open(at(path))?.set_len(*length as u64),
            Self::Folder(path) => fs::create_dir(at(path)),
            Self::Remove(path) if at(path).is_dir() && !at(path).is_symlink() => fs::remove_dir_all(at(path)),
            Self::Remove(path) => fs::remove_file(at(path)),
            Self::Move(from, to) => fs::rename(at(from), at(to)),
            Self::HardLink(from, to) => fs::hard_link(at(from), at(to)),
            Self::Link(target, path) => std::os::unix::fs::symlink(target, at(path)),
            Self::Pipe(path) => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                Ok(rustix::fs::mknodat(rustix::fs::CWD, at(path), rustix::fs::FileType::Fifo, mode, 0)?)
            }
            Self::Mode(path, mode) if !at(path).is_symlink() => {
                fs::set_permissions(at(path), std::fs::Permissions::from_mode(*mode))
            }
            Self::Mode(..) => Ok(()),
            Self::Owner(path, uid) => std::os::unix::fs::lchown(at(path), Some(*uid), Some(*uid)),
            Self::Attribute(path, value) => {
                let flags = rustix::fs::XattrFlags::empty();
                Ok(rustix::fs::lsetxattr(at(path), "trusted.test", &[*value], flags)?)
            }
            Self::Touch(path) => fs::File::options().append(true).open(at(path)).map(drop),
        }
    }
}

fn path() -> impl Strategy<Value = PathBuf> {
    proptest::collection::vec(prop_oneof!["a", "b", "c"], 1..4).prop_map(|parts| parts.iter().collect())
}

fn change() -> impl Strategy<Value = Change> {
    let length = prop_oneof![Just(0_usize), 1..100_usize, 4000..20_000_usize];
    prop_oneof![
        4 => (path(), length.clone(), any::<u8>()).prop_map(|(path, length, byte)| Change::Write(path, length, byte)),
        2 => (path(), 0..20_000_usize, any::<u8>()).prop_map(|(path, offset, byte)| Change::Patch(path, offset, byte)),
        1 => (path(), length).prop_map(|(path, length)| Change::Truncate(path, length)),
        4 => path().prop_map(Change::Folder),
        3 => path().prop_map(Change::Remove),
        2 => (path(), path()).prop_map(|(from, to)| Change::Move(from, to)),
        2 => (path(), path()).prop_map(|(from, to)| Change::HardLink(from, to)),
        1 => (path(), path()).prop_map(|(target, path)| Change::Link(target, path)),
        1 => path().prop_map(Change::Pipe),
        1 => (path(), prop_oneof![Just(0o755_u32), Just(0o4711), Just(0o600)]).prop_map(|(path, mode)| Change::Mode(path, mode)),
        1 => (path(), 0..3_u32).prop_map(|(path, uid)| Change::Owner(path, uid)),
        1 => (path(), any::<u8>()).prop_map(|(path, value)| Change::Attribute(path, value)),
        1 => path().prop_map(Change::Touch),
    ]
}

fn copy(from: &Path, to: &Path) {
    Tool::new("cp").args(["-a"]).arg(from).arg(to).run().expect("a copy");
}

fn make_all(changes: &[Change], root: &Path) {
    for change in changes {
        // Most fail now and then, such as a write to a folder; what counts is that both trees see the same.
        _ = change.make(root);
    }
}

fn check(before: &[Change], layers: &[Vec<Change>]) {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("lower")).expect("made");
    make_all(before, &at("lower"));
    copy(&at("lower"), &at("disk"));
    for (index, changes) in layers.iter().enumerate() {
        let (upper, work) = (at(&format!("upper{index}")), at(&format!("work{index}")));
        for folder in [&upper, &work] {
            fs::create_dir(folder).expect("made");
        }
        // As in a bake: the disk itself is what the next layer is laid over.
        let merged = Mount::overlay(&at("disk"), &upper, &work, &at("merged")).expect("an overlay");
        make_all(changes, merged.target());
        let shown = Tree::scan(merged.target()).expect("the merged tree");
        merged.unmount().expect("nothing holds it");
        apply(&upper, &at("disk"), 1_000_000_000).expect("applied");
        let disk = Tree::scan(&at("disk")).expect("the disk's tree");
        assert_eq!(shown.differences(&disk), [].into(), "layer {index}: {changes:#?}");
        let again = apply(&upper, &at("disk"), 1_000_000_000).expect("applied again");
        assert_eq!(Tree::scan(&at("disk")).expect("the disk's tree"), disk, "twice is once");
        assert_eq!(again.written, 0, "{again:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_disk_becomes_what_the_overlay_showed(
        before in proptest::collection::vec(change(), 0..40),
        layers in proptest::collection::vec(proptest::collection::vec(change(), 1..40), 1..3),
    ) {
        check(&before, &layers);
    }
}

#[test]
fn the_hard_cases() {
    let write = |path: &str, byte| Change::Write(path.into(), 5000, byte);
    let before =
        [Change::Folder("a".into()), write("a/b", 1), Change::HardLink("a/b".into(), "a/c".into()), write("b", 2)];
    // A link that is broken by copying up; a folder that is made anew with less in it; one that becomes a file, and the reverse.
    let broken = vec![Change::Patch("a/b".into(), 0, 9)];
    let opaque = vec![Change::Remove("a".into()), Change::Folder("a".into()), write("a/b", 3)];
    let nested = vec![
        Change::Remove("a".into()),
        Change::Folder("a".into()),
        Change::Folder("a/b".into()),
        write("a/b/c", 4),
        Change::Remove("b".into()),
        Change::Folder("b".into()),
    ];
    let back = vec![
        Change::Remove("a".into()),
        write("a", 5),
        Change::Remove("b".into()),
        Change::Link("a".into(), "b".into()),
    ];
    check(&before, &[broken, opaque, nested, back]);
}

#[test]
fn times_are_clamped_and_file_capabilities_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    let (upper, disk) = (dir.path().join("upper"), dir.path().join("disk"));
    for folder in [&upper, &disk] {
        fs::create_dir(folder).expect("made");
    }
    fs::write(upper.join("ping"), "x").expect("written");
    // VFS_CAP_REVISION_2 with CAP_NET_RAW, effective (linux/capability.h).
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    rustix::fs::lsetxattr(upper.join("ping"), "security.capability", &capability, rustix::fs::XattrFlags::empty())
        .expect("set");
    std::os::unix::fs::lchown(upper.join("ping"), Some(7), Some(7)).expect("changed");
    rustix::fs::lsetxattr(upper.join("ping"), "security.capability", &capability, rustix::fs::XattrFlags::empty())
        .expect("set");
    apply(&upper, &disk, 1_000_000_000).expect("applied");
    assert_eq!(Tree::scan(&upper).expect("a tree"), Tree::scan(&disk).expect("a tree"));
    let mut value = [0; 64];
    let length = rustix::fs::lgetxattr(disk.join("ping"), "security.capability", &mut value[..]).expect("it is there");
    assert_eq!(value[..length], capability);
    let modified = fs::metadata(disk.join("ping")).expect("there").modified().expect("a time");
    assert_eq!(modified.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs(), 1_000_000_000);
}

#[test]
fn an_upper_that_is_not_whole_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(dir.path().join("upper/x")).expect("made");
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::lsetxattr(dir.path().join("upper/x"), "trusted.overlay.redirect", b"y", flags).expect("set");
    let error = apply(&dir.path().join("upper"), dir.path(), 0).expect_err("refused");
    assert!(error.to_string().contains("trusted.overlay.redirect"), "{error}");
}
