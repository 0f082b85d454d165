//! A bake's journal: what it was about to do, written and synced before it does it.
//!
//! The tags in the create calls find everything again; the journal says where to look, and tells a person what happened.

use std::io::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde::Serialize;

use crate::error::BakeError;
use crate::error::working;

const NAME: &str = "journal.ndjson";

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub(crate) enum Entry {
    /// The bake began.
    Began {
        /// The service.
        service: String,
        /// The account that it bakes in.
        account: String,
        /// The region.
        region: String,
        /// The image's name.
        image: String,
    },
    /// A snapshot is about to be started, tagged with the bake's id.
    StartsSnapshot {
        /// Its layer's key.
        layer: String,
    },
    /// The snapshot is completed: it is a layer now, and stays.
    Kept {
        /// `snap-…`
        snapshot: String,
    },
    /// An image is about to be registered, tagged with the bake's id.
    Registers {
        /// The snapshot behind its root.
        snapshot: String,
    },
}

/// The journal of one bake.
#[derive(Debug)]
pub(crate) struct Journal(fs_err::File);

impl Journal {
    pub(crate) fn open(folder: &Path) -> Result<Self, BakeError> {
        let file = fs_err::OpenOptions::new().create(true).append(true).open(folder.join(NAME));
        file.map(Self).map_err(working("open the bake's journal"))
    }

    /// Writes `entry` and waits until the disk has it.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<(), BakeError> {
        let doing = "write the bake's journal";
        let mut line = serde_json::to_vec(entry).map_err(working(doing))?;
        line.push(b'\n');
        self.0.write_all(&line).and_then(|()| self.0.sync_data()).map_err(working(doing))
    }
}

/// What a bake wrote before it ended. A last line that was cut off is left out.
#[must_use]
pub(crate) fn read(folder: &Path) -> Vec<Entry> {
    let text = fs_err::read_to_string(folder.join(NAME)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
