//! Volumes on real loop devices: what may be formatted, and what must never be (as root).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_agent::fault::Fault;
use ovenbird_agent::volume::ensure_formatted;
use ovenbird_agent::volume::find_device;
use ovenbird_aws::ec2;
use ovenbird_core::block::Digest;
use support::Fake;
use support::VOLUME;
use support::machine::DISK;
use support::machine::Machine;
use support::machine::command;
use support::machine::tool;
use support::seconds;
use support::volume;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// A sparse file behind a loop device; gone, with its mounts, at the end of the test.
struct Disk {
    _folder: tempfile::TempDir,
    file: PathBuf,
    node: PathBuf,
}

impl Disk {
    fn new(bytes: u64, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("disk");
        File::create(&file).unwrap().set_len(bytes).unwrap();
        prepare(&file);
        let node = tool(&["losetup", "--find", "--show", file.to_str().unwrap()]).into();
        Self { _folder: folder, file, node }
    }

    /// What a formatting would change: the start, and how much of the file is not a hole.
    fn digest(&self) -> (Digest, u64) {
        let mut start = vec![0; 1 << 20];
        let file = File::open(&self.file).unwrap();
        file.sync_all().unwrap();
        file.read_exact_at(&mut start, 0).unwrap();
        (Digest::of(&start), file.metadata().unwrap().blocks())
    }

    fn unmount(&self) {
        _ = command("umount").arg("--all-targets").arg(&self.node).output();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
        _ = command("losetup").arg("--detach").arg(&self.node).output();
    }
}

fn write(file: &Path, at: u64, bytes: &[u8]) {
    File::options().write(true).open(file).unwrap().write_all_at(bytes, at).unwrap();
}

fn random(length: usize) -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = vec![0; length];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

/// Whether this machine lets root grow a mounted file system (CAP_SYS_RESOURCE).
fn may_resize() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(capabilities.trim(), 16).unwrap() >> 24 & 1 == 1
}

fn ext4(file: &Path) {
    tool(&["mkfs.ext4", "-q", "-F", file.to_str().unwrap()]);
}

fn format(disk: &Disk, described: &ec2::Volume) -> Result<(), Fault> {
    let machine = Machine::with_play("true");
    machine.put_disk(&disk.node, VOLUME);
    let device = find_device(&machine.root, VOLUME).unwrap().unwrap();
    ensure_formatted(&device, VOLUME, described, &seconds(120.0)).map(|found| assert_eq!(found.kind, "ext4"))
}

fn assert_left_alone(disk: &Disk, described: &ec2::Volume, why: &str) {
    let before = disk.digest();
    let fault = format(disk, described).unwrap_err();
    assert!(fault.sentence.contains(why), "{why}: {fault}");
    assert_eq!(disk.digest(), before, "{why}");
}

#[test]
fn system_a_blank_volume_is_formatted() {
    let disk = Disk::new(GIB, |_| {});
    format(&disk, &volume("in-use")).unwrap();
    assert_eq!(tool(&["blkid", "-p", "-s", "LABEL", "-o", "value", disk.node.to_str().unwrap()]), "ovenbird-abcdef0");
}

/// All of these make blkid answer "nothing found" (boot.md 3.4).
#[test]
fn system_what_fools_blkid_is_never_formatted() {
    type Prepare = fn(&Path);
    let cases: [(&str, Prepare); 5] = [
        ("random bytes, as of a plain dm-crypt or a database", |file| write(file, 0, &random(8 << 20))),
        ("ext4 without its first 4 KiB", |file| {
            ext4(file);
            write(file, 0, &[0; 4096]);
        }),
        ("ext4 without its first MiB", |file| {
            ext4(file);
            write(file, 0, &vec![0; 1 << 20]);
        }),
        ("data at 32 MiB", |file| write(file, 32 * MIB, b"x")),
        ("data at the very end", |file| write(file, GIB - 1, b"x")),
    ];
    for (what, prepare) in cases {
        let disk = Disk::new(GIB, prepare);
        let probed = command("blkid").args(["-p", "-s", "TYPE", "-s", "PTTYPE"]).arg(&disk.node).output().unwrap();
        assert_eq!(probed.status.code(), Some(2), "{what}: blkid is not fooled any more");
        assert_left_alone(&disk, &volume("in-use"), "it holds data of an unknown kind");
    }
}

#[test]
fn system_a_volume_from_a_snapshot_is_never_formatted() {
    let disk = Disk::new(GIB, |_| {});
    let from_snapshot = ec2::Volume { snapshot_id: Some("snap-1".to_owned()), ..volume("in-use") };
    assert_left_alone(&disk, &from_snapshot, "it was made from the snapshot snap-1");
}

#[test]
fn system_another_size_a_mounted_or_another_disk_is_never_formatted() {
    let disk = Disk::new(GIB - 4096, |_| {});
    assert_left_alone(&disk, &volume("in-use"), "bytes instead of 1073741824");

    let disk = Disk::new(GIB, ext4);
    let place = tempfile::tempdir().unwrap();
    tool(&["mount", disk.node.to_str().unwrap(), place.path().to_str().unwrap()]);
    let fault = format(&disk, &volume("in-use")).unwrap_err();
    assert!(fault.sentence.contains("busy"), "{fault}");
    disk.unmount();

    // The device becomes another one between the search and the open.
    let disk = Disk::new(GIB, |_| {});
    let machine = Machine::with_play("true");
    machine.put_disk(&disk.node, VOLUME);
    let device = find_device(&machine.root, VOLUME).unwrap().unwrap();
    std::fs::write(machine.path().join("sys/block").join(DISK).join("device/serial"), "vol0000000000000000").unwrap();
    let fault = ensure_formatted(&device, VOLUME, &volume("in-use"), &seconds(60.0)).unwrap_err();
    assert!(fault.sentence.contains("another one now"), "{fault}");
}

