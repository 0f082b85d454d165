//! Why an image stays or goes, each in one sentence.

use std::fmt;

use jiff::SignedDuration;

use crate::instant::spoken;

/// The times that speak of an image's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The tag `LastUsed`.
    LastUsed,
    /// The tag `LastUsedRuntime`.
    LastUsedRuntime,
    /// The image's `CreationDate`.
    Created,
    /// The image's `LastLaunchedTime`.
    LastLaunched,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LastUsed => "LastUsed",
            Self::LastUsedRuntime => "LastUsedRuntime",
            Self::Created => "CreationDate",
            Self::LastLaunched => "LastLaunchedTime",
        })
    }
}

/// Something that keeps an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No tag `AutoCleanup` that is exactly `true`.
    NotMarked,
    /// A tag that was probably meant as `AutoCleanup=true`.
    NearlyMarked {
        /// The tag's key as it is.
        key: String,
        /// Its value as it is.
        value: String,
    },
    /// A time is not there; absence is never evidence.
    Unknown {
        /// Which one.
        clock: Clock,
    },
    /// A time cannot be read.
    Unreadable {
        /// Which one.
        clock: Clock,
        /// The text.
        text: String,
    },
    /// A time lies in the future.
    Future {
        /// Which one.
        clock: Clock,
        /// How far.
        ahead: SignedDuration,
    },
    /// A time says that the image was in use lately.
    Recent {
        /// Which one.
        clock: Clock,
        /// How long ago; negative within the tolerated difference between clocks.
        age: SignedDuration,
        /// The limit, which must be exceeded.
        limit: SignedDuration,
    },
    /// No complete inventory lately.
    Unobserved {
        /// How long ago the last one began.
        age: SignedDuration,
        /// The limit, below which it must be.
        limit: SignedDuration,
    },
    /// Somebody else's image.
    NotOwn {
        /// Their account; empty when it is not known.
        owner: String,
    },
    /// Not in the state `available`.
    NotAvailable {
        /// Its state.
        state: String,
    },
    /// Deregistration protection is on.
    Protected,
    /// Everybody may launch it.
    Public,
    /// Others may launch it, and their use cannot be seen.
    Shared {
        /// Accounts, organizations or units.
        with: Vec<String>,
    },
    /// An instance that is not terminated.
    Instance {
        /// `i-…`.
        id: String,
        /// Its state.
        state: String,
    },
    /// A pointer names it.
    Pointed {
        /// The parameter.
        parameter: String,
    },
    /// A pointer named it before.
    RollbackTarget {
        /// The parameter.
        parameter: String,
    },
    /// An image that is just being made comes from it.
    ParentOfPending {
        /// `ami-…`.
        child: String,
    },
    /// An image that a pointer names comes from it.
    ParentOfPointed {
        /// `ami-…`.
        child: String,
        /// The parameter.
        parameter: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMarked => f.write_str("it has no tag AutoCleanup=true"),
            Self::NearlyMarked { key, value } => {
                write!(f, "its tag is {key}={value}; only AutoCleanup=true, spelled exactly so, allows deletion")
            }
            Self::Unknown { clock } => write!(f, "it has no {clock}, and absence is no evidence"),
            Self::Unreadable { clock, text } => write!(f, "its {clock} `{text}` is no time that can be read"),
            Self::Future { clock, ahead } => write!(f, "its {clock} lies {} in the future", spoken(*ahead)),
            Self::Recent { clock, age, limit } => {
                write!(f, "{clock} is {}; the limit is {}", ago(*age), spoken(*limit))
            }
            Self::Unobserved { age, limit } => {
                write!(f, "the last complete inventory began {}; the limit is {}", ago(*age), spoken(*limit))
            }
            Self::NotOwn { owner } if owner.is_empty() => f.write_str("its owner is not known"),
            Self::NotOwn { owner } => write!(f, "account {owner} owns it"),
            Self::NotAvailable { state } => write!(f, "its state is {state}, not available"),
            Self::Protected => f.write_str("it is protected from deregistration"),
            Self::Public => f.write_str("it is public"),
            Self::Shared { with } => write!(f, "it is shared with {}", with.join(", ")),
            Self::Instance { id, state } => write!(f, "instance {id} ({state}) uses it"),
            Self::Pointed { parameter } => write!(f, "{parameter} points at it"),
            Self::RollbackTarget { parameter } => write!(f, "{parameter} would roll back to it"),
            Self::ParentOfPending { child } => write!(f, "{child}, which is being made, comes from it"),
            Self::ParentOfPointed { child, parameter } => {
                write!(f, "{child}, which {parameter} names, comes from it")
            }
        }
    }
}

/// One of the contract's conditions that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// `AutoCleanup` is `true`.
    Marked,
    /// Nothing used it for longer than the limit.
    Idle {
        /// Since the last sign of use.
        since: SignedDuration,
        /// The limit.
        limit: SignedDuration,
    },
    /// A complete inventory says so.
    Observed {
        /// How long ago it began.
        age: SignedDuration,
        /// The limit.
        limit: SignedDuration,
    },
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marked => f.write_str("AutoCleanup is true"),
            Self::Idle { since, limit } => {
                write!(f, "unused for {}; the limit is {}", spoken(*since), spoken(*limit))
            }
            Self::Observed { age, limit } => {
                write!(f, "a complete inventory began {}; the limit is {}", ago(*age), spoken(*limit))
            }
        }
    }
}

pub(super) fn ago(age: SignedDuration) -> String {
    if age.is_negative() { format!("{} ahead", spoken(age)) } else { format!("{} ago", spoken(age)) }
}
