//! From a volume's id to its device, by the serial number in sysfs alone.
//!
//! Names change across reboots, and udev's links have pointed at another volume (aws-ebs-csi-driver#1224). NVMe and virtio both
//! show the volume's id without its dash as the serial.

use std::fs::File;
use std::io;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::fault::Fault;
use crate::settings::Root;
use crate::time::Deadline;

/// How long the kernel may take to show a device that EC2 calls attached.
const APPEARING: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// A block device that holds one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its kernel name, such as `nvme1n1`.
    pub name: String,
    /// Its node.
    pub path: PathBuf,
    /// Its folder in sysfs.
    sysfs: PathBuf,
}

impl Device {
    /// Opens the node and makes sure, after that, that it still is the device with the volume's serial.
    ///
    /// # Errors
    /// Those of the system, and when the serial is another one now.
    pub fn open(&self, options: &std::fs::OpenOptions, volume_id: &str) -> io::Result<File> {
        let file = options.open(&self.path)?;
        if serial(&self.sysfs).is_some_and(|serial| serial == serial_of(volume_id)) {
            Ok(file)
        } else {
            Err(io::Error::other("the device is another one now"))
        }
    }
}

/// The size of an open device in bytes.
///
/// # Errors
/// Those of the system.
pub(super) fn size(file: &mut File) -> io::Result<u64> {
    file.seek(SeekFrom::End(0))
}

/// The device that holds a volume, if the kernel shows one.
///
/// # Errors
/// When several devices claim to be the volume.
pub fn find_device(root: &Root, volume_id: &str) -> Result<Option<Device>, Fault> {
    let mut found =
        devices(root).filter(|device| serial(&device.sysfs).is_some_and(|serial| serial == serial_of(volume_id)));
    match (found.next(), found.next()) {
        (Some(one), Some(other)) => Err(Fault::lasting(format!(
            "both {} and {} say that they are the volume {volume_id}",
            one.name, other.name
        ))),
        (one, _) => Ok(one),
    }
}

/// Waits for the device.
///
/// # Errors
/// When it does not appear.
pub(super) fn await_device(root: &Root, volume_id: &str, deadline: &Deadline) -> Result<Device, Fault> {
    let appearing = deadline.within(APPEARING);
    loop {
        if let Some(device) = find_device(root, volume_id)?.filter(|device| device.path.exists()) {
            return Ok(device);
        }
        if !appearing.pause(LOOK) {
            let serial = serial_of(volume_id);
            return Err(Fault::passing(format!(
                "the volume {volume_id} is attached, but no disk with the serial {serial} appeared"
            )));
        }
    }
}

/// All block devices of the machine that are not hidden parts of others.
pub(super) fn devices(root: &Root) -> impl Iterator<Item = Device> {
    let folders = std::fs::read_dir(root.path("/sys/block")).into_iter().flatten().flatten();
    let visible = folders.filter(|folder| read_word(&folder.path().join("hidden")).is_none_or(|hidden| hidden == "0"));
    visible.map(|folder| {
        let name = folder.file_name().to_string_lossy().into_owned();
        Device { path: root.path("/dev").join(&name), sysfs: folder.path(), name }
    })
}

/// The names of a device's partitions.
pub(super) fn partitions(device: &Device) -> Vec<String> {
    let folders = std::fs::read_dir(&device.sysfs).into_iter().flatten().flatten();
    let partitions = folders.filter(|folder| folder.path().join("partition").exists());
    partitions.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect()
}

fn serial(sysfs: &Path) -> Option<String> {
    read_word(&sysfs.join("device/serial")).or_else(|| read_word(&sysfs.join("serial")))
}

fn serial_of(volume_id: &str) -> String {
    volume_id.replacen('-', "", 1)
}

fn read_word(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "vol-0123456789abcdef0";

    fn root_with(disks: &[(&str, &str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        for (name, file, text) in disks {
            let path = folder.path().join("sys/block").join(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = Root(folder.path().to_owned());
        (folder, root)
    }

    #[test]
    fn nvme_and_virtio_are_found_by_serial() {
        let (_folder, root) = root_with(&[
            ("loop0", "size", "0\n"),
            ("nvme0n1", "device/serial", "vol0aaaaaaaaaaaaaaaa \n"),
            ("nvme1n1", "device/serial", "vol0123456789abcdef0   \n"),
        ]);
        assert_eq!(find_device(&root, ID).unwrap().unwrap().name, "nvme1n1");
        assert_eq!(find_device(&root, "vol-0123456789abcdef1").unwrap(), None);
        let (_folder, root) = root_with(&[("vdb", "serial", "vol0123456789abcdef0")]);
        assert_eq!(find_device(&root, ID).unwrap().unwrap().path, root.path("/dev/vdb"));
    }

    #[test]
    fn two_claims_are_refused_and_hidden_paths_are_no_claim() {
        let twice = [("vdb", "serial", "vol0123456789abcdef0"), ("vdc", "serial", "vol0123456789abcdef0")];
        let (_folder, root) = root_with(&twice);
        assert!(find_device(&root, ID).unwrap_err().sentence.contains("say that they are"));
        let (_folder, root) = root_with(&[twice[0], twice[1], ("vdc", "hidden", "1")]);
        assert_eq!(find_device(&root, ID).unwrap().unwrap().name, "vdb");
    }
}
