//! What is on a device, as far as libblkid can tell. That it finds nothing does not mean that nothing is there: see `blank.rs`.

use crate::fault::Fault;
use crate::settings::Root;
use crate::spawn::Tool;
use crate::time::Deadline;

use super::find::Device;
use super::find::devices;
use super::find::partitions;

/// What a probe says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file system that can be mounted.
    Filesystem(Found),
    /// Something that is no file system, in words with its article.
    Other(String),
    /// Nothing that libblkid knows.
    Nothing,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Such as `ext4`.
    pub kind: String,
    /// Its UUID, if it has one.
    pub uuid: Option<String>,
}

impl Found {
    /// Whether the tools of ext4 take it.
    #[must_use]
    pub fn is_ext(&self) -> bool {
        matches!(self.kind.as_str(), "ext2" | "ext3" | "ext4")
    }
}

/// Probes a device itself, past blkid's cache.
///
/// # Errors
/// When the probe finds two things at once, or fails.
pub fn probe(device: &Device, deadline: &Deadline) -> Result<Content, Fault> {
    let path = device.path.display();
    let output = Tool::new("blkid").args(["-p", "-o", "export"]).arg(&device.path).run(deadline)?;
    match output.code {
        Some(0) => Ok(read_export(&output.stdout)),
        // Also what it answers when it could not read; `blank.rs` reads for itself.
        Some(2) => Ok(Content::Nothing),
        Some(8) => Err(Fault::lasting(format!("{path} looks like two file systems at once; it is left as it is"))),
        _ => Err(Fault::passing(format!("blkid failed on {path}: {}", output.last_words()))),
    }
}

fn read_export(text: &str) -> Content {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned);
    match (value("USAGE").as_deref(), value("TYPE"), value("PTTYPE")) {
        (Some("filesystem"), Some(kind), _) => Content::Filesystem(Found { kind, uuid: value("UUID") }),
        (_, Some(kind), _) => Content::Other(format!("a {kind}")),
        (_, None, Some(table)) => Content::Other(format!("a partition table ({table})")),
        (_, None, None) => Content::Other("something that blkid has no name for".to_owned()),
    }
}

/// Makes sure that no other disk has the same file system UUID: two copies of one snapshot do, and the wrong one gets mounted
/// (EC2 User Guide, "Instance boots from the wrong volume").
///
/// # Errors
/// When another disk or partition has it.
pub(super) fn verify_unique(root: &Root, device: &Device, found: &Found, deadline: &Deadline) -> Result<(), Fault> {
    let Some(uuid) = &found.uuid else { return Ok(()) };
    for other in devices(root).filter(|other| other.name != device.name) {
        let names = std::iter::once(other.name.clone()).chain(partitions(&other));
        for node in names.map(|name| root.path("/dev").join(name)).filter(|node| node.exists()) {
            let output = Tool::new("blkid").args(["-p", "-s", "UUID", "-o", "value"]).arg(&node).run(deadline)?;
            if output.code == Some(0) && output.stdout.trim() == uuid {
                return Err(Fault::lasting(format!(
                    "the file system on {} has the same UUID as the one on {}: they are copies of each other, and only one may be mounted",
                    device.path.display(),
                    node.display()
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_system_is_one() {
        let ext4 = "DEVNAME=/dev/x\nUUID=1234\nVERSION=1.0\nTYPE=ext4\nUSAGE=filesystem\n";
        let found = Found { kind: "ext4".to_owned(), uuid: Some("1234".to_owned()) };
        assert_eq!(read_export(ext4), Content::Filesystem(found));
        assert_eq!(read_export("TYPE=LVM2_member\nUSAGE=raid\n"), Content::Other("a LVM2_member".to_owned()));
        assert_eq!(read_export("TYPE=crypto_LUKS\nUSAGE=crypto\n"), Content::Other("a crypto_LUKS".to_owned()));
        assert_eq!(read_export("PTTYPE=gpt\nPTUUID=1\n"), Content::Other("a partition table (gpt)".to_owned()));
    }
}
