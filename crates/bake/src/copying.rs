//! A disk that is being copied while the play over it runs: the play sees the original, and only what it did is written to the copy.

use std::path::Path;
use std::thread::JoinHandle;

use ovenbird_core::block::BlockMap;
use ovenbird_disk::blocks;

use crate::disks::KeptDisk;
use crate::error::BakeError;
use crate::error::working;

/// How far it stands back behind others.
const NICENESS: i32 = 10;

/// A copy under way. Dropping it waits for its end.
pub(crate) struct Copying {
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Copying {
    /// Begins to copy the disk `from`, over the one that is at `to` and holds `held`, if there is one.
    pub(crate) fn start(from: KeptDisk, to: &Path, held: Option<BlockMap>) -> Self {
        let to = to.to_owned();
        Self { thread: Some(std::thread::spawn(move || copy(&from, &to, held.as_ref()))) }
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

fn copy(from: &KeptDisk, to: &Path, held: Option<&BlockMap>) -> std::io::Result<()> {
    // There is time until the play ends, and Ansible is being loaded. In Linux this is the thread's own.
    _ = rustix::process::nice(NICENESS);
    match held {
        Some(held) => blocks::copy_over(&from.path, &from.map, to, held)?,
        None => blocks::copy_sparse(&from.path, to)?,
    }
    // Whoever mounts it would wait for that.
    fs_err::File::open(to)?.sync_data()
}

#[cfg(test)]
mod tests {
    use ovenbird_core::block::BLOCK_SIZE;

    use super::*;

    #[test]
    fn is_whole_at_its_end_and_says_why_it_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("from.raw"), dir.path().join("to.raw"));
        let file = blocks::create_sparse(&from, 4 * BLOCK_SIZE).expect("made");
        blocks::write_block(file.file(), 2, &vec![1; 512 * 1024]).expect("written");
        let kept = KeptDisk::of_test("snap-1", &from, blocks::scan(&from).expect("scanned"));
        Copying::start(kept.clone(), &to, None).end().expect("copied");
        assert_eq!(blocks::scan(&to).expect("scanned"), kept.map);

        // What is said to be there is left as it is.
        let over = dir.path().join("over.raw");
        drop(blocks::create_sparse(&over, 4 * BLOCK_SIZE).expect("made"));
        Copying::start(kept.clone(), &over, Some(kept.map.clone())).end().expect("copied");
        assert_eq!(blocks::scan(&over).expect("scanned").blocks.len(), 0);
        let held = blocks::scan(&over).expect("scanned");
        Copying::start(kept.clone(), &over, Some(held)).end().expect("copied");
        assert_eq!(blocks::scan(&over).expect("scanned"), kept.map);

        fs_err::remove_file(&from).expect("removed");
        let error = Copying::start(kept, &to, None).end().expect_err("nothing to copy").to_string();
        assert!(error.contains("copy the disk"), "{error}");
    }
}
