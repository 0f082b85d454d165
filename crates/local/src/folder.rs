//! The state folder: where everything is, and who holds it.

use std::fs::File;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::FlockOperation;

use crate::failure::Answer;

/// The paths of a state folder.
#[derive(Clone, Debug)]
pub(crate) struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    /// The state folder at `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes what is missing of it.
    pub(crate) fn ensure(&self) -> Answer<()> {
        for folder in [self.root.clone(), self.volumes(), self.instances()] {
            fs_err::create_dir_all(folder)?;
        }
        Ok(())
    }

    /// Where a running daemon says how to reach it.
    pub(crate) fn endpoint(&self) -> PathBuf {
        self.root.join("endpoint.json")
    }

    pub(crate) fn secret(&self) -> PathBuf {
        self.root.join("secret")
    }

    pub(crate) fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue.sqlite")
    }

    pub(crate) fn blocks(&self) -> PathBuf {
        self.root.join("blocks")
    }

    pub(crate) fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// The raw file of a volume.
    pub(crate) fn volume(&self, id: &str) -> PathBuf {
        self.volumes().join(format!("{id}.raw"))
    }

    pub(crate) fn instances(&self) -> PathBuf {
        self.root.join("instances")
    }

    /// The folder of an instance: its console and what its engine keeps.
    pub(crate) fn instance(&self, id: &str) -> PathBuf {
        self.instances().join(id)
    }

    /// Takes the folder for this process; it is free again when the lock is dropped, or the process ends.
    pub(crate) fn lock(&self) -> std::io::Result<FolderLock> {
        let path = self.root.join("lock");
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            return Err(std::io::Error::other(format!(
                "another daemon holds {}: process {}; stop it with `ovenbird local down`, or use another state folder",
                self.root.display(),
                holder.trim(),
            )));
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(FolderLock { _file: file })
    }
}

/// The right to use a state folder.
pub(crate) struct FolderLock {
    _file: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_process_holds_it() {
        let temporary = tempfile::tempdir().expect("folder");
        let folder = StateFolder::new(temporary.path());
        let held = folder.lock().expect("free");
        let refused = folder.lock().map(drop).expect_err("held").to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        folder.lock().expect("free again");
    }
}
