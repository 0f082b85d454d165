//! What is remembered across reboots: per instance id, so that a clone of the disk begins anew.
//!
//! A boot is recorded before it does anything, so a crash in the middle does not look healthy afterwards (buildkite's
//! elastic-ci-stack#1143), and a boot that crashes the machine again and again stops trying.

use jiff::Timestamp;
use ovenbird_core::block::Digest;
use serde::Deserialize;
use serde::Serialize;

use crate::fault::Fault;
use crate::fault::Phase;
use crate::files::find_file;
use crate::files::write_whole;
use crate::settings::Root;

/// How many boots with the same metadata and play may begin without an end.
pub const MOST_ATTEMPTS: u32 = 3;

/// How a boot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has not ended, or the machine crashed in it.
    Started,
    /// The play ran to its end.
    Ok,
    /// It failed, and said so.
    Failed,
    /// Too many boots began without an end, so this one did not begin.
    GivenUp,
}

/// The last boot of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// SHA-256 over metadata and play; a change of either begins anew.
    pub digest: Digest,
    /// Boots in a row that began with this digest and did not end, this one included.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
}

impl State {
    /// The state that a boot with `digest` begins with, after the `last` one.
    #[must_use]
    pub fn begin(last: Option<&Self>, digest: Digest, now: Timestamp) -> Self {
        let unended =
            last.filter(|last| last.digest == digest && matches!(last.outcome, Outcome::Started | Outcome::GivenUp));
        let before = unended.map_or(0, |last| last.attempt);
        let outcome = if before >= MOST_ATTEMPTS { Outcome::GivenUp } else { Outcome::Started };
        let attempt = if outcome == Outcome::GivenUp { before } else { before + 1 };
        Self { digest, attempt, outcome, phase: None, reason: None, started: now, finished: None }
    }

    /// Records the beginning of a boot.
    ///
    /// # Errors
    /// When the state cannot be written, or too many boots began without an end.
    pub fn ensure_begun(root: &Root, instance_id: &str, digest: Digest, now: Timestamp) -> Result<Self, Fault> {
        let path = root.state(instance_id);
        // A state that cannot be read is a crash's work as well; it counts as none.
        let last: Option<Self> = find_file(&path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let state = Self::begin(last.as_ref(), digest, now);
        state.write(root, instance_id)?;
        match state.outcome {
            Outcome::GivenUp => Err(Fault::lasting(format!(
                "{MOST_ATTEMPTS} boots with the same metadata and play began and did not end; to try once more, remove {}",
                path.display()
            ))),
            _ => Ok(state),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, root: &Root, instance_id: &str) -> Result<(), Fault> {
        write_whole(&root.state(instance_id), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(last: Option<&State>, play: &str) -> State {
        State::begin(last, Digest::of(play.as_bytes()), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_crash_loop_ends_after_three_attempts_and_stays_ended() {
        let mut last = None;
        let mut attempts = Vec::new();
        for _ in 0..6 {
            let state = boot(last.as_ref(), "a");
            attempts.push((state.attempt, state.outcome == Outcome::GivenUp));
            last = Some(state);
        }
        assert_eq!(attempts, [(1, false), (2, false), (3, false), (3, true), (3, true), (3, true)]);
        assert_eq!(boot(last.as_ref(), "b").attempt, 1);
    }

    #[test]
    fn a_boot_that_ended_is_no_crash() {
        for outcome in [Outcome::Ok, Outcome::Failed] {
            let last = State { outcome, attempt: 3, ..boot(None, "a") };
            assert_eq!((boot(Some(&last), "a").attempt, boot(Some(&last), "a").outcome), (1, Outcome::Started));
        }
    }

    #[test]
    fn it_outlives_the_disk_and_belongs_to_one_instance() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root(folder.path().to_owned());
        let digest = Digest::of(b"a");
        let begin = |id: &str| State::ensure_begun(&root, id, digest, Timestamp::UNIX_EPOCH);
        assert_eq!([begin("i-1"), begin("i-1"), begin("i-1")].map(|state| state.unwrap().attempt), [1, 2, 3]);
        assert!(begin("i-1").unwrap_err().sentence.contains("began and did not end"));
        assert_eq!(begin("i-2").unwrap().attempt, 1);
        std::fs::write(root.state("i-1"), "{").unwrap();
        assert_eq!(begin("i-1").unwrap().attempt, 1);
    }
}
