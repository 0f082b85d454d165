//! A disk that is not whole yet.

use std::path::Path;
use std::path::PathBuf;

use super::shelf::EXTENSION_OF_HALF;
use super::shelf::is_at;
use crate::remote::note_of;

/// A disk on its way into the cache.
pub(super) enum Arriving {
    /// One that the next bake goes on with if this one does not come to its end.
    Shared { path: PathBuf, _held: std::fs::File },
    /// Another bake fetches the same just now: one of our own, that goes with us.
    Own(tempfile::TempPath),
}

impl Arriving {
    pub(super) fn begin(folder: &Path, snapshot: &str) -> std::io::Result<Self> {
        let path = arriving_path(folder, snapshot);
        let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(&path)?.into_parts().0;
        // The other may have made it whole between our opening and our locking it: then the name leads elsewhere.
        if file.try_lock().is_ok() && is_at(&file, &path) {
            return Ok(Self::Shared { path, _held: file });
        }
        let own = tempfile::Builder::new()
            .prefix(&format!("{snapshot}."))
            .suffix(&format!(".{EXTENSION_OF_HALF}"))
            .tempfile_in(folder)?;
        Ok(Self::Own(own.into_temp_path()))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Shared { path, .. } => path,
            Self::Own(path) => path,
        }
    }

    /// After a failure the next bake goes on with it; a bake that was asked to end leaves nothing.
    pub(super) fn leave(self, is_asked: bool) -> std::io::Result<()> {
        let is_kept = matches!(self, Self::Shared { .. }) && !is_asked;
        if is_kept {
            return Ok(());
        }
        for path in [note_of(self.path()), self.path().to_owned()].into_iter().filter(|path| path.exists()) {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    /// It is whole, also after a crash of the machine.
    pub(super) fn keep_as(self, whole: &Path) -> std::io::Result<()> {
        fs_err::File::open(self.path())?.sync_data()?;
        match self {
            Self::Shared { path, .. } => fs_err::rename(path, whole),
            Self::Own(path) => path.persist(whole).map_err(|error| error.error),
        }
    }
}

pub(super) fn arriving_path(folder: &Path, snapshot: &str) -> PathBuf {
    folder.join(format!("{snapshot}.{EXTENSION_OF_HALF}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_on_its_way_is_gone_on_with_by_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = folder.path().join("snap-1.raw");
        let first = Arriving::begin(folder.path(), "snap-1").expect("begun");
        let second = Arriving::begin(folder.path(), "snap-1").expect("begun");
        assert_eq!(first.path(), arriving_path(folder.path(), "snap-1"));
        assert_ne!(second.path(), first.path(), "the first is at it");
        fs_err::write(first.path(), "half").expect("written");
        fs_err::write(note_of(second.path()), "noted").expect("written");
        second.leave(false).expect("left");
        first.leave(false).expect("left");
        let names = || fs_err::read_dir(folder.path()).expect("readable").count();
        assert_eq!(names(), 1, "one's own goes, the shared one stays");

        let third = Arriving::begin(folder.path(), "snap-1").expect("begun");
        assert_eq!(fs_err::read_to_string(third.path()).expect("read"), "half");
        third.leave(true).expect("left");
        assert_eq!(names(), 0, "who is asked to end leaves nothing");
        Arriving::begin(folder.path(), "snap-1").expect("begun").keep_as(&whole).expect("kept");
        assert!(whole.exists() && names() == 1);
    }
}
