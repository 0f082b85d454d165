//! Mounts that unmount themselves: a partition of a raw disk, overlays, tmpfs, binds.

use std::ffi::CString;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::mount::UnmountFlags;

use crate::gpt::Partition;
use crate::tool::Tool;
use crate::tool::ToolError;
use crate::wait::wait_even_if_interrupted;

/// Something could not be mounted or unmounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The tool that mounts through a loop device, or trims, failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The target folder cannot be made.
    #[error("cannot make the mount point {}", target.display())]
    Target {
        /// The mount point.
        target: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The kernel refused to mount.
    #[error("cannot mount {what} at {}", target.display())]
    Mount {
        /// What was to be mounted.
        what: String,
        /// The mount point.
        target: PathBuf,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
    /// The kernel refused to unmount.
    #[error("cannot unmount {}; a process may still use it (see: fuser -vm {})", target.display(), target.display())]
    Unmount {
        /// The mount point.
        target: PathBuf,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
}

/// What a mount allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing is written, not even a journal's replay.
    ReadOnly,
    /// Files may change; access times never do (they would change blocks).
    ReadWrite,
}

/// A mount. Dropping it unmounts; lazily, if something still uses it.
#[derive(Debug)]
#[must_use = "it unmounts when dropped"]
pub struct Mount {
    target: PathBuf,
    is_mounted: bool,
}

impl Mount {
    /// A fresh memory file system; `options` as in mount(8): `size=2g,mode=0755`.
    ///
    /// # Errors
    /// [`MountError`] when the target cannot be made or the kernel refuses.
    pub fn tmpfs(target: &Path, options: &str) -> Result<Self, MountError> {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        Self::attach("a memory file system", target, |target| {
            rustix::mount::mount("tmpfs", target, "tmpfs", flags, &*text(options)?)
        })
    }

    /// `source` (a folder with all that is mounted below it) seen at `target` too.
    ///
    /// # Errors
    /// [`MountError`] when the target cannot be made or the kernel refuses.
    pub fn bind(source: &Path, target: &Path) -> Result<Self, MountError> {
        Self::attach(&source.display().to_string(), target, |target| {
            rustix::mount::mount_bind_recursive(source, target)
        })
    }

    /// `upper` over `lower`: reads fall through, writes stay in `upper`. `work` is an empty folder on `upper`'s file system.
    ///
    /// # Errors
    /// [`MountError`] when the target cannot be made or the kernel refuses.
    pub fn overlay(lower: &Path, upper: &Path, work: &Path, target: &Path) -> Result<Self, MountError> {
        let part = |name: &str, path: &Path| format!("{name}={}", escape_overlay_path(path));
        let options = [part("lowerdir", lower), part("upperdir", upper), part("workdir", work)].join(",");
        let what = format!("an overlay of {} and {}", lower.display(), upper.display());
        Self::attach(&what, target, |target| {
            rustix::mount::mount("overlay", target, "overlay", MountFlags::NOATIME, &*text(&options)?)
        })
    }

    fn attach(
        what: &str,
        target: &Path,
        mount: impl FnOnce(&Path) -> rustix::io::Result<()>,
    ) -> Result<Self, MountError> {
        ensure_target(target)?;
        mount(target).map_err(|source| MountError::Mount {
            what: what.to_owned(),
            target: target.to_owned(),
            source: source.into(),
        })?;
        Ok(Self { target: target.to_owned(), is_mounted: true })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Unmounts, and tells if that is not possible. A process that is just ending gets a moment to let go.
    ///
    /// # Errors
    /// [`MountError::Unmount`]; the mount is then detached, and ends with its last user.
    pub fn unmount(mut self) -> Result<(), MountError> {
        let unmount = || match rustix::mount::unmount(&self.target, UnmountFlags::empty()) {
            Err(Errno::BUSY) => None,
            other => Some(other),
        };
        let result = wait_even_if_interrupted(Duration::from_secs(2), Duration::from_millis(20), unmount)
            .unwrap_or(Err(Errno::BUSY));
        self.is_mounted = result.is_err();
        result.map_err(|source| MountError::Unmount { target: self.target.clone(), source: source.into() })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.is_mounted && rustix::mount::unmount(&self.target, UnmountFlags::empty()).is_err() {
            _ = rustix::mount::unmount(&self.target, UnmountFlags::DETACH);
        }
    }
}

/// A partition of a raw disk, mounted through a loop device that the kernel frees with the mount (autoclear).
#[derive(Debug)]
#[must_use = "it unmounts when dropped"]
pub struct LoopMount {
    mount: Mount,
}

impl LoopMount {
    /// Mounts `partition` of the raw `disk` at `target`, which is made if it is missing.
    ///
    /// # Errors
    /// [`MountError`] when the target cannot be made, no loop device is free, or the file system cannot be mounted.
    pub fn ensure(disk: &Path, partition: &Partition, target: &Path, access: Access) -> Result<Self, MountError> {
        ensure_target(target)?;
        let access = match access {
            Access::ReadOnly => "ro",
            Access::ReadWrite => "rw,noatime",
        };
        let place = format!("loop,offset={},sizelimit={}", partition.start, partition.size);
        Tool::new("mount")
            .doing(format!("mount partition {} of {} at {}", partition.number, disk.display(), target.display()))
            .args(["-o", &format!("{place},{access}")])
            .args([disk, target])
            .deadline(Duration::from_secs(60))
            .run()?;
        Ok(Self { mount: Mount { target: target.to_owned(), is_mounted: true } })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn target(&self) -> &Path {
        self.mount.target()
    }

    /// Gives the file system's free space back to the disk file as holes; returns how many bytes it trimmed.
    ///
    /// # Errors
    /// [`MountError::Tool`] when fstrim fails.
    pub fn trim(&self) -> Result<u64, MountError> {
        let output = Tool::new("fstrim")
            .doing(format!("give back the free space of {}", self.target().display()))
            .arg("-v")
            .arg(self.target())
            .run()?;
        Ok(trimmed_bytes(&output.text()))
    }

    /// Unmounts, and tells if that is not possible.
    ///
    /// # Errors
    /// As [`Mount::unmount`].
    pub fn unmount(self) -> Result<(), MountError> {
        self.mount.unmount()
    }
}

fn ensure_target(target: &Path) -> Result<(), MountError> {
    fs::create_dir_all(target).map_err(|source| MountError::Target { target: target.to_owned(), source })
}

fn text(options: &str) -> Result<CString, Errno> {
    CString::new(options).map_err(|_| Errno::INVAL)
}

/// In overlayfs options a comma ends a path, a colon a layer, and a backslash quotes the next character.
fn escape_overlay_path(path: &Path) -> String {
    let mut escaped = String::new();
    for character in path.to_string_lossy().chars() {
        if matches!(character, '\\' | ',' | ':') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Reads `/mnt: 3.3 GiB (3543154688 bytes) trimmed`.
fn trimmed_bytes(said: &str) -> u64 {
    let number = said.rsplit_once('(').and_then(|(_, rest)| rest.split_once(" bytes"));
    number.and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_fstrim_says() {
        assert_eq!(trimmed_bytes("/mnt: 3.3 GiB (3543154688 bytes) trimmed"), 3_543_154_688);
        assert_eq!(trimmed_bytes("/mnt (odd): 0 B (0 bytes) trimmed"), 0);
        assert_eq!(trimmed_bytes("nonsense"), 0);
    }

    #[test]
    fn paths_in_overlay_options_are_quoted() {
        assert_eq!(escape_overlay_path(Path::new("/a,b:c\\d")), "/a\\,b\\:c\\\\d");
    }
}
