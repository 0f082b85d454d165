//! A disk's content as blocks: scanning a sparse raw file, and writing one.
//!
//! Zero blocks are holes: they are absent from maps and take no space in files.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use fs_err as fs;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Digest;
use rustix::fs::FallocateFlags;
use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// Hashing is the work here; more threads than the smallest machine has would only fight.
const THREADS: usize = 2;

/// What each block of a raw disk `file` holds. Holes are not read; memory stays at one block per thread.
///
/// A file whose size is not a multiple of a block is hashed as if zeros followed it.
///
/// # Errors
/// When the file cannot be read, or is larger than a `u32` of blocks.
pub fn scan(file: &Path) -> io::Result<BlockMap> {
    scan_with(file, |_, _| Ok(None))
}

/// As [`scan`], of a disk that was copied from `original` and then written to here and there. A block that is byte for byte the
/// original's is not hashed: to compare is several times faster.
///
/// # Errors
/// When a file cannot be read, or the disk is larger than a `u32` of blocks.
pub fn scan_copy(file: &Path, original: &Path, known: &BlockMap) -> io::Result<BlockMap> {
    let original = fs::File::open(original)?;
    scan_with(file, |index, block| {
        let Some(digest) = known.blocks.get(&index) else { return Ok(None) };
        Ok(has_block(original.file(), index, block)?.then_some(*digest))
    })
}

fn scan_with(
    file: &Path,
    find_digest: impl Fn(u32, &[u8]) -> io::Result<Option<Digest>> + Sync,
) -> io::Result<BlockMap> {
    let disk = fs::File::open(file)?;
    let volume_size = disk.metadata()?.len();
    let candidates = list_data_blocks(disk.file(), volume_size)?;
    let next = AtomicUsize::new(0);
    let work = || -> io::Result<Vec<(u32, Digest)>> {
        let mut found = Vec::new();
        let mut block = vec![0; BLOCK_BYTES];
        while let Some(index) = candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
            read_block_into(disk.file(), *index, &mut block)?;
            if is_zero(&block) {
                continue;
            }
            let known = find_digest(*index, &block)?;
            found.push((*index, known.unwrap_or_else(|| Digest::of(&block))));
        }
        Ok(found)
    };
    let parts: io::Result<Vec<Vec<_>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| io::Error::other("a hashing thread died"))?)
            .collect()
    });
    Ok(BlockMap { volume_size, blocks: parts?.into_iter().flatten().collect() })
}

/// Reads one block; what lies behind the end of the file reads as zeros.
///
/// # Errors
/// When the file cannot be read.
pub fn read_block(file: &File, index: u32) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK_BYTES];
    read_block_into(file, index, &mut block)?;
    Ok(block)
}

/// Writes one block of [`BLOCK_SIZE`] bytes; zeros become a hole.
///
/// # Errors
/// When `block` has another length, or the file cannot be written.
pub fn write_block(file: &File, index: u32, block: &[u8]) -> io::Result<()> {
    if block.len() != BLOCK_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a block has 524288 bytes, no more and no less"));
    }
    if is_zero(block) { punch(file, offset_of(index), BLOCK_SIZE) } else { file.write_all_at(block, offset_of(index)) }
}

/// Makes the range read as zeros and take no space. The file keeps its size.
///
/// # Errors
/// When the file system cannot punch holes, or the file is not writable.
pub fn punch(file: &File, offset: u64, length: u64) -> io::Result<()> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(rustix::fs::fallocate(file, flags, offset, length)?)
}

/// Makes `file` a disk of `size` bytes that is all holes; what was there before is gone.
///
/// # Errors
/// When the file cannot be created.
pub fn create_sparse(file: &Path, size: u64) -> io::Result<fs::File> {
    let disk = fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(file)?;
    disk.set_len(size)?;
    Ok(disk)
}

/// Writes the disk that `map` describes into a new sparse `file`; `fetch` gives the bytes of a digest.
///
/// # Errors
/// When `fetch` fails, gives other bytes than the digest promises, or the file cannot be written.
pub fn assemble(file: &Path, map: &BlockMap, mut fetch: impl FnMut(&Digest) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let disk = create_sparse(file, map.volume_size)?;
    for (index, digest) in &map.blocks {
        let block = fetch(digest)?;
        if Digest::of(&block) != *digest {
            let sentence = format!("block {index} is not the one with SHA-256 {digest}: the store is damaged");
            return Err(io::Error::new(io::ErrorKind::InvalidData, sentence));
        }
        let end = volume_end(map.volume_size, *index);
        disk.file().write_all_at(&block[..end], offset_of(*index))?;
    }
    Ok(())
}

