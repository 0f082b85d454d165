//! A disk that is being copied while the play over it runs: the play sees the original, and only what it did is written to the copy.

use std::path::Path;
use std::thread::JoinHandle;

use ovenbird_disk::blocks;

use crate::error::BakeError;
use crate::error::working;

/// How far it stands back behind others.
const NICENESS: i32 = 10;

/// A copy under way. Dropping it waits for its end.
pub(crate) struct Copying {
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Copying {
    /// Begins to copy the disk `from`.
    pub(crate) fn start(from: &Path, to: &Path) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        Self { thread: Some(std::thread::spawn(move || copy(&from, &to))) }
    }

    /// The copy is whole.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn end(mut self) -> Result<(), BakeError> {
        let ended = self.thread.take().map_or(Ok(()), join);
        ended.map_err(working("copy the disk that is baked over"))
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        // Nobody needs the copy any more, and it is removed next.
        _ = self.thread.take().map(join);
    }
}

fn join(thread: JoinHandle<std::io::Result<()>>) -> std::io::Result<()> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    // There is time until the play ends, and Ansible is being loaded. In Linux this is the thread's own.
    _ = rustix::process::nice(NICENESS);
    blocks::copy_sparse(from, to)?;
    // Whoever mounts it would wait for that.
    fs_err::File::open(to)?.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_whole_at_its_end_and_says_why_it_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs_err::write(&from, "disk").expect("written");
        Copying::start(&from, &to).end().expect("copied");
        assert_eq!(fs_err::read_to_string(&to).expect("there"), "disk");
        let error = Copying::start(&dir.path().join("gone"), &to).end().expect_err("nothing to copy").to_string();
        assert!(error.contains("copy the disk"), "{error}");
    }
}
