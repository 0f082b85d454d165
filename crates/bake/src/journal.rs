//! A bake's journal: what it was about to do, written and synced before it does it.
//!
//! The tags in the create calls find everything again; the journal says where to look, tells a person what happened, and is what
//! `bake --resume` goes on from.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::error::BakeError;
use crate::error::working;
use crate::path::BakePath;

/// Its file in the bake's folder.
pub(crate) const NAME: &str = "journal.ndjson";

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub(crate) enum Entry {
    /// The bake began.
    Began(Beginning),
    /// It is known what it will make.
    Planned {
        /// The key of the image, in hex.
        key: String,
    },
    /// A step is about to have its effect.
    Starts {
        /// Its name.
        step: String,
    },
    /// A step has had its effect.
    Done {
        /// Its name.
        step: String,
    },
    /// A step's effect is taken back.
    Undone {
        /// Its name.
        step: String,
    },
    /// Something was created in AWS: told by its id, since listings come later than answers.
    Made {
        /// The step's name.
        step: String,
        /// `snap-…`, `i-…`
        id: String,
    },
    /// An image is about to make way for the new one of its name. Nobody can ask for its snapshots afterwards.
    Retires {
        /// `ami-…`
        image: String,
        /// `snap-…`
        snapshots: Vec<String>,
    },
    /// The snapshot is completed: it is a layer or a base now, and stays.
    Kept {
        /// `snap-…`
        snapshot: String,
    },
}

/// What must be the same for a bake that is resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beginning {
    /// The service.
    pub(crate) service: String,
    /// The account that it bakes in.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The image's name.
    pub(crate) image: String,
    /// The present as the template sees it.
    pub(crate) now: Timestamp,
    /// What the template's random values come from.
    pub(crate) seed: u64,
    /// Whether every layer was to be run.
    pub(crate) rebuild: bool,
    /// How old results might be, in seconds.
    pub(crate) max_age: Option<i64>,
    /// The path that was asked for.
    pub(crate) path: Option<BakePath>,
}

/// The journal of one bake.
#[derive(Debug)]
pub(crate) struct Journal {
    file: fs_err::File,
    entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal with what an earlier run wrote.
    pub(crate) fn open(folder: &Path) -> Result<Self, BakeError> {
        let entries = read(folder);
        let mut file = fs_err::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(NAME))
            .map_err(working("open the bake's journal"))?;
        // After a last line that was cut off, the next one begins on its own.
        if !entries.is_empty() {
            file.write_all(b"\n").map_err(working("write the bake's journal"))?;
        }
        Ok(Self { file, entries })
    }

    /// Writes `entry` and waits until the disk has it.
    pub(crate) fn append(&mut self, entry: Entry) -> Result<(), BakeError> {
        let doing = "write the bake's journal";
        let mut line = serde_json::to_vec(&entry).map_err(working(doing))?;
        line.push(b'\n');
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(working(doing))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Was the step about to have its effect, and is not undone since?
    #[must_use]
    pub(crate) fn has_begun(&self, name: &str) -> bool {
        let of_it = |entry: &&Entry| match entry {
            Entry::Starts { step } | Entry::Undone { step } => step == name,
            _ => false,
        };
        self.entries.iter().rev().find(of_it).is_some_and(|entry| matches!(entry, Entry::Starts { .. }))
    }

    /// Has the step had its effect, and is not undone since?
    #[must_use]
    pub(crate) fn has_done(&self, name: &str) -> bool {
        let of_it = |entry: &&Entry| match entry {
            Entry::Done { step } | Entry::Undone { step } => step == name,
            _ => false,
        };
        self.entries.iter().rev().find(of_it).is_some_and(|entry| matches!(entry, Entry::Done { .. }))
    }

    /// What the step created last, unless it is undone.
    #[must_use]
    pub(crate) fn find_made(&self, name: &str) -> Option<&str> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Made { step, id } if step == name => Some(Some(id.as_str())),
            Entry::Undone { step } if step == name => Some(None),
            _ => None,
        })?
    }

    /// The image that was the last to make way for this bake's.
    #[must_use]
    pub(crate) fn find_retired(&self) -> Option<&str> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Retires { image, .. } => Some(image.as_str()),
            _ => None,
        })
    }

    /// The snapshots of all images that made way for this bake's.
    pub(crate) fn list_retired_snapshots(&self) -> BTreeSet<String> {
        let of_it = |entry: &Entry| match entry {
            Entry::Retires { snapshots, .. } => snapshots.clone(),
            _ => Vec::new(),
        };
        self.entries.iter().flat_map(of_it).collect()
    }

    /// How often the step was about to have its effect.
    #[must_use]
    pub(crate) fn count_starts(&self, name: &str) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Starts { step } if step == name)).count()
    }

    /// Is the snapshot a finished layer, or base?
    #[must_use]
    pub(crate) fn has_kept(&self, id: &str) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Kept { snapshot } if snapshot == id))
    }

    /// The key that an earlier run planned to make.
    #[must_use]
    pub(crate) fn find_planned(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| if let Entry::Planned { key } = entry { Some(key.as_str()) } else { None })
    }
}

/// What a bake wrote before it ended. A line that was cut off is left out.
#[must_use]
pub(crate) fn read(folder: &Path) -> Vec<Entry> {
    let text = fs_err::read_to_string(folder.join(NAME)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// How a bake began, if it came so far to say.
#[must_use]
pub(crate) fn find_beginning(folder: &Path) -> Option<Beginning> {
    read(folder).into_iter().find_map(|entry| if let Entry::Began(beginning) = entry { Some(beginning) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(step: &str) -> Entry {
        Entry::Starts { step: step.to_owned() }
    }

    #[test]
    fn tells_what_began_and_was_not_undone_also_to_the_next_run() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(dir.path()).expect("opened");
        journal.append(starts("copy")).expect("written");
        journal.append(starts("run")).expect("written");
        journal.append(Entry::Made { step: "run".to_owned(), id: "i-1".to_owned() }).expect("written");
        assert!(journal.has_begun("run") && !journal.has_begun("register"));
        // A line that the disk has half of.
        fs_err::OpenOptions::new()
            .append(true)
            .open(dir.path().join(NAME))
            .and_then(|mut file| file.write_all(b"{\"entry\":\"do"))
            .expect("written");
        let mut journal = Journal::open(dir.path()).expect("opened again");
        assert_eq!(journal.find_made("run"), Some("i-1"));
        journal.append(Entry::Undone { step: "run".to_owned() }).expect("written");
        let mut journal = Journal::open(dir.path()).expect("opened again");
        assert_eq!((journal.has_begun("run"), journal.find_made("run")), (false, None));
        assert!(journal.has_begun("copy"));
        journal.append(starts("run")).expect("written");
        assert!(journal.has_begun("run"));
    }

    #[test]
    fn what_an_image_had_is_known_after_it_has_gone() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(dir.path()).expect("opened");
        assert_eq!((journal.find_retired(), journal.list_retired_snapshots().len()), (None, 0));
        // The second look, when it had gone already, is the one of a bake that is resumed.
        for snapshots in [vec!["snap-1".to_owned(), "snap-2".to_owned()], vec![]] {
            journal.append(Entry::Retires { image: "ami-1".to_owned(), snapshots }).expect("written");
        }
        let journal = Journal::open(dir.path()).expect("opened again");
        assert_eq!(journal.find_retired(), Some("ami-1"));
        assert_eq!(journal.list_retired_snapshots(), ["snap-1", "snap-2"].map(str::to_owned).into());
    }
}