/// Copies a sparse file: shared extents where the file system can (`FICLONE`), else its data ranges only.
///
/// # Errors
/// When either file cannot be read or written.
pub fn copy_sparse(from: &Path, to: &Path) -> io::Result<()> {
    let source = fs::File::open(from)?;
    let size = source.metadata()?.len();
    let target = create_sparse(to, size)?;
    if rustix::fs::ioctl_ficlone(target.file(), source.file()).is_ok() {
        return Ok(());
    }
    copy_data_ranges(&source, &target, 0, size)
}

/// Makes the disk `to`, which holds `held`, a copy of `from`, which holds `content`: what both hold stays as it is.
///
/// # Errors
/// When either file cannot be read or written.
pub fn copy_over(from: &Path, content: &BlockMap, to: &Path, held: &BlockMap) -> io::Result<()> {
    let source = fs::File::open(from)?;
    let target = fs::OpenOptions::new().read(true).write(true).open(to)?;
    target.set_len(content.volume_size)?;
    if rustix::fs::ioctl_ficlone(target.file(), source.file()).is_ok() {
        return Ok(());
    }
    for index in content.changes_since(held).into_keys() {
        let start = offset_of(index);
        let length = volume_end(content.volume_size, index) as u64;
        if length > 0 {
            punch(target.file(), start, length)?;
            copy_data_ranges(&source, &target, start, start + length)?;
        }
    }
    Ok(())
}