#[test]
fn system_a_read_error_is_never_blank() {
    // The end of the backing file is cut off under the loop device, so that reading there fails or falls short.
    let disk = Disk::new(GIB, |_| {});
    File::options().write(true).open(&disk.file).unwrap().set_len(GIB / 2).unwrap();
    let before = disk.digest();
    let result = format(&disk, &volume("in-use"));
    let fault = result.expect_err("formatted a disk of which half cannot be read");
    assert!(fault.sentence.contains("Input/output error"), "{fault}");
    assert_eq!(disk.digest(), before);
}

/// The whole agent: attach, format, mount, play; again with the same volume; and with a copy of it present.
#[test]
fn system_a_volume_lives_on_from_boot_to_boot() {
    let play = "f=$ROOT/srv/data/file; cat $f > $ROOT/seen 2>/dev/null; echo written >> $f; stat -f -c %T $ROOT/srv/data > $ROOT/type";
    let disk = Disk::new(GIB, |_| {});
    let boot = |fake: &Fake| {
        let machine = Machine::with_play(play);
        machine.put_systemctl();
        machine.put_disk(&disk.node, VOLUME);
        fake.world().user_data =
            Some(format!(r#"{{"environment":"dev","extra":{{"volume_id":"{VOLUME}"}}}}"#).into_bytes());
        let ended = machine.agent(&fake.endpoint, &["run"]);
        (machine, ended)
    };

    let fake = Fake::start();
    fake.world().volumes = vec![volume("available")];
    let (machine, ended) = boot(&fake);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(&format!("formatting {VOLUME}")), "{}", ended.stderr);
    assert_eq!(machine.read("/type").unwrap().trim(), "ext2/ext3");
    let facts: serde_json::Value = serde_json::from_str(&machine.read("/run/ovenbird/facts.json").unwrap()).unwrap();
    assert_eq!(facts["volumes"]["volume_id"]["id"], VOLUME);
    assert_eq!(
        std::fs::metadata(machine.path().join("srv/data")).unwrap().dev(),
        std::fs::metadata(&disk.node).unwrap().rdev()
    );

    // The agent is started again while it is mounted.
    let again = machine.agent(&fake.endpoint, &["run"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!((machine.read("/seen").unwrap().as_str(), fake.count("AttachVolume")), ("written\n", 1));
    disk.unmount();

    // Another instance, a volume that has grown, and its old holder gone.
    File::options().write(true).open(&disk.file).unwrap().set_len(2 * GIB).unwrap();
    tool(&["losetup", "--set-capacity", disk.node.to_str().unwrap()]);
    let fake = Fake::start();
    fake.world().volumes = vec![ec2::Volume { size: Some(2), ..volume("available") }];
    let (machine, ended) = boot(&fake);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stderr.contains("formatting"), "{}", ended.stderr);
    assert_eq!(machine.read("/seen").unwrap(), "written\nwritten\n");
    if may_resize() {
        let place = machine.path().join("srv/data");
        let blocks = tool(&["stat", "-f", "-c", "%b", place.to_str().unwrap()]).parse::<u64>().unwrap();
        assert!(blocks * 4096 > 3 * GIB / 2, "it has grown: {blocks}");
    } else {
        assert!(ended.stderr.contains("resize2fs could not grow"), "{}", ended.stderr);
    }
    disk.unmount();

    // A copy of the same file system on another disk.
    let machine = Machine::with_play(play);
    machine.put_systemctl();
    machine.put_disk(&disk.node, VOLUME);
    let copy = Disk::new(GIB, |file| {
        let mut start = vec![0; 1 << 20];
        File::open(&disk.file).unwrap().read_exact_at(&mut start, 0).unwrap();
        write(file, 0, &start);
    });
    std::fs::create_dir_all(machine.path().join("sys/block/nvme2n1")).unwrap();
    std::os::unix::fs::symlink(&copy.node, machine.path().join("dev/nvme2n1")).unwrap();
    fake.world().user_data =
        Some(format!(r#"{{"environment":"dev","extra":{{"volume_id":"{VOLUME}"}}}}"#).into_bytes());
    let ended = machine.agent(&fake.endpoint, &["run"]);
    assert!(ended.line().contains("the same UUID"), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn system_a_partitioned_disk_is_no_file_system() {
    let disk = Disk::new(GIB, |file| {
        // A protective MBR alone: signature and one partition.
        write(file, 446, &[0, 0, 2, 0, 0x83, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0x1f, 0]);
        write(file, 510, &[0x55, 0xaa]);
    });
    let machine = Machine::with_play("touch $ROOT/played");
    machine.put_systemctl();
    machine.put_disk(&disk.node, VOLUME);
    let fake = Fake::start();
    fake.world().volumes = vec![volume("available")];
    fake.world().user_data =
        Some(format!(r#"{{"environment":"dev","extra":{{"volume_id":"{VOLUME}"}}}}"#).into_bytes());
    let ended = machine.agent(&fake.endpoint, &["run"]);
    assert!(ended.line().contains("holds a partition table (dos)"), "{}", ended.stdout);
    assert!(machine.read("/played").is_none());
}
