//! How a disk is booted: by its kernel directly, which saves the firmware's seconds, or by firmware as on EC2.

use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::esp::Esp;
use ovenbird_disk::gpt;

use crate::engine::Failure;
use crate::engine::Machine;

const LOADER_ENTRIES: &str = "loader/entries/";

/// What a machine starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Boot {
    /// The kernel of the disk's EFI system partition, copied into the machine's folder.
    Kernel(KernelFiles),
    /// UEFI, from the disk's EFI system partition.
    Uefi,
    /// The BIOS, from the disk's first sector.
    Bios,
}

/// A kernel that QEMU loads itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KernelFiles {
    pub(super) kernel: PathBuf,
    pub(super) initrd: Option<PathBuf>,
    /// The kernel's command line.
    pub(super) options: String,
}

impl Boot {
    /// How this machine boots.
    pub(super) fn choose(machine: &Machine) -> Result<Self, Failure> {
        if gpt::find_esp(&machine.root_disk)?.is_none() {
            return Ok(Self::Bios);
        }
        if machine.firmware {
            return Ok(Self::Uefi);
        }
        let esp = Esp::find(&machine.root_disk, 0)?;
        Ok(copy_kernel(machine, &esp)?.map_or(Self::Uefi, Self::Kernel))
    }
}

/// Copies what systemd-boot would start; `None` where the disk has another loader.
fn copy_kernel(machine: &Machine, esp: &Esp) -> Result<Option<KernelFiles>, Failure> {
    let files = esp.list_files()?;
    // systemd-boot takes the last one too, but for boot counting, which nobody uses here.
    let Some(entry) = files.iter().rfind(|file| file.starts_with(LOADER_ENTRIES)) else { return Ok(None) };
    let Some(entry) = Entry::read(&String::from_utf8_lossy(&esp.read(entry)?)) else { return Ok(None) };
    let copy = |path: &str, name: &str| -> Result<PathBuf, Failure> {
        let target = machine.folder.join(name);
        fs::write(&target, esp.read(path.trim_start_matches('/'))?)?;
        Ok(target)
    };
    let initrd = entry.initrd.as_deref().map(|path| copy(path, "initrd")).transpose()?;
    Ok(Some(KernelFiles { kernel: copy(&entry.kernel, "kernel")?, initrd, options: entry.options }))
}

/// An entry of the Boot Loader Specification, type 1.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    kernel: String,
    initrd: Option<String>,
    options: String,
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
            lines.find_map(|(key, value)| (key == name).then(|| value.trim().to_owned()))
        };
        Some(Self { kernel: field("linux")?, initrd: field("initrd"), options: field("options").unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_entry() {
        let text = "title Linux\nlinux /vmlinuz-6.1\n# initrd /old\noptions\troot=PARTUUID=1  quiet \n";
        let expected =
            Entry { kernel: "/vmlinuz-6.1".to_owned(), initrd: None, options: "root=PARTUUID=1  quiet".to_owned() };
        assert_eq!(Entry::read(text), Some(expected));
        assert_eq!(Entry::read("title Windows\nefi /bootmgfw.efi\n"), None);
    }
}
