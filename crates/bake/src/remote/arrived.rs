//! Which blocks of a disk have arrived, noted beside it, so that a download that was cut off goes on where it was.

use std::collections::BTreeMap;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Digest;
use ovenbird_disk::blocks;

/// The blocks of a disk that have arrived.
pub(super) struct Arrived {
    digests: BTreeMap<u32, Digest>,
    note: Option<(fs_err::File, PathBuf)>,
}

impl Arrived {
    /// What has arrived on `disk`, block by block compared with what was noted. A disk without a note, or with one of another
    /// snapshot, is begun anew.
    pub(super) fn open(disk: &Path, snapshot: &str, volume_size: u64, map: &mut BlockMap) -> io::Result<Self> {
        let path = note_of(disk);
        let title = format!("{snapshot} {volume_size}");
        let noted = find_noted(&path, &title).filter(|_| has_size(disk, volume_size));
        let mut digests = BTreeMap::new();
        match noted {
            Some(noted) => {
                let file = fs_err::File::open(disk)?.into_parts().0;
                for (index, digest) in noted {
                    // What was noted is not always written when the machine stops.
                    if Digest::of(&blocks::read_block(&file, index)?) == digest {
                        digests.insert(index, digest);
                    }
                }
            }
            None => drop(blocks::create_sparse(disk, volume_size)?),
        }
        map.blocks.extend(digests.iter().filter(|(_, digest)| **digest != Digest::ZERO_BLOCK));
        let mut file = fs_err::File::create(&path)?;
        let lines: String = digests.iter().map(|(index, digest)| line(*index, *digest)).collect();
        file.write_all(format!("{title}\n{lines}").as_bytes())?;
        Ok(Self { digests, note: Some((file, path)) })
    }

    /// Nothing is noted: the disk is of no use unless it is whole.
    pub(super) fn unrecorded() -> Self {
        Self { digests: BTreeMap::new(), note: None }
    }

    /// Is this block there?
    pub(super) fn has(&self, index: u32) -> bool {
        self.digests.contains_key(&index)
    }

    /// Notes that this block was written.
    pub(super) fn note(&mut self, index: u32, digest: Digest) -> io::Result<()> {
        match &mut self.note {
            Some((file, _)) => file.write_all(line(index, digest).as_bytes()),
            None => Ok(()),
        }
    }

    /// All is there: the note goes.
    pub(super) fn finish(self) -> io::Result<()> {
        self.note.map_or(Ok(()), |(_, path)| fs_err::remove_file(path))
    }
}

/// The file beside `disk` that says what has arrived.
pub(crate) fn note_of(disk: &Path) -> PathBuf {
    let mut name = disk.as_os_str().to_owned();
    name.push(".blocks");
    PathBuf::from(name)
}

fn line(index: u32, digest: Digest) -> String {
    format!("{index} {}\n", digest.hex())
}

/// What the note says, if it is of this title. A last line that was cut off is left out.
fn find_noted(path: &Path, title: &str) -> Option<BTreeMap<u32, Digest>> {
    let text = fs_err::read_to_string(path).ok()?;
    let whole = &text[..text.rfind('\n')?];
    let rest = whole.strip_prefix(title)?;
    let entry = |line: &str| {
        let (index, digest) = line.split_once(' ')?;
        Some((index.parse().ok()?, Digest::from_hex(digest)?))
    };
    rest.lines().filter(|line| !line.is_empty()).map(entry).collect()
}

fn has_size(disk: &Path, size: u64) -> bool {
    fs_err::metadata(disk).is_ok_and(|found| found.len() == size)
}
