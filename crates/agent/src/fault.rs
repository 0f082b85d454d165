//! How provisioning fails: in a phase, for a reason that is one sentence, for now or for good.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// The phases of a boot, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Who am I? The metadata service answers.
    Identity,
    /// What was I told? User data under the image's schema.
    Metadata,
    /// Values from Parameter Store.
    Parameters,
    /// EBS volumes: attach, check, mount.
    Volumes,
    /// The baked play.
    Play,
    /// Saying how it went.
    Report,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Metadata => "metadata",
            Self::Parameters => "parameters",
            Self::Volumes => "volumes",
            Self::Play => "play",
            Self::Report => "report",
        })
    }
}

/// One sentence for a person, for the console and a tag. It already holds its cause, and never a secret or raw user data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Fault {
    /// The sentence, without a full stop.
    pub sentence: String,
    /// Whether the same boot may succeed later without a change of anything that people decide.
    pub retryable: bool,
}

impl Fault {
    /// A fault that stays until somebody changes something.
    pub fn lasting(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), retryable: false }
    }

    /// A fault of the moment.
    pub fn passing(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), retryable: true }
    }

    /// The same fault, met in `phase`.
    #[must_use]
    pub fn during(self, phase: Phase) -> Failure {
        Failure { phase, fault: self }
    }
}

/// A failed boot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase}: {fault}")]
pub struct Failure {
    /// Where it failed.
    pub phase: Phase,
    /// Why.
    pub fault: Fault,
}
