//! Retention: may this image be deleted?
//!
//! The article's contract decides alone *for* deletion: `AutoCleanup` is exactly `true`, `LastUsed` is more than a week
//! old, `LastUsedRuntime` is less than an hour old. Every other fact can only veto, and so can every fact that is
//! missing or cannot be read (lifecycle.md section 3). Deleting needs proof; keeping needs none.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::instant;
use crate::tags;

mod reason;
mod snapshot;

pub use reason::Clock;
pub use reason::Ground;
pub use reason::Reason;
pub use snapshot::Lineage;
pub use snapshot::SnapshotFacts;
pub use snapshot::SnapshotReason;
pub use snapshot::SnapshotUses;
pub use snapshot::SnapshotVerdict;
pub use snapshot::snapshot_verdict;

/// The limits of the decision. The default is the article's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// An image must have been unused for longer than this.
    pub idle: SignedDuration,
    /// The last complete inventory must have begun less than this ago.
    pub fresh: SignedDuration,
    /// Clocks may differ by this; a time further in the future was not written by a clock that can be believed.
    pub skew: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            idle: SignedDuration::from_hours(7 * 24),
            fresh: SignedDuration::from_hours(1),
            skew: SignedDuration::from_mins(2),
        }
    }
}

/// What `DescribeImages` says of one image. Times are texts as the API gave them, so that reading them is part of the decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// `ami-…`.
    pub id: String,
    /// Account that owns it.
    pub owner: String,
    /// `available`, `pending`, `failed`, `disabled`, …
    pub state: String,
    /// All its tags.
    pub tags: BTreeMap<String, String>,
    /// `CreationDate`.
    pub created: Option<String>,
    /// `LastLaunchedTime`; absent for an image that never was launched, and it lags by a day.
    pub last_launched: Option<String>,
    /// `DeregistrationProtection` is anything but `disabled`.
    pub protected: bool,
    /// Everybody may launch it.
    pub public: bool,
    /// Accounts, organizations and units that may launch it.
    pub shared_with: Vec<String>,
}

/// Everything that was seen to use images, in one complete observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// The account that looks: `GetCallerIdentity`.
    pub account: String,
    /// Instances in every state.
    pub instances: Vec<InstanceUse>,
    /// Pointers of every service and environment.
    pub pointers: Vec<PointerUse>,
    /// Which image was made from which, pending ones included.
    pub descents: Vec<Descent>,
}

/// An instance and the image that it was launched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceUse {
    /// `i-…`.
    pub id: String,
    /// `pending`, `running`, `stopped`, … An instance that is `terminated` uses nothing.
    pub state: String,
    /// `ami-…`.
    pub image: String,
}

/// A pointer's parameter with the images that it names and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointerUse {
    /// The parameter, such as `/ovenbird/web/prod`.
    pub parameter: String,
    /// The image that it names now.
    pub current: String,
    /// The image before that one in its history: where a rollback goes.
    pub previous: Option<String>,
}

/// An image and one that it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descent {
    /// The image that was made.
    pub child: String,
    /// The image that it was made or copied from.
    pub parent: String,
    /// The child's state is `pending`: it is being made just now.
    pub pending: bool,
}

/// The decision on one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays; every reason that was found, never empty.
    Keep(Vec<Reason>),
    /// It goes; the grounds that the contract asks for.
    Delete(Vec<Ground>),
}

impl Verdict {
    /// Whether the image goes.
    #[must_use]
    pub fn is_delete(&self) -> bool {
        matches!(self, Self::Delete(_))
    }
}

/// Decides on `image`. Nothing but the three tags of the contract speaks for deletion; `uses` and all else can only veto.
#[must_use]
pub fn verdict(image: &ImageFacts, uses: &Uses, now: Timestamp, policy: &Policy) -> Verdict {
    let vetoes = own_vetoes(image, &uses.account).into_iter().chain(use_vetoes(&image.id, uses));
    match contract(image, now, policy) {
        Err(reasons) => Verdict::Keep(reasons.into_iter().chain(vetoes).collect()),
        Ok(grounds) => {
            let vetoes: Vec<Reason> = vetoes.collect();
            if vetoes.is_empty() { Verdict::Delete(grounds) } else { Verdict::Keep(vetoes) }
        }
    }
}

/// The article's three conditions. The reasons are why they do not hold, or cannot be known to hold.
fn contract(image: &ImageFacts, now: Timestamp, policy: &Policy) -> Result<Vec<Ground>, Vec<Reason>> {
    let conditions = [marked(image), idle(image, now, policy), observed(image, now, policy)];
    if conditions.iter().all(Result::is_ok) {
        return Ok(conditions.into_iter().flatten().collect());
    }
    Err(conditions.into_iter().filter_map(Result::err).flatten().collect())
}

fn marked(image: &ImageFacts) -> Result<Ground, Vec<Reason>> {
    if image.tags.get(tags::AUTO_CLEANUP).is_some_and(|value| value == "true") {
        return Ok(Ground::Marked);
    }
    let near = |(key, value): &(&String, &String)| {
        key.eq_ignore_ascii_case(tags::AUTO_CLEANUP)
            && ["true", "yes", "1", "on"].contains(&value.trim().to_lowercase().as_str())
    };
    Err(vec![match image.tags.iter().find(near) {
        Some((key, value)) => Reason::NearlyMarked { key: key.clone(), value: value.clone() },
        None => Reason::NotMarked,
    }])
}

