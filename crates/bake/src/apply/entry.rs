//! Everything of an entry but a plain file's content.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;
use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::Timespec;
use rustix::fs::Timestamps;

use crate::tree::Kind;
use crate::tree::kind_of;
use crate::xattr;

/// Whether a link or a device is what the upper has, but for attributes.
pub(super) fn is_same(upper: &Path, target: &Path, is: &Metadata) -> io::Result<bool> {
    if kind_of(is) == Kind::Link {
        return Ok(fs::read_link(upper)? == fs::read_link(target)?);
    }
    Ok(fs::symlink_metadata(target)?.rdev() == is.rdev())
}

/// Makes a link, pipe, socket or device, when it is not there yet. `Some` when it did.
pub(super) fn make(upper: &Path, target: &Path, is: &Metadata, new: bool) -> io::Result<Option<u64>> {
    if !new {
        return Ok(None);
    }
    if kind_of(is) == Kind::Link {
        std::os::unix::fs::symlink(fs::read_link(upper)?, target)?;
    } else {
        let kind = FileType::from_raw_mode(is.mode());
        rustix::fs::mknodat(CWD, target, kind, Mode::from_raw_mode(is.mode()), is.rdev())?;
    }
    Ok(Some(0))
}

/// Gives the target the owner, mode, attributes and time of `is`. Changes only what differs; true when something did.
pub(super) fn settle(upper: &Path, target: &Path, is: &Metadata, epoch: i64) -> io::Result<bool> {
    let was = fs::symlink_metadata(target)?;
    let mut changed = false;
    if (was.uid(), was.gid()) != (is.uid(), is.gid()) {
        std::os::unix::fs::lchown(target, Some(is.uid()), Some(is.gid()))?;
        changed = true;
    }
    // After the owner: changing that takes the set-id bits away. A link's mode means nothing.
    let mode = if changed { fs::symlink_metadata(target)?.mode() } else { was.mode() };
    if mode != is.mode() && kind_of(is) != Kind::Link {
        rustix::fs::chmod(target, Mode::from_raw_mode(is.mode()))?;
        changed = true;
    }
    // After the owner, which takes file capabilities away.
    let attributes = xattr::list(upper)?;
    if xattr::list(target)? != attributes {
        xattr::put_all(target, &attributes)?;
        changed = true;
    }
    let wanted = if is.mtime() > epoch { (epoch, 0) } else { (is.mtime(), is.mtime_nsec()) };
    if changed || (was.mtime(), was.mtime_nsec()) != wanted {
        let time = Timespec { tv_sec: wanted.0, tv_nsec: wanted.1 };
        let times = Timestamps { last_access: time, last_modification: time };
        rustix::fs::utimensat(CWD, target, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        changed = true;
    }
    Ok(changed)
}
