//! Bakes that were cut off and can be gone on with.

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::error::BakeError;
use crate::folder::BakeFolder;
use crate::folder::Folders;
use crate::folder::list_bakes;
use crate::journal;
use crate::path::BakePath;

/// A bake whose process is gone and whose journal is there. With the same service, present and seed, and the same variables, its template
/// says the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumable {
    /// The bake's id.
    pub bake: String,
    /// The service.
    pub service: String,
    /// The account that it baked in.
    pub account: String,
    /// The region.
    pub region: String,
    /// The present as the template saw it.
    pub now: Timestamp,
    /// What the template's random values came from.
    pub seed: u64,
    /// Whether every layer was to be run.
    pub rebuild: bool,
    /// How old results might be.
    pub max_age: Option<SignedDuration>,
    /// The path that was asked for.
    pub path: Option<BakePath>,
}

/// The bakes of this machine that can be gone on with, by id.
///
/// # Errors
/// The disk's.
pub fn find_resumable(folders: &Folders) -> Result<Vec<Resumable>, BakeError> {
    let ids = list_bakes(folders)?.into_iter();
    let found = ids.filter_map(|bake| {
        let folder = BakeFolder::find_abandoned(folders, &bake)?;
        let beginning = journal::find_beginning(&folder.path)?;
        Some(Resumable {
            bake,
            service: beginning.service,
            account: beginning.account,
            region: beginning.region,
            now: beginning.now,
            seed: beginning.seed,
            rebuild: beginning.rebuild,
            max_age: beginning.max_age.map(SignedDuration::from_secs),
            path: beginning.path,
        })
    });
    Ok(found.collect())
}
