//! The journal of an ext4 file system, kept as it was while the file system is written to.
//!
//! After a clean unmount the journal holds nothing that counts, but every write went through it, so its blocks differ. Put back,
//! they are not among a layer's changed blocks. (reference offline.md 4.4)

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::blocks;
use crate::gpt::Partition;
use crate::tool::Tool;
use crate::tool::ToolError;
use crate::wait::wait_even_if_interrupted;

/// Where the superblock lies in the file system, and what it says where (kernel documentation, ext4 "Super Block").
const SUPERBLOCK: u64 = 1024;
const LOG_BLOCK_SIZE: usize = 0x18;
const MAGIC: usize = 0x38;
const COMPATIBLE: usize = 0x5c;
const INCOMPATIBLE: usize = 0x60;
const HAS_JOURNAL: u32 = 0x4;
const NEEDS_RECOVERY: u32 = 0x4;
const EXT_MAGIC: u16 = 0xef53;
/// How long whoever still holds the file system may take to let go.
const LET_GO: Duration = Duration::from_secs(10);
/// Bytes that are moved at a time.
const CHUNK: u64 = 1 << 20;

/// Why a journal could not be kept or put back.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file cannot be read or written.
    #[error("cannot keep the journal of {}", disk.display())]
    Io {
        /// The disk.
        disk: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// debugfs did not say where the journal is.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The file system was not unmounted, so its journal still counts.
    #[error("the file system of {} was not unmounted cleanly; its journal is needed", disk.display())]
    InUse {
        /// The disk.
        disk: PathBuf,
    },
}

/// A journal as it was.
#[derive(Debug)]
pub struct KeptJournal {
    disk: PathBuf,
    partition: Partition,
    /// Its ranges in the disk, `start..end` in bytes.
    ranges: Vec<(u64, u64)>,
    /// A sparse file with the ranges one after the other.
    copy: File,
}

impl KeptJournal {
    /// Keeps the journal of the file system in `partition`, which is not mounted. `None` where there is none: another file system,
    /// or an ext4 without a journal.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn keep(disk: &Path, partition: &Partition) -> Result<Option<Self>, JournalError> {
        let failed = |source| JournalError::Io { disk: disk.to_owned(), source };
        let file = fs_err::File::open(disk).map_err(failed)?.into_parts().0;
        let superblock = Superblock::read(&file, partition).map_err(failed)?;
        let Some(superblock) = superblock.filter(|superblock| superblock.has_journal) else { return Ok(None) };
        let ranges = list_ranges(disk, partition, superblock.block_size)?;
        let copy = tempfile::tempfile_in(disk.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let mut at = 0;
        for (start, end) in &ranges {
            copy_range(&file, *start, &copy, at, end - start).map_err(failed)?;
            at += end - start;
        }
        Ok(Some(Self { disk: disk.to_owned(), partition: partition.clone(), ranges, copy }))
    }

    /// Puts it back. The file system must have been unmounted.
    ///
    /// # Errors
    /// [`JournalError::InUse`] where it was not; then nothing is written.
    pub fn put_back(self) -> Result<(), JournalError> {
        let failed = |source| JournalError::Io { disk: self.disk.clone(), source };
        let file = fs_err::OpenOptions::new().read(true).write(true).open(&self.disk).map_err(failed)?.into_parts().0;
        // A process that took a mount namespace of its own just then holds a copy of the mount until it ends.
        let is_clean = || match Superblock::read(&file, &self.partition) {
            Ok(Some(superblock)) => (!superblock.needs_recovery).then_some(Ok(())),
            Ok(None) => None,
            Err(error) => Some(Err(failed(error))),
        };
        let clean = wait_even_if_interrupted(LET_GO, Duration::from_millis(20), is_clean);
        clean.unwrap_or_else(|_| Err(JournalError::InUse { disk: self.disk.clone() }))?;
        let mut at = 0;
        for (start, end) in &self.ranges {
            blocks::punch(&file, *start, end - start).map_err(failed)?;
            copy_range(&self.copy, at, &file, *start, end - start).map_err(failed)?;
            at += end - start;
        }
        Ok(())
    }
}

struct Superblock {
    block_size: u64,
    has_journal: bool,
    needs_recovery: bool,
}

impl Superblock {
    fn read(disk: &File, partition: &Partition) -> io::Result<Option<Self>> {
        let mut bytes = [0; 128];
        disk.read_exact_at(&mut bytes, partition.start + SUPERBLOCK)?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let is_ext = u16::from_le_bytes([bytes[MAGIC], bytes[MAGIC + 1]]) == EXT_MAGIC;
        // 1 KiB to 64 KiB; anything else is no ext4.
        let log = Some(number(LOG_BLOCK_SIZE)).filter(|log| is_ext && *log <= 6);
        Ok(log.map(|log| Self {
            block_size: 1024 << log,
            has_journal: number(COMPATIBLE) & HAS_JOURNAL != 0,
            needs_recovery: number(INCOMPATIBLE) & NEEDS_RECOVERY != 0,
        }))
    }
}

/// The ranges of the journal's inode, which is number 8, in the disk.
fn list_ranges(disk: &Path, partition: &Partition, block_size: u64) -> Result<Vec<(u64, u64)>, JournalError> {
    let output = Tool::new("debugfs")
        .doing(format!("find the journal of {}", disk.display()))
        .args(["-R", "blocks <8>"])
        .arg(format!("{}?offset={}", disk.display(), partition.start))
        .run()?;
    let numbers = output.text();
    let inside = partition.size / block_size;
    let numbers = numbers.split_whitespace().filter_map(|number| number.parse().ok()).filter(|number| *number < inside);
    Ok(join(numbers)
        .into_iter()
        .map(|(start, end)| (start * block_size, end * block_size))
        .map(|(start, end)| (partition.start + start, partition.start + end))
        .collect())
}

/// Neighbours become one range, `start..end`.
fn join(numbers: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, end)) if *end == number => *end += 1,
            _ => ranges.push((number, number + 1)),
        }
    }
    ranges
}

/// Copies the parts of a range that are not holes; the target's range is a hole.
fn copy_range(from: &File, from_start: u64, to: &File, to_start: u64, length: u64) -> io::Result<()> {
    let end = from_start + length;
    let file_size = from.metadata()?.len();
    to.set_len(to.metadata()?.len().max(to_start + length))?;
    let mut chunk = Vec::new();
    for (start, stop) in blocks::list_data_ranges_within(from, from_start, end.min(file_size))? {
        let mut at = start;
        while at < stop {
            chunk.resize(usize::try_from((stop - at).min(CHUNK)).unwrap_or_default(), 0);
            from.read_exact_at(&mut chunk, at)?;
            to.write_all_at(&chunk, to_start + (at - from_start))?;
            at += chunk.len() as u64;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined() {
        assert_eq!(join([5, 6, 7, 9, 3].into_iter()), [(5, 8), (9, 10), (3, 4)]);
        assert_eq!(join(std::iter::empty()), []);
    }
}
