//! Writing a layer to a disk: the upper folder of an overlay becomes part of the file system below it.
//!
//! The result is the tree that the overlay showed, with as few blocks of the disk changed as can be (reference offline.md 4.4):
//! entries in sorted order; a file that is the same is left alone; of one that is not, only the 4 KiB pages that differ are written,
//! in place, so that its inode and extents stay; times later than the bake's epoch become the epoch.

mod content;
mod entry;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

use self::content::Copier;
use crate::tree::Kind;
use crate::tree::kind_of;
use crate::tree::read_entry;
use crate::xattr;

/// A layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file could not be read or written.
    #[error("could not write the layer to the disk")]
    File(#[from] io::Error),
    /// The overlay was mounted with options under which an upper is not whole.
    #[error("{} has the attribute {attribute}: the layer was made with redirect_dir or metacopy, and cannot be written to a disk", path.display())]
    NotWhole {
        /// The entry in the upper folder.
        path: PathBuf,
        /// The attribute.
        attribute: String,
    },
}

/// What was done to the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Entries that were made.
    pub created: u64,
    /// Entries whose content or attributes were changed in place.
    pub changed: u64,
    /// Entries that were there already just so.
    pub same: u64,
    /// Entries that were removed; a folder counts once.
    pub removed: u64,
    /// Bytes of content that were written.
    pub written: u64,
}

/// Writes `upper` to `target`, a writable file system that holds what was below it. Times after `epoch` (seconds since 1970) become it.
///
/// # Errors
/// [`ApplyError`]. The target is then something between both, and must be thrown away.
pub fn apply(upper: &Path, target: &Path, epoch: i64) -> Result<Applied, ApplyError> {
    let mut run = Run { epoch, links: BTreeMap::new(), copier: Copier::new(), applied: Applied::default() };
    let root = (fs::symlink_metadata(upper)?, fs::symlink_metadata(target)?);
    run.folder(upper, target, &root.0, Some(&root.1), is_opaque(upper)?)?;
    Ok(run.applied)
}

/// The state of one application.
struct Run {
    epoch: i64,
    /// Where the first name of a file with several went, by device and inode in the upper.
    links: BTreeMap<(u64, u64), PathBuf>,
    copier: Copier,
    applied: Applied,
}

impl Run {
    /// A folder and what is in it. `opaque`: nothing of what the target has there shows through, so it goes.
    fn folder(
        &mut self,
        upper: &Path,
        target: &Path,
        is: &Metadata,
        was: Option<&Metadata>,
        opaque: bool,
    ) -> Result<(), ApplyError> {
        let new = was.is_none();
        if new {
            fs::create_dir(target)?;
        }
        let names = sorted_names(upper)?;
        if opaque && !new {
            for name in sorted_names(target)?.into_iter().filter(|name| names.binary_search(name).is_err()) {
                self.remove(&target.join(name))?;
            }
        }
        for name in &names {
            self.entry(&upper.join(name), &target.join(name), opaque || new)?;
        }
        // Last, since every entry above may have touched the folder's time.
        let changed = entry::settle(upper, target, is, self.epoch)?;
        self.count(new, changed);
        Ok(())
    }

    fn entry(&mut self, upper: &Path, target: &Path, opaque: bool) -> Result<(), ApplyError> {
        let is = fs::symlink_metadata(upper)?;
        let mut was = find(target)?;
        let kind = kind_of(&is);
        if kind == Kind::CharacterDevice && is.rdev() == 0 {
            // A whiteout; of something that only an overlay layer in between had, if there is nothing.
            return if was.is_some() { self.remove(target) } else { Ok(()) };
        }
        ensure_whole(upper)?;
        if was.as_ref().is_some_and(|was| kind_of(was) != kind) {
            self.remove(target)?;
            was = None;
        }
        if kind == Kind::Folder {
            let opaque = opaque || is_opaque(upper)?;
            return self.folder(upper, target, &is, was.as_ref(), opaque);
        }
        if self.link(&is, target, was.as_ref())? {
            return Ok(());
        }
        if was.as_ref().is_some_and(|was| was.nlink() > 1) && read_entry(upper)? == read_entry(target)? {
            self.count(false, false);
            return Ok(());
        }
        // A file that has other names in the target is another file from now on: those must keep what they have.
        if was.as_ref().is_some_and(|was| was.nlink() > 1)
            || (kind != Kind::File && was.is_some() && !entry::is_same(upper, target, &is)?)
        {
            self.remove(target)?;
            was = None;
        }
        let new = was.is_none();
        let written = if kind == Kind::File {
            self.copier.put(upper, target, new)?
        } else {
            entry::make(upper, target, &is, new)?
        };
        self.applied.written += written.unwrap_or_default();
        let changed = entry::settle(upper, target, &is, self.epoch)?;
        self.count(new, changed || written.is_some());
        Ok(())
    }

    /// Makes a further name of a file whose first name is in place. True when that was it.
    fn link(&mut self, is: &Metadata, target: &Path, was: Option<&Metadata>) -> Result<bool, ApplyError> {
        if is.nlink() < 2 {
            return Ok(false);
        }
        let key = (is.dev(), is.ino());
        let Some(first) = self.links.get(&key).cloned() else {
            self.links.insert(key, target.to_owned());
            return Ok(false);
        };
        let first_is = fs::symlink_metadata(&first)?;
        if was.is_some_and(|was| (was.dev(), was.ino()) == (first_is.dev(), first_is.ino())) {
            self.count(false, false);
            return Ok(true);
        }
        if was.is_some() {
            self.remove(target)?;
        }
        fs::hard_link(first, target)?;
        self.count(true, true);
        Ok(true)
    }

    fn remove(&mut self, target: &Path) -> Result<(), ApplyError> {
        if fs::symlink_metadata(target)?.is_dir() {
            fs::remove_dir_all(target)?;
        } else {
            fs::remove_file(target)?;
        }
        self.applied.removed += 1;
        Ok(())
    }

    const fn count(&mut self, new: bool, changed: bool) {
        let applied = &mut self.applied;
        match (new, changed) {
            (true, _) => applied.created += 1,
            (false, true) => applied.changed += 1,
            (false, false) => applied.same += 1,
        }
    }
}

fn find(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sorted_names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn is_opaque(folder: &Path) -> io::Result<bool> {
    Ok(xattr::get(folder, b"trusted.overlay.opaque")?.as_deref() == Some(b"y"))
}

fn ensure_whole(upper: &Path) -> Result<(), ApplyError> {
    let names = xattr::names(upper)?;
    let partial = ["trusted.overlay.redirect", "trusted.overlay.metacopy"];
    match partial.into_iter().find(|attribute| names.iter().any(|name| name == attribute.as_bytes())) {
        Some(attribute) => Err(ApplyError::NotWhole { path: upper.to_owned(), attribute: attribute.to_owned() }),
        None => Ok(()),
    }
}
