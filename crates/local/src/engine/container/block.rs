//! Block devices as a container sees them: a folder that lies over `/sys/block`, and nodes in `/dev`.
//!
//! The container must not see this machine's disks, and must find its own as on EC2: by the serial of an NVMe device,
//! which is the volume's id without the dash.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;
use rustix::fs::AtFlags;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::ResolveFlags;
use rustix::io::Errno;

use crate::engine::serial;

/// Sectors of `/sys/block/*/size` have this many bytes, whatever the device says.
const SECTOR: u64 = 512;

/// The folder that the container sees as `/sys/block`.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    folder: PathBuf,
    /// Where an entry grows before it appears whole; on the same file system.
    next: PathBuf,
}

impl Blocks {
    /// The one of the machine whose folder this is.
    pub(super) fn of(machine_folder: &Path) -> Self {
        Self { folder: machine_folder.join("block"), next: machine_folder.join("block.next") }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Empties it but for the root disk.
    pub(super) fn reset(&self, root_volume_id: &str, root_disk: &Path) -> io::Result<()> {
        for folder in [&self.folder, &self.next] {
            remove_folder(folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        self.add("nvme0n1", root_volume_id, fs::metadata(root_disk)?.len(), None)
    }

    /// The name of the device that has this volume's serial.
    pub(super) fn find(&self, volume_id: &str) -> Option<String> {
        self.list().into_iter().find(|name| {
            fs::read_to_string(self.folder.join(name).join("device/serial"))
                .is_ok_and(|found| found.trim() == serial(volume_id))
        })
    }

    /// The lowest name that no device has.
    pub(super) fn next_name(&self) -> String {
        let taken = self.list();
        let names = (1_u32..).map(|number| format!("nvme{number}n1"));
        names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default()
    }

    /// Shows a device; `numbers` are its node's.
    pub(super) fn add(&self, name: &str, volume_id: &str, size: u64, numbers: Option<(u32, u32)>) -> io::Result<()> {
        remove_folder(&self.next)?;
        for folder in ["device", "queue"] {
            fs::create_dir_all(self.next.join(folder))?;
        }
        let write = |file: &str, value: &str| fs::write(self.next.join(file), format!("{value}\n"));
        write("size", &(size / SECTOR).to_string())?;
        write("ro", "0")?;
        write("removable", "0")?;
        write("queue/rotational", "0")?;
        write("queue/logical_block_size", "512")?;
        write("device/model", "Amazon Elastic Block Store")?;
        write("device/serial", &serial(volume_id))?;
        if let Some((major, minor)) = numbers {
            write("dev", &format!("{major}:{minor}"))?;
        }
        fs::rename(&self.next, self.folder.join(name))
    }

    /// Shows it no more.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        remove_folder(&self.next)?;
        fs::rename(self.folder.join(name), &self.next)?;
        remove_folder(&self.next)
    }

    fn list(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The loop device of this very file, if it has one.
pub(super) fn find_loop(file: &Path) -> Result<Option<PathBuf>, ToolError> {
    let listed = Tool::new("losetup")
        .doing(format!("find the loop device of {}", file.display()))
        .args(["--noheadings", "--output", "NAME", "--associated"])
        .arg(file)
        .even_if_interrupted()
        .run()?;
    Ok(listed.text().lines().next().map(|line| PathBuf::from(line.trim())))
}

/// Gives the file a loop device, unless it has one.
pub(super) fn ensure_loop(file: &Path) -> Result<PathBuf, ToolError> {
    if let Some(device) = find_loop(file)? {
        return Ok(device);
    }
    let doing = format!("make {} a block device", file.display());
    let made = Tool::new("losetup").doing(doing).args(["--find", "--show"]).arg(file).run()?;
    Ok(PathBuf::from(made.text()))
}

/// Frees the loop device of this file, if it has one; the kernel waits for the last user, so see [`is_in_use`] first.
pub(super) fn undo_loop(file: &Path) -> Result<(), ToolError> {
    if let Some(device) = find_loop(file)? {
        let doing = format!("free {}", device.display());
        Tool::new("losetup").doing(doing).arg("--detach").arg(device).even_if_interrupted().run()?;
    }
    Ok(())
}

/// Whether somebody has mounted the device, or holds it alone.
pub(super) fn is_in_use(device: &Path) -> bool {
    rustix::fs::open(device, OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC, Mode::empty())
        .is_err_and(|e| e == Errno::BUSY)
}

/// Major and minor number of a device.
pub(super) fn numbers(device: &Path) -> io::Result<(u32, u32)> {
    let number = rustix::fs::stat(device)?.st_rdev;
    Ok((rustix::fs::major(number), rustix::fs::minor(number)))
}

/// Makes the node `/dev/NAME` inside the container whose first process is `leader`.
pub(super) fn ensure_node(leader: u32, name: &str, (major, minor): (u32, u32)) -> io::Result<()> {
    let number = rustix::fs::makedev(major, minor);
    let dev = open_dev(leader)?;
    _ = rustix::fs::unlinkat(&dev, name, AtFlags::empty());
    Ok(rustix::fs::mknodat(dev, name, FileType::BlockDevice, Mode::from_raw_mode(0o660), number)?)
}

/// Removes the node, if it is there.
pub(super) fn undo_node(leader: u32, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(open_dev(leader)?, name, AtFlags::empty()) {
        Err(error) if error != Errno::NOENT => Err(error.into()),
        _ => Ok(()),
    }
}

/// The container's `/dev`; whatever links the container makes, nothing outside of it is opened.
fn open_dev(leader: u32) -> io::Result<rustix::fd::OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(format!("/proc/{leader}/root"), flags, Mode::empty())?;
    Ok(rustix::fs::openat2(root, "dev", flags, Mode::empty(), ResolveFlags::IN_ROOT)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_appears_whole_and_is_found_by_its_serial() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        fs::write(&disk, [0; 1024]).unwrap();
        let blocks = Blocks::of(dir.path());
        blocks.reset("vol-0aa", &disk).unwrap();
        assert_eq!((blocks.find("vol-0aa").as_deref(), blocks.next_name().as_str()), (Some("nvme0n1"), "nvme1n1"));
        blocks.add("nvme1n1", "vol-0bb", 4096, Some((7, 3))).unwrap();
        assert_eq!((blocks.find("vol-0bb").as_deref(), blocks.next_name().as_str()), (Some("nvme1n1"), "nvme2n1"));
        let read = |file: &str| fs::read_to_string(blocks.folder().join("nvme1n1").join(file)).unwrap();
        assert_eq!(
            (read("size").as_str(), read("dev").as_str(), read("device/serial").as_str()),
            ("8\n", "7:3\n", "vol0bb\n")
        );
        blocks.remove("nvme1n1").unwrap();
        assert_eq!((blocks.find("vol-0bb"), blocks.next_name().as_str()), (None, "nvme1n1"));
        blocks.reset("vol-0cc", &disk).unwrap();
        assert_eq!(blocks.find("vol-0aa"), None);
    }
}
