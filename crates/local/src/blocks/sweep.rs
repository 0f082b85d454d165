//! What a crash can leave: partial files, and blocks that the catalogue never heard of.

use std::collections::HashSet;
use std::io;

use ovenbird_core::block::Digest;

use super::BlockStore;

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Partial files that were removed.
    pub(crate) partial: usize,
    /// Blocks without a row that were removed.
    pub(crate) unknown: usize,
    /// Blocks that have a row and no file.
    pub(crate) missing: Vec<Digest>,
}

impl BlockStore {
    /// Removes partial files and all blocks but `known` ones. Only before the store is used by anybody else.
    pub(crate) fn sweep(&self, known: &[Digest]) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for entry in fs_err::read_dir(self.root.join("partial"))? {
            fs_err::remove_file(entry?.path())?;
            swept.partial += 1;
        }
        let mut missing: HashSet<Digest> = known.iter().copied().collect();
        for digest in self.list()? {
            if !missing.remove(&digest) {
                fs_err::remove_file(self.path(&digest))?;
                swept.unknown += 1;
            }
        }
        swept.missing = missing.into_iter().collect();
        swept.missing.sort();
        Ok(swept)
    }

    /// Every block that is stored.
    pub(crate) fn list(&self) -> io::Result<Vec<Digest>> {
        let mut found = Vec::new();
        for first in 0..=255_u8 {
            let first = format!("{first:02x}");
            for entry in fs_err::read_dir(self.root.join(&first))? {
                found.extend(entry?.file_name().to_str().and_then(|rest| Digest::from_hex(&format!("{first}{rest}"))));
            }
        }
        Ok(found)
    }
}