/// Unused for longer than the limit, by the latest of everything that speaks of use: a copy or a restored image is born
/// with an old `LastUsed` (lifecycle.md rows 3 and 4).
fn idle(image: &ImageFacts, now: Timestamp, policy: &Policy) -> Result<Ground, Vec<Reason>> {
    let texts = [
        (Clock::LastUsed, image.tags.get(tags::LAST_USED)),
        (Clock::Created, image.created.as_ref()),
        (Clock::LastLaunched, image.last_launched.as_ref()),
    ];
    let mut reasons = Vec::new();
    let mut youngest = SignedDuration::MAX;
    for (clock, text) in texts {
        match text.map(|text| read(clock, text, now, policy)) {
            // An image that was never launched has no such time; the other two must be there.
            None if clock == Clock::LastLaunched => {}
            None => reasons.push(Reason::Unknown { clock }),
            Some(Err(reason)) => reasons.push(reason),
            Some(Ok(time)) => {
                let age = now.duration_since(time.latest());
                youngest = youngest.min(age);
                if age <= policy.idle {
                    reasons.push(Reason::Recent { clock, age, limit: policy.idle });
                }
            }
        }
    }
    if reasons.is_empty() { Ok(Ground::Idle { since: youngest, limit: policy.idle }) } else { Err(reasons) }
}

/// A complete inventory that covered the image began less than the limit ago.
fn observed(image: &ImageFacts, now: Timestamp, policy: &Policy) -> Result<Ground, Vec<Reason>> {
    let clock = Clock::LastUsedRuntime;
    let text = image.tags.get(tags::LAST_USED_RUNTIME).ok_or_else(|| vec![Reason::Unknown { clock }])?;
    let time = read(clock, text, now, policy).map_err(|reason| vec![reason])?;
    let age = now.duration_since(time.earliest());
    if age < policy.fresh {
        Ok(Ground::Observed { age, limit: policy.fresh })
    } else {
        Err(vec![Reason::Unobserved { age, limit: policy.fresh }])
    }
}

fn read(clock: Clock, text: &str, now: Timestamp, policy: &Policy) -> Result<instant::ReadInstant, Reason> {
    let time = instant::read(text).map_err(|_| Reason::Unreadable { clock, text: text.to_owned() })?;
    let ahead = time.earliest().duration_since(now);
    if ahead > policy.skew { Err(Reason::Future { clock, ahead }) } else { Ok(time) }
}

/// What the image's own record says against its deletion (lifecycle.md rows 31 and 43).
fn own_vetoes(image: &ImageFacts, account: &str) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if image.owner.is_empty() || image.owner != account {
        reasons.push(Reason::NotOwn { owner: image.owner.clone() });
    }
    if image.state != "available" {
        reasons.push(Reason::NotAvailable { state: image.state.clone() });
    }
    if image.protected {
        reasons.push(Reason::Protected);
    }
    if image.public {
        reasons.push(Reason::Public);
    }
    if !image.shared_with.is_empty() {
        reasons.push(Reason::Shared { with: image.shared_with.clone() });
    }
    reasons
}

/// Who uses the image (lifecycle.md rows 8, 11, 32, 36 and 37).
fn use_vetoes<'a>(id: &'a str, uses: &'a Uses) -> impl Iterator<Item = Reason> + 'a {
    let is_used = move |instance: &&InstanceUse| instance.image == id && instance.state != "terminated";
    let instances = uses
        .instances
        .iter()
        .filter(is_used)
        .map(|instance| Reason::Instance { id: instance.id.clone(), state: instance.state.clone() });
    let current = uses.pointers.iter().filter(move |pointer| pointer.current == id);
    let previous = uses.pointers.iter().filter(move |pointer| pointer.previous.as_deref() == Some(id));
    instances
        .chain(current.map(|pointer| Reason::Pointed { parameter: pointer.parameter.clone() }))
        .chain(previous.map(|pointer| Reason::RollbackTarget { parameter: pointer.parameter.clone() }))
        .chain(find_descendant(id, uses))
}

/// A descendant, at any distance, that is being made or that a pointer names.
fn find_descendant(id: &str, uses: &Uses) -> Option<Reason> {
    let mut seen = BTreeSet::from([id]);
    let mut open = vec![id];
    while let Some(parent) = open.pop() {
        for descent in uses.descents.iter().filter(|descent| descent.parent == parent) {
            let child = descent.child.as_str();
            if descent.pending {
                return Some(Reason::ParentOfPending { child: child.to_owned() });
            }
            let names = |pointer: &&PointerUse| pointer.current == child || pointer.previous.as_deref() == Some(child);
            if let Some(pointer) = uses.pointers.iter().find(names) {
                return Some(Reason::ParentOfPointed { child: child.to_owned(), parameter: pointer.parameter.clone() });
            }
            if seen.insert(child) {
                open.push(child);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
