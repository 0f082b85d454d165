//! Making a provisioned tree an image: what belongs to the bake goes, and what must not be in an image is found.
//!
//! Sealing is a list of small rules over a root folder. Each is idempotent, and says why it is there. The lints change nothing:
//! what they find is a decision for a person. What the tree holds then, its digest and its packages, is what the image is.
//!
//! It must never know where the tree is: it works the same over a disk that a bake has mounted, and over the root of an
//! instance that was launched for a bake.

mod boot_play;
pub mod contents;
mod key;
mod lints;
pub mod packages;
mod report;
mod root;
mod rules;
#[cfg(test)]
mod testing;
pub mod tree;
pub mod xattr;
pub mod yaml;

use std::io;
use std::path::Path;

pub use key::remove_key;
pub use lints::Demands;
pub use lints::Lint;
pub use lints::lint;
pub use report::Report;
pub use report::report;
pub use report::report_known;
pub use rules::RULES;
pub use rules::Rule;
pub use rules::TEMPORARY_FILES;

use crate::root::Root;

/// A rule could not be applied, so the tree is not fit to be an image.
#[derive(Debug, thiserror::Error)]
#[error("could not seal the image: the rule `{rule}` failed")]
pub struct SealError {
    /// The rule's name.
    pub rule: &'static str,
    /// What went wrong.
    #[source]
    pub source: io::Error,
}

/// Applies all [`RULES`] to the tree at `root`. Does nothing to a tree that is sealed.
///
/// # Errors
/// [`SealError`] with the first rule that failed.
pub fn seal(root: &Path) -> Result<(), SealError> {
    seal_but(root, &[])
}

/// As [`seal`], without the rules of these names: for a tree that is not an image yet.
///
/// # Errors
/// As [`seal`].
pub fn seal_but(root: &Path, left_out: &[&str]) -> Result<(), SealError> {
    let root = Root::open(root).map_err(|source| SealError { rule: "root", source })?;
    let mut rules = RULES.iter().filter(|rule| !left_out.contains(&rule.name));
    rules.try_for_each(|rule| rule.apply(&root).map_err(|source| SealError { rule: rule.name, source }))
}
