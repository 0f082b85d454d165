//! Retention of a layer's snapshots: a cache entry that some images still stand on.

use std::collections::BTreeMap;
use std::fmt;

use jiff::SignedDuration;
use jiff::Timestamp;

use super::Policy;
use super::reason::ago;
use crate::instant;
use crate::instant::spoken;
use crate::layer::LayerKey;
use crate::tags;

/// What `DescribeSnapshots` says of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotFacts {
    /// `snap-…`.
    pub id: String,
    /// Account that owns it.
    pub owner: String,
    /// `completed`, `pending`, `error`, …
    pub state: String,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
    /// `StartTime`.
    pub started: Option<String>,
}

/// Who may stand on layer snapshots: every own image, in one complete observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotUses {
    /// The account that looks.
    pub account: String,
    /// Every image, in every state.
    pub images: Vec<Lineage>,
}

/// An image's snapshots and layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// `ami-…`.
    pub image: String,
    /// The snapshots in its block device mappings.
    pub snapshots: Vec<String>,
    /// Keys of its layers; `None` when its manifest could not be read. Empty for an image that no bake made.
    pub layers: Option<Vec<LayerKey>>,
}

/// The decision on a layer's snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotVerdict {
    /// It stays; never empty.
    Keep(Vec<SnapshotReason>),
    /// It goes: no image stands on it.
    Delete {
        /// How long ago it was started.
        age: SignedDuration,
    },
}

/// Something that keeps a layer's snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotReason {
    /// The tag `ovenbird:layer` is not there or holds no key.
    NoLayer,
    /// Somebody else's.
    NotOwn,
    /// Not in the state `completed`: a bake may be writing it.
    NotCompleted {
        /// Its state.
        state: String,
    },
    /// When it was started is not known.
    UnknownAge,
    /// A bake may want it soon.
    Young {
        /// How long ago it was started.
        age: SignedDuration,
        /// The limit, which must be exceeded.
        limit: SignedDuration,
    },
    /// An image's own snapshot.
    Root {
        /// `ami-…`.
        image: String,
    },
    /// An image has the layer below its own.
    Ancestor {
        /// `ami-…`.
        image: String,
    },
    /// An image's layers are not known.
    UnknownLineage {
        /// `ami-…`.
        image: String,
    },
}

impl fmt::Display for SnapshotReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLayer => f.write_str("it is not tagged as a layer's snapshot"),
            Self::NotOwn => f.write_str("another account owns it"),
            Self::NotCompleted { state } => write!(f, "its state is {state}, not completed"),
            Self::UnknownAge => f.write_str("its start time is missing, unreadable or in the future"),
            Self::Young { age, limit } => write!(f, "it was made {}; the limit is {}", ago(*age), spoken(*limit)),
            Self::Root { image } => write!(f, "{image} is registered from it"),
            Self::Ancestor { image } => write!(f, "{image} was baked on this layer"),
            Self::UnknownLineage { image } => write!(f, "the layers of {image} are not known"),
        }
    }
}

/// Decides on a snapshot that holds a layer: it goes when it is older than `policy.idle` and no image descends from it.
#[must_use]
pub fn snapshot_verdict(
    facts: &SnapshotFacts,
    uses: &SnapshotUses,
    now: Timestamp,
    policy: &Policy,
) -> SnapshotVerdict {
    let mut reasons = Vec::new();
    let layer = facts.tags.get(tags::LAYER).and_then(|text| LayerKey::from_hex(text));
    if layer.is_none() {
        reasons.push(SnapshotReason::NoLayer);
    }
    if facts.owner.is_empty() || facts.owner != uses.account {
        reasons.push(SnapshotReason::NotOwn);
    }
    if facts.state != "completed" {
        reasons.push(SnapshotReason::NotCompleted { state: facts.state.clone() });
    }
    let age = find_age(facts, now, policy);
    match age {
        None => reasons.push(SnapshotReason::UnknownAge),
        Some(age) if age <= policy.idle => reasons.push(SnapshotReason::Young { age, limit: policy.idle }),
        Some(_) => {}
    }
    reasons.extend(uses.images.iter().filter_map(|image| descends(image, &facts.id, layer)));
    match age {
        Some(age) if reasons.is_empty() => SnapshotVerdict::Delete { age },
        _ => SnapshotVerdict::Keep(reasons),
    }
}

fn find_age(facts: &SnapshotFacts, now: Timestamp, policy: &Policy) -> Option<SignedDuration> {
    let started = instant::read(facts.started.as_deref()?).ok()?;
    let is_future = started.earliest().duration_since(now) > policy.skew;
    (!is_future).then(|| now.duration_since(started.latest()))
}

fn descends(image: &Lineage, snapshot: &str, layer: Option<LayerKey>) -> Option<SnapshotReason> {
    let name = image.image.clone();
    if image.snapshots.iter().any(|own| own == snapshot) {
        return Some(SnapshotReason::Root { image: name });
    }
    match &image.layers {
        None => Some(SnapshotReason::UnknownLineage { image: name }),
        Some(layers) => layer.filter(|key| layers.contains(key)).map(|_| SnapshotReason::Ancestor { image: name }),
    }
}
