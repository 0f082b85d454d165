//! What a sealed instance holds, kept in the bake's folder: nobody can log in and ask again.

use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::ignore_missing;
use crate::seal::Report;

/// Its file in the bake's folder.
pub(crate) const NAME: &str = "sealed.json";

/// An instance that is sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// `i-…`
    pub(crate) instance: String,
    /// What its root held then.
    pub(crate) report: Report,
}

impl Sealed {
    /// What an earlier run wrote, if it came so far.
    pub(crate) fn find(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs_err::read(folder.join(NAME)).ok()?).ok()
    }

    /// # Errors
    /// The disk's.
    pub(crate) fn keep(&self, folder: &Path) -> Result<(), BakeError> {
        let text = serde_json::to_vec(self).map_err(working("keep what the instance holds"))?;
        write_atomically(&folder.join(NAME), &text)
    }

    /// For when the instance is gone.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn forget(folder: &Path) -> Result<(), BakeError> {
        ignore_missing(fs_err::remove_file(folder.join(NAME))).map_err(working("forget what an earlier instance held"))
    }
}