/// Copies what of `source` is no hole between two places.
fn copy_data_ranges(source: &fs::File, target: &fs::File, from: u64, to: u64) -> io::Result<()> {
    for (start, end) in list_data_ranges_within(source.file(), from, to)? {
        let (mut read_at, mut write_at) = (start, start);
        while read_at < end {
            let left = usize::try_from(end - read_at).unwrap_or(usize::MAX);
            let moved = rustix::fs::copy_file_range(source, Some(&mut read_at), target, Some(&mut write_at), left)?;
            if moved == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
    Ok(())
}

/// The ranges `start..end` in bytes that are not holes.
///
/// # Errors
/// When the file cannot be asked.
pub fn list_data_ranges(file: &File, size: u64) -> io::Result<Vec<(u64, u64)>> {
    list_data_ranges_within(file, 0, size)
}

/// As [`list_data_ranges`], between two places.
pub(crate) fn list_data_ranges_within(file: &File, from: u64, to: u64) -> io::Result<Vec<(u64, u64)>> {
    let mut ranges = Vec::new();
    let mut position = from;
    while position < to {
        let start = match rustix::fs::seek(file, SeekFrom::Data(position)) {
            Ok(start) if start < to => start,
            Ok(_) | Err(Errno::NXIO) => break,
            Err(error) => return Err(error.into()),
        };
        position = rustix::fs::seek(file, SeekFrom::Hole(start))?;
        ranges.push((start, position.min(to)));
    }
    Ok(ranges)
}

const BLOCK_BYTES: usize = 512 * 1024;
const _: () = assert!(BLOCK_BYTES as u64 == BLOCK_SIZE);

fn offset_of(index: u32) -> u64 {
    u64::from(index) * BLOCK_SIZE
}

/// How many bytes of the block lie within the volume.
fn volume_end(volume_size: u64, index: u32) -> usize {
    let left = volume_size.saturating_sub(offset_of(index)).min(BLOCK_SIZE);
    usize::try_from(left).unwrap_or(BLOCK_BYTES)
}

fn list_data_blocks(file: &File, size: u64) -> io::Result<Vec<u32>> {
    let mut blocks: Vec<u32> = Vec::new();
    for (start, end) in list_data_ranges(file, size)? {
        let too_large = |_| io::Error::new(io::ErrorKind::FileTooLarge, "a disk of more than 2 PiB");
        let first = u32::try_from(start / BLOCK_SIZE).map_err(too_large)?;
        let last = u32::try_from(end.div_ceil(BLOCK_SIZE)).map_err(too_large)?;
        // Two ranges may share a block.
        let first = blocks.last().map_or(first, |seen| first.max(seen + 1));
        blocks.extend(first..last);
    }
    Ok(blocks)
}

/// Is `block` what `file` has there? In small pieces, which stay in the processor's cache.
fn has_block(file: &File, index: u32, block: &[u8]) -> io::Result<bool> {
    let (mut offset, mut piece) = (offset_of(index), [0; 64 * 1024]);
    for expected in block.chunks(piece.len()) {
        let piece = &mut piece[..expected.len()];
        read_into(file, offset, piece)?;
        if piece != expected {
            return Ok(false);
        }
        offset += expected.len() as u64;
    }
    Ok(true)
}

fn read_block_into(file: &File, index: u32, block: &mut [u8]) -> io::Result<()> {
    read_into(file, offset_of(index), block)
}

/// Fills `bytes` from `offset` on; what lies behind the end of the file reads as zeros.
fn read_into(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes[filled..].fill(0);
    Ok(())
}

/// Whether all bytes are zero; compares with itself shifted by one, which the compiler turns into wide loads.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|first| *first == 0)
        && bytes[..bytes.len().saturating_sub(1)] == *bytes.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn writing_scanning_assembling_and_copying_agree(
            contents in prop::collection::btree_map(0..40_u32, 0..3_u8, 0..12),
            tail in prop::sample::select(vec![0, 1, 4096, 524_287]),
            changes in prop::collection::vec((0..40_u32, prop::sample::select(vec![0, 4096, 524_287])), 0..4),
        ) {
            let dir = tempfile::tempdir()?;
            let path = |name: &str| dir.path().join(name);
            let size = 40 * BLOCK_SIZE + tail;
            let disk = create_sparse(&path("disk"), size)?;
            for (index, byte) in &contents {
                // First something else, so that zeros really have to punch.
                write_block(disk.file(), *index, &vec![9; BLOCK_BYTES])?;
                write_block(disk.file(), *index, &vec![*byte; BLOCK_BYTES])?;
            }
            let bytes: BTreeMap<u32, u8> = contents.into_iter().filter(|(_, byte)| *byte != 0).collect();
            let expected = BlockMap {
                volume_size: size,
                blocks: bytes.iter().map(|(index, byte)| (*index, Digest::of(&vec![*byte; BLOCK_BYTES]))).collect(),
            };
            prop_assert_eq!(&scan(&path("disk"))?, &expected);
            let held: u64 = list_data_ranges(disk.file(), size)?.iter().map(|(start, end)| end - start).sum();
            prop_assert_eq!(held, bytes.len() as u64 * BLOCK_SIZE);

            let fetch = |digest: &Digest| {
                let index = expected.blocks.iter().find(|(_, known)| *known == digest).expect("asked for a known one").0;
                read_block(disk.file(), *index)
            };
            assemble(&path("assembled"), &expected, fetch)?;
            prop_assert_eq!(&scan(&path("assembled"))?, &expected);
            copy_sparse(&path("disk"), &path("copy"))?;
            prop_assert_eq!(&scan(&path("copy"))?, &expected);

            // One byte here and there, at the ends of blocks too.
            let copy = fs::OpenOptions::new().write(true).open(path("copy"))?;
            for (index, offset) in changes {
                copy.file().write_all_at(&[7], offset_of(index) + offset)?;
            }
            let changed = scan(&path("copy"))?;
            prop_assert_eq!(&scan_copy(&path("copy"), &path("disk"), &expected)?, &changed);

            // Over one of another size, too.
            copy_over(&path("disk"), &expected, &path("copy"), &changed)?;
            prop_assert_eq!(&scan(&path("copy"))?, &expected);
            create_sparse(&path("other"), 3 * BLOCK_SIZE)?.file().write_all_at(&[8; 9], BLOCK_SIZE)?;
            copy_over(&path("disk"), &expected, &path("other"), &scan(&path("other"))?)?;
            prop_assert_eq!(&scan(&path("other"))?, &expected);
            prop_assert_eq!(fs::metadata(path("other"))?.len(), size);
        }
    }

    #[test]
    fn the_last_byte_of_an_odd_disk_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        let size = BLOCK_SIZE + 5;
        create_sparse(&path, size).unwrap().file().write_all_at(b"x", size - 1).unwrap();
        let map = scan(&path).unwrap();
        let mut block = vec![0; BLOCK_BYTES];
        block[4] = b'x';
        assert_eq!(map.blocks, BTreeMap::from([(1, Digest::of(&block))]));
        let copy = dir.path().join("assembled");
        assemble(&copy, &map, |_| Ok(block.clone())).unwrap();
        assert_eq!(fs::metadata(&copy).unwrap().len(), size);
        assert_eq!(scan(&copy).unwrap(), map);
    }

    #[test]
    fn a_damaged_store_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let digest = Digest::of(&vec![1; BLOCK_BYTES]);
        let map = BlockMap { volume_size: BLOCK_SIZE, blocks: BTreeMap::from([(0, digest)]) };
        let error = assemble(&dir.path().join("disk"), &map, |_| Ok(vec![2; BLOCK_BYTES])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_short_block_is_refused() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(write_block(&file, 0, &[1]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
