//! The kernel that a disk boots: systemd-boot reads it from the EFI system partition, dpkg installs it into `/boot`.
//!
//! vfat is no part of every kernel, so nothing inside an image can be trusted to keep the two alike: whoever changes
//! the root calls [`refresh_esp`], and a lint asks [`has_newest_kernel`].

use std::cmp::Ordering;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

use crate::esp::Esp;
use crate::esp::EspError;
use crate::gpt;

/// Where systemd-boot is told what to boot.
pub const ENTRY: &str = "loader/entries/linux.conf";

/// A kernel that is installed in a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// As in `uname -r`: `6.1.0-56-cloud-amd64`.
    pub version: String,
    /// Its file below the root's `/boot`, on this machine.
    pub image: PathBuf,
    /// Its initial RAM disk, if there is one.
    pub initrd: Option<PathBuf>,
}

/// What [`refresh_esp`] found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The EFI system partition holds the newest kernel now; it did not before.
    Replaced(String),
    /// It held the newest kernel already.
    Current(String),
    /// The disk does not boot from [`ENTRY`] (it has GRUB, or no EFI system partition), or its root has no kernel: nothing to do.
    NotOurs,
}

/// What went wrong between the root and the EFI system partition.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The root's `/boot` cannot be read.
    #[error("cannot read the kernels in {}", boot.display())]
    Boot {
        /// The folder.
        boot: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The EFI system partition cannot be read or written.
    #[error(transparent)]
    Esp(#[from] EspError),
}

/// The newest kernel installed in the `root` (a folder on this machine); `None` when it has none.
///
/// # Errors
/// [`KernelError::Boot`] when its `/boot` cannot be read.
pub fn find_newest_kernel(root: &Path) -> Result<Option<Kernel>, KernelError> {
    let boot = root.join("boot");
    if !boot.exists() {
        return Ok(None);
    }
    let mut versions = Vec::new();
    for entry in fs::read_dir(&boot).map_err(boot_error(&boot))? {
        let name = entry.map_err(boot_error(&boot))?.file_name();
        versions.extend(name.to_string_lossy().strip_prefix("vmlinuz-").map(str::to_owned));
    }
    Ok(versions.into_iter().max_by(|a, b| compare_versions(a, b)).map(|version| Kernel {
        image: boot.join(format!("vmlinuz-{version}")),
        initrd: Some(boot.join(format!("initrd.img-{version}"))).filter(|initrd| initrd.exists()),
        version,
    }))
}

/// Writes `kernel` and a loader entry for it to the EFI system partition; `options` is the kernel's command line.
///
/// # Errors
/// [`KernelError`] when the kernel cannot be read or the partition not written.
pub fn put_kernel(esp: &Esp, kernel: &Kernel, options: &str) -> Result<(), KernelError> {
    let image = format!("vmlinuz-{}", kernel.version);
    esp.write_file(&image, open(&kernel.image)?)?;
    let mut entry = format!("title Linux\nversion {}\nlinux /{image}\n", kernel.version);
    if let Some(initrd) = &kernel.initrd {
        let name = format!("initrd.img-{}", kernel.version);
        esp.write_file(&name, open(initrd)?)?;
        entry += &format!("initrd /{name}\n");
    }
    // The entry comes last: until it is there, the old kernel boots.
    esp.write(ENTRY, format!("{entry}options {options}\n").as_bytes())?;
    Ok(())
}

/// Makes the EFI system partition of `disk` boot the newest kernel of its `root` (mounted, or an overlay of it), with the
/// options that it has now, and removes the kernels that it boots no more. New files are dated `epoch`.
///
/// # Errors
/// [`KernelError`] when one of them cannot be read or written.
pub fn refresh_esp(disk: &Path, root: &Path, epoch: u64) -> Result<Refresh, KernelError> {
    let Some((esp, entry, kernel)) = find_both(disk, root, epoch)? else { return Ok(Refresh::NotOurs) };
    if is_current(&esp, &entry, &kernel)? {
        return Ok(Refresh::Current(kernel.version));
    }
    put_kernel(&esp, &kernel, entry_field(&entry, "options").unwrap_or_default())?;
    for file in esp.list_files()? {
        let version = file.strip_prefix("vmlinuz-").or_else(|| file.strip_prefix("initrd.img-"));
        if version.is_some_and(|version| version != kernel.version) {
            esp.remove(&file)?;
        }
    }
    Ok(Refresh::Replaced(kernel.version))
}

/// Whether the EFI system partition of `disk` boots the newest kernel of `root`, byte for byte; `None` when the disk
/// does not boot that way.
///
/// # Errors
/// [`KernelError`] when one of them cannot be read.
pub fn has_newest_kernel(disk: &Path, root: &Path) -> Result<Option<bool>, KernelError> {
    let Some((esp, entry, kernel)) = find_both(disk, root, 0)? else { return Ok(None) };
    is_current(&esp, &entry, &kernel).map(Some)
}

fn find_both(disk: &Path, root: &Path, epoch: u64) -> Result<Option<(Esp, String, Kernel)>, KernelError> {
    if gpt::find_esp(disk).map_err(EspError::from)?.is_none() {
        return Ok(None);
    }
    let esp = Esp::find(disk, epoch)?;
    if !esp.list_files()?.iter().any(|file| file == ENTRY) {
        return Ok(None);
    }
    let entry = String::from_utf8_lossy(&esp.read(ENTRY)?).into_owned();
    Ok(find_newest_kernel(root)?.map(|kernel| (esp, entry, kernel)))
}

fn is_current(esp: &Esp, entry: &str, kernel: &Kernel) -> Result<bool, KernelError> {
    let pairs =
        [(entry_field(entry, "linux"), Some(&kernel.image)), (entry_field(entry, "initrd"), kernel.initrd.as_ref())];
    let files = esp.list_files()?;
    for (on_esp, in_root) in pairs {
        match (on_esp.map(|path| path.trim_start_matches('/')), in_root) {
            (None, None) => {}
            (Some(path), Some(file)) if files.iter().any(|known| known == path) => {
                if !is_same(esp, path, file)? {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Compared piece by piece: a kernel and its initial RAM disk have tens of MiB.
fn is_same(esp: &Esp, path: &str, file: &Path) -> Result<bool, KernelError> {
    let mut wanted = open(file)?;
    let length = wanted.metadata().map_err(boot_error(file))?.len();
    let (mut end, mut same, mut buffer) = (0, Ok(true), Vec::new());
    esp.read_pieces(path, |piece| {
        end += piece.len() as u64;
        if matches!(same, Ok(true)) && end <= length {
            buffer.resize(piece.len(), 0);
            same = wanted.read_exact(&mut buffer).map(|()| buffer == piece);
        }
    })?;
    Ok(same.map_err(boot_error(file))? && end == length)
}

fn open(file: &Path) -> Result<fs::File, KernelError> {
    fs::File::open(file).map_err(boot_error(file))
}

fn boot_error(boot: &Path) -> impl Fn(io::Error) -> KernelError {
    move |source| KernelError::Boot { boot: boot.to_owned(), source }
}

fn entry_field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = entry.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    fields.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

/// Compares kernel versions as people read them: runs of digits as numbers, the rest as text.
fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let (left_text, left_number, left_rest) = split_number(left);
        let (right_text, right_number, right_rest) = split_number(right);
        let order = left_text.cmp(right_text).then(left_number.cmp(&right_number));
        if order.is_ne() || (left_rest.is_empty() && right_rest.is_empty()) {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

/// The text before the first number, that number (0 when there is none), and the rest.
fn split_number(version: &str) -> (&str, u64, &str) {
    let start = version.find(|c: char| c.is_ascii_digit()).unwrap_or(version.len());
    let (text, rest) = version.split_at(start);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    (text, digits.parse().unwrap_or(0), rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_newest_kernel_is_the_one_that_people_would_name() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(find_newest_kernel(root.path()).unwrap(), None);
        fs::create_dir(root.path().join("boot")).unwrap();
        assert_eq!(find_newest_kernel(root.path()).unwrap(), None);
        for name in
            ["vmlinuz-6.1.0-9-cloud-amd64", "vmlinuz-6.1.0-56-cloud-amd64", "vmlinuz-5.10.0-99-amd64", "config-7.0"]
        {
            fs::write(root.path().join("boot").join(name), "").unwrap();
        }
        let kernel = find_newest_kernel(root.path()).unwrap().unwrap();
        assert_eq!((kernel.version.as_str(), kernel.initrd), ("6.1.0-56-cloud-amd64", None));
    }

    #[test]
    fn fields_of_a_loader_entry() {
        let entry = "title Linux\nlinux /vmlinuz-1\noptions root=PARTUUID=1 console=ttyS0\n";
        assert_eq!(entry_field(entry, "options"), Some("root=PARTUUID=1 console=ttyS0"));
        assert_eq!(entry_field(entry, "initrd"), None);
    }

    proptest! {
        #[test]
        fn comparing_versions_is_an_order(a in "[0-9.a-]{0,8}", b in "[0-9.a-]{0,8}", c in "[0-9.a-]{0,8}") {
            prop_assert_eq!(compare_versions(&a, &b), compare_versions(&b, &a).reverse());
            prop_assert_eq!(compare_versions(&a, &a), Ordering::Equal);
            if compare_versions(&a, &b).is_le() && compare_versions(&b, &c).is_le() {
                prop_assert!(compare_versions(&a, &c).is_le());
            }
        }
    }
}
