//! A base is really built, from packages that are kept between runs. Needs root, and the network once.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::blocks;
use ovenbird_disk::esp::Esp;
use ovenbird_disk::gpt;
use ovenbird_disk::gpt::Guid;
use ovenbird_disk::gpt::Partition;
use ovenbird_disk::kernel;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;
use ovenbird_disk::mount::Mount;
use ovenbird_disk::tool::Tool;
use ovenbird_local::base;
use ovenbird_local::base::BaseDisk;
use ovenbird_local::base::BasePlan;
use ovenbird_local::base::Edition;
use ovenbird_local::base::Phase;
use ovenbird_local::base::Reuse;

fn cache() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-cache");
    std::env::var_os("OVENBIRD_TEST_CACHE").map_or_else(default, PathBuf::from).join("ovenbird/bases")
}

fn build(reuse: Reuse, phases: &mut Vec<Phase>) -> BaseDisk {
    base::build(&BasePlan::debian_12(), &cache(), reuse, &mut |phase| phases.push(phase)).unwrap()
}

#[test]
fn a_base_is_a_bootable_debian_and_the_same_every_time() {
    let kept = build(Reuse::Disk, &mut Vec::new());
    let first = blocks::scan(&kept.disk).unwrap();
    let mut phases = Vec::new();
    let base = build(Reuse::Packages, &mut phases);
    use Phase::*;
    assert_eq!(phases, [ReusePackages, Unpack, Configure, WriteRoot, WriteEsp, Check]);
    assert!(base.is_from_cache);
    assert!(blocks::scan(&base.disk).unwrap() == first, "two builds from the same packages differ");

    // What did not change is not built again, and is known beforehand.
    phases.clear();
    assert_eq!(build(Reuse::Disk, &mut phases), base);
    assert_eq!(phases, [ReusePackages, ReuseDisk]);
    assert_eq!(Edition::find(&BasePlan::debian_12(), &cache()), Some(base.edition.clone()));

    let root = check_partitions(&base.disk);
    check_esp(&base);
    let e2fsck = Tool::new("e2fsck").arg("-fn").arg(format!("{}?offset={}", base.disk.display(), root.start));
    e2fsck.run().unwrap();

    // The mount comes last: it is read-only, but who knows.
    let target = tempfile::tempdir().unwrap();
    let mount = LoopMount::ensure(&base.disk, &root, target.path(), Access::ReadOnly).unwrap();
    check_root(&base, mount.target());
    assert_eq!(kernel::has_newest_kernel(&base.disk, mount.target()).unwrap(), Some(true));
    mount.unmount().unwrap();
}

#[test]
fn a_mount_in_the_work_folder_is_never_removed() {
    let cache = tempfile::tempdir().unwrap();
    let mount = Mount::tmpfs(&cache.path().join("work/mounted"), "size=1m").unwrap();
    fs::write(mount.target().join("precious"), "").unwrap();
    let error = base::build(&BasePlan::debian_12(), cache.path(), Reuse::Disk, &mut |_| {}).unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(reason.contains("work/mounted is mounted"), "{error}: {reason}");
    assert!(mount.target().join("precious").exists());
    mount.unmount().unwrap();
}

fn check_partitions(disk: &Path) -> Partition {
    assert_eq!(fs::metadata(disk).unwrap().len(), base::DISK_SIZE);
    let partitions = gpt::list_partitions(disk).unwrap();
    let kinds: Vec<_> = partitions.iter().map(|partition| (partition.number, partition.kind)).collect();
    assert_eq!(kinds, [(1, Some(Guid::ROOT_X86_64)), (15, Some(Guid::ESP))]);
    let root = gpt::find_root(disk).unwrap();
    assert!(partitions.iter().all(|partition| partition.start <= root.start), "the root is last, so that it can grow");
    // util-linux reads the table with checks of its own.
    let columns = ["--raw", "--noheadings", "--output", "NR,START,UUID"];
    let theirs = Tool::new("partx").args(columns).arg(disk).run().unwrap().text();
    let ours =
        |partition: &Partition| format!("{} {} {}", partition.number, partition.start / 512, partition.uuid.unwrap());
    assert_eq!(theirs.lines().collect::<Vec<_>>(), partitions.iter().map(ours).collect::<Vec<_>>());
    root
}

fn check_esp(base: &BaseDisk) {
    let esp = Esp::find(&base.disk, 0).unwrap();
    let image = format!("vmlinuz-{}", base.kernel);
    assert_eq!(
        esp.list_files().unwrap(),
        ["EFI/BOOT/BOOTX64.EFI", "loader/entries/linux.conf", "loader/loader.conf", &image]
    );
    let entry = String::from_utf8(esp.read(kernel::ENTRY).unwrap()).unwrap();
    let root = gpt::find_root(&base.disk).unwrap().uuid.unwrap();
    assert!(entry.contains(&format!("options root=PARTUUID={root} {}", base::COMMAND_LINE)), "{entry}");
}

fn check_root(base: &BaseDisk, root: &Path) {
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(read("etc/machine-id"), "");
    assert!(read("etc/fstab").contains(&gpt::find_root(&base.disk).unwrap().uuid.unwrap().to_string()));
    assert!(read("etc/cloud/cloud.cfg.d/90_ovenbird.cfg").lines().any(|line| line == "datasource_list: [ Ec2 ]"));
    assert!(read("etc/apt/sources.list").contains("bookworm-security main"));
    assert!(
        !fs::read_dir(root.join("etc/ssh"))
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().starts_with("ssh_host_") })
    );
    for gone in ["etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "var/log/dpkg.log"] {
        assert!(!root.join(gone).exists(), "{gone}");
    }
    let masked = fs::read_link(root.join("etc/systemd/system/apt-daily.timer")).unwrap();
    assert_eq!(masked, Path::new("/dev/null"));
    let hook = read("etc/kernel/postinst.d/zz-kernel-to-esp");
    let esp = gpt::find_esp(&base.disk).unwrap().unwrap().uuid.unwrap();
    assert!(hook.contains(&format!("/dev/disk/by-partuuid/{esp}")), "{hook}");
    for package in ["cloud-init ", "cloud-guest-utils ", "openssh-server ", "python3 ", "systemd-resolved "] {
        assert!(base.packages.iter().any(|known| known.starts_with(package)), "{package} is missing");
    }
    assert!(!base.packages.iter().any(|package| package.starts_with("perl ")), "Perl is 45 MiB that nobody asked for");
}
