//! What turns one image's contents into another's.
//!
//! Laws: an image differs from itself in nothing; the difference the other way round is the mirrored one; applying the difference
//! of A and B to A gives B.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::contents;
use crate::contents::Contents;
use crate::contents::File;
use crate::contents::Group;
use crate::contents::Package;
use crate::contents::UnitState;
use crate::contents::User;

mod rows;
#[cfg(test)]
mod tests;

pub use rows::Aspect;
pub use rows::FileRow;
pub use rows::Movement;
pub use rows::PackageRow;
pub use rows::Summary;
pub use rows::Tally;

/// What happened to one thing that has a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change<T> {
    /// Only the second image has it.
    Added {
        /// What it is.
        after: T,
    },
    /// Only the first image has it.
    Removed {
        /// What it was.
        before: T,
    },
    /// Both have it, and it is not the same.
    Changed {
        /// What it was.
        before: T,
        /// What it is.
        after: T,
    },
}

/// Changes by name; what is the same is not in it.
pub type Changes<T> = BTreeMap<String, Change<T>>;

/// What turns one image's [`Contents`] into another's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImageDiff {
    /// Of os-release(5).
    pub release: Changes<String>,
    /// Packages.
    pub packages: Changes<Package>,
    /// Units that are enabled or masked.
    pub units: Changes<UnitState>,
    /// Users.
    pub users: Changes<User>,
    /// Groups.
    pub groups: Changes<Group>,
    /// Files.
    pub files: Changes<File>,
}

impl ImageDiff {
    /// What turns `before` into `after`.
    #[must_use]
    pub fn between(before: &Contents, after: &Contents) -> Self {
        Self {
            release: changes(&before.release, &after.release),
            packages: changes(&before.packages, &after.packages),
            units: changes(&before.units, &after.units),
            users: changes(&before.users, &after.users),
            groups: changes(&before.groups, &after.groups),
            files: changes(&before.files, &after.files),
        }
    }

    /// Whether the images hold the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What turns the second image into the first.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self {
            release: mirrored(self.release),
            packages: mirrored(self.packages),
            units: mirrored(self.units),
            users: mirrored(self.users),
            groups: mirrored(self.groups),
            files: mirrored(self.files),
        }
    }

    /// `before` with the changes made.
    #[must_use]
    pub fn apply(&self, before: &Contents) -> Contents {
        Contents {
            version: contents::VERSION,
            release: apply(&self.release, &before.release),
            packages: apply(&self.packages, &before.packages),
            units: apply(&self.units, &before.units),
            users: apply(&self.users, &before.users),
            groups: apply(&self.groups, &before.groups),
            files: apply(&self.files, &before.files),
        }
    }
}

impl<T> Change<T> {
    /// What it was; `None`: it was not there.
    #[must_use]
    pub fn before(&self) -> Option<&T> {
        match self {
            Self::Added { .. } => None,
            Self::Removed { before } | Self::Changed { before, .. } => Some(before),
        }
    }

    /// What it is; `None`: it is gone.
    #[must_use]
    pub fn after(&self) -> Option<&T> {
        match self {
            Self::Removed { .. } => None,
            Self::Added { after } | Self::Changed { after, .. } => Some(after),
        }
    }

    /// `+`, `-` or `~`
    #[must_use]
    pub fn sign(&self) -> char {
        match self {
            Self::Added { .. } => '+',
            Self::Removed { .. } => '-',
            Self::Changed { .. } => '~',
        }
    }
}

fn changes<T: Clone + PartialEq>(before: &BTreeMap<String, T>, after: &BTreeMap<String, T>) -> Changes<T> {
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let gone = gone.map(|(name, was)| (name.clone(), Change::Removed { before: was.clone() }));
    let new = after.iter().filter_map(|(name, is)| match before.get(name) {
        None => Some((name.clone(), Change::Added { after: is.clone() })),
        Some(was) if was == is => None,
        Some(was) => Some((name.clone(), Change::Changed { before: was.clone(), after: is.clone() })),
    });
    gone.chain(new).collect()
}

fn mirrored<T>(changes: Changes<T>) -> Changes<T> {
    let mirror = |change| match change {
        Change::Added { after } => Change::Removed { before: after },
        Change::Removed { before } => Change::Added { after: before },
        Change::Changed { before, after } => Change::Changed { before: after, after: before },
    };
    changes.into_iter().map(|(name, change)| (name, mirror(change))).collect()
}

fn apply<T: Clone>(changes: &Changes<T>, before: &BTreeMap<String, T>) -> BTreeMap<String, T> {
    let kept = before.iter().filter(|(name, _)| !changes.contains_key(*name));
    let new = changes.iter().filter_map(|(name, change)| Some((name, change.after()?)));
    kept.chain(new).map(|(name, value)| (name.clone(), value.clone())).collect()
}
