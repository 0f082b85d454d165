//! The disk: partition table, root file system, loader and kernel, all written without mounting anything.
//!
//! The root comes last, so that it can grow with its volume. All ids are constants: disks with the same content are the
//! same bytes, and blocks that did not change are never stored or sent again.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::blocks;
use ovenbird_disk::esp::Esp;
use ovenbird_disk::gpt;
use ovenbird_disk::gpt::Guid;
use ovenbird_disk::gpt::Partition;
use ovenbird_disk::kernel;
use ovenbird_disk::tool::Tool;

use super::BaseError;
use super::DISK_SIZE;
use super::Phase;
use super::io_error;

/// The loader, as Debian's package systemd-boot-efi installs it on this machine.
pub(super) const LOADER: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";

/// The path that firmware tries on a disk that it has no entry for, which is how EC2 boots (offline.md 2.2).
const REMOVABLE_PATH: &str = "EFI/BOOT/BOOTX64.EFI";

const DISK_UUID: Guid = Guid::from_fields(0x0b1d_0b1d_0000_4000_8000_0000_0000_0001);
pub(super) const ESP_UUID: Guid = Guid::from_fields(0x0b1d_0b1d_0000_4000_8000_0000_0000_000e);
pub(super) const ROOT_UUID: Guid = Guid::from_fields(0x0b1d_0b1d_0000_4000_8000_0000_0000_000f);
const FILE_SYSTEM_UUID: &str = "0b1d0b1d-0000-4000-8000-0000000000f5";
const HASH_SEED: &str = "0b1d0b1d-0000-4000-8000-0000000000a5";
const ESP_VOLUME_ID: u32 = 0x0b1d_0b1d;

/// The kernel's options besides `root=`. Both consoles get its messages, the serial one the login; an EBS volume may be
/// slow but never lost (EC2 User Guide, "I/O operation timeout"); interfaces keep the names `eth0`, `eth1`.
pub const COMMAND_LINE: &str =
    "ro rootwait console=tty0 console=ttyS0,115200 nvme_core.io_timeout=4294967295 net.ifnames=0";

/// Debian 12's own choice for ext4, spelled out: machines differ in what they mean by "ext4".
const FEATURES: &str = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,\
    large_file,huge_file,dir_nlink,extra_isize,metadata_csum";

const MIB: u64 = 1 << 20;
const BLOCK: u64 = 4096;

fn layout() -> [Partition; 2] {
    let esp_end = 128 * MIB;
    let partition = |number, start, end, kind, uuid, name: &str| Partition {
        number,
        start,
        size: end - start,
        kind: Some(kind),
        uuid: Some(uuid),
        name: name.to_owned(),
    };
    // Debian's own cloud images number them so.
    let root = partition(1, esp_end, DISK_SIZE - MIB, Guid::ROOT_X86_64, ROOT_UUID, "root");
    [root, partition(15, MIB, esp_end, Guid::ESP, ESP_UUID, "ESP")]
}

/// Writes the disk into `work`; gives its file and its kernel's version.
pub(super) fn write(
    root: &Path,
    epoch: u64,
    work: &Path,
    progress: &mut dyn FnMut(Phase),
) -> Result<(PathBuf, String), BaseError> {
    let disk = work.join("disk.raw");
    let [root_partition, esp_partition] = layout();
    let kernel = kernel::find_newest_kernel(root)?.ok_or_else(|| {
        BaseError::NotBootable("there is no kernel in /boot; is linux-image-cloud-amd64 in the plan?".into())
    })?;
    blocks::create_sparse(&disk, DISK_SIZE).map_err(io_error("make the disk"))?;

    progress(Phase::WriteRoot);
    write_root(root, epoch, &disk, &root_partition)?;
    date_inodes(root, epoch, &disk, &root_partition)?;

    progress(Phase::WriteEsp);
    let esp = Esp::format(&disk, &esp_partition, ESP_VOLUME_ID, epoch)?;
    esp.write(REMOVABLE_PATH, &fs::read(LOADER).map_err(io_error("read systemd-boot"))?)?;
    esp.write("loader/loader.conf", b"timeout 0\neditor no\n")?;
    kernel::put_kernel(&esp, &kernel, &format!("root=PARTUUID={ROOT_UUID} {COMMAND_LINE}"))?;
    gpt::write_table(&disk, DISK_UUID, &[root_partition.clone(), esp_partition])?;

    progress(Phase::Check);
    check_root(&disk, &root_partition)?;
    Ok((disk, kernel.version))
}

/// An ext4 file system of the whole partition with the tree in it. Lazy initialisation is off: it would change
/// thousands of blocks later, on the first machine that mounts it.
fn write_root(root: &Path, epoch: u64, disk: &Path, partition: &Partition) -> Result<(), BaseError> {
    let place = format!("offset={}", partition.start);
    Tool::new("mke2fs")
        .doing(format!("write the root file system of {}", disk.display()))
        .args(["-q", "-F", "-t", "ext4", "-b", &BLOCK.to_string(), "-m", "1", "-J", "size=64"])
        .args(["-L", "root", "-U", FILE_SYSTEM_UUID, "-O", FEATURES, "-I", "256", "-i", "16384"])
        .args(["-E", &format!("{place},hash_seed={HASH_SEED},lazy_itable_init=0,lazy_journal_init=0,nodiscard")])
        .arg("-d")
        .args([root, disk])
        .arg((partition.size / BLOCK).to_string())
        .env("E2FSPROGS_FAKE_TIME", epoch.to_string())
        .deadline(Duration::from_secs(600))
        .run()?;
    Ok(())
}

/// mke2fs takes over when each file was unpacked and read (its ctime and atime), the only thing that differs between
/// two builds.
fn date_inodes(root: &Path, epoch: u64, disk: &Path, partition: &Partition) -> Result<(), BaseError> {
    let mut commands = String::new();
    list_dates(root, "", epoch, &mut commands).map_err(io_error("list the files of the base"))?;
    Tool::new("debugfs")
        .doing(format!("date the files of the root file system of {}", disk.display()))
        .args(["-w", "-f", "-"])
        .arg(in_disk(disk, partition))
        .env("E2FSPROGS_FAKE_TIME", epoch.to_string())
        .stdin_bytes(commands)
        .run()?;
    Ok(())
}

/// The commands for `path` (inside the image) and all below it; `file` is where it lies on this machine.
fn list_dates(file: &Path, path: &str, epoch: u64, commands: &mut String) -> std::io::Result<()> {
    let quoted = if path.is_empty() { "/".to_owned() } else { path.replace('"', "\"\"") };
    *commands += &format!("sif \"{quoted}\" atime @{epoch}\nsif \"{quoted}\" ctime @{epoch}\n");
    if fs::symlink_metadata(file)?.is_dir() {
        for entry in fs::read_dir(file)? {
            let name = entry?.file_name();
            list_dates(&file.join(&name), &format!("{path}/{}", name.to_string_lossy()), epoch, commands)?;
        }
    }
    Ok(())
}

fn check_root(disk: &Path, partition: &Partition) -> Result<(), BaseError> {
    Tool::new("e2fsck")
        .doing(format!("check the root file system of {}", disk.display()))
        .arg("-fn")
        .arg(in_disk(disk, partition))
        .run()?;
    Ok(())
}

/// How e2fsprogs name a file system inside a disk.
fn in_disk(disk: &Path, partition: &Partition) -> String {
    format!("{}?offset={}", disk.display(), partition.start)
}
