//! What a finished tree is, and what is wrong with it.

use std::io;
use std::path::Path;

use ovenbird_core::block::Digest;
use ovenbird_core::contents::Contents;
use serde::Deserialize;
use serde::Serialize;

use crate::Demands;
use crate::contents;
use crate::lint;
use crate::tree::KnownFiles;
use crate::tree::Tree;

/// A last look at a finished tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The digest of the file tree: the image's identity.
    pub tree: Digest,
    /// What people compare images by.
    pub contents: Contents,
    /// The rules that it breaks, a sentence each.
    pub lints: Vec<String>,
}

/// Looks at the tree at `root`, which is not changed.
///
/// # Errors
/// When something of it cannot be read.
pub fn report(root: &Path, demands: &Demands) -> io::Result<Report> {
    report_known(root, demands, &mut KnownFiles::default())
}

/// As [`report`], without reading the files that are known, as [`Tree::scan_known`].
///
/// # Errors
/// When something of it cannot be read.
pub fn report_known(root: &Path, demands: &Demands, known: &mut KnownFiles) -> io::Result<Report> {
    let (tree, lints) = at_once(|| Tree::scan_known(root, known), || lint(root, demands));
    let (tree, lints) = (tree?, lints?.iter().map(ToString::to_string).collect());
    let (contents, digest) = at_once(|| contents::of(root, &tree), || tree.digest());
    Ok(Report { tree: digest, contents: contents?, lints })
}

/// Both, side by side.
fn at_once<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        (one(), other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
