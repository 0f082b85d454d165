//! The finished disk, which is kept beside the packages with a note of what it was made of.

use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use fs_err as fs;
use ovenbird_core::block::Digest;
use serde::Deserialize;
use serde::Serialize;

use super::BaseDisk;
use super::BaseError;
use super::BasePlan;
use super::configuration;
use super::disk;
use super::io_error;
use super::userland;

/// What a base is made of. Two builds of one edition are the same disk, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// When the package archives that it is made from were published, in seconds since 1970. No file in it is newer.
    pub epoch: u64,
    /// The digest of all else that goes into it, in hex: the list of packages, the configuration, the loader, and how it is laid out.
    pub recipe: String,
}

impl Edition {
    /// What the plan makes of packages of this time.
    pub(super) fn of(plan: &BasePlan, epoch: u64) -> Result<Self, BaseError> {
        let loader = fs::read(disk::LOADER).map_err(io_error("read the loader"))?;
        // The text of this code stands for what it does.
        let layout = [include_str!("configuration.rs"), include_str!("disk.rs"), include_str!("tree.rs")];
        let mut inputs = vec![plan.key(), Digest::of(&loader).hex()];
        inputs
            .extend(layout.into_iter().chain(configuration::contents()).map(|text| Digest::of(text.as_bytes()).hex()));
        Ok(Self { epoch, recipe: Digest::of(inputs.join("\n").as_bytes()).hex() })
    }

    /// The one that [`super::build`] makes with this cache, where the packages are in it; known without building anything.
    #[must_use]
    pub fn find(plan: &BasePlan, cache: &Path) -> Option<Self> {
        let epoch = userland::find(plan, cache).ok()??.epoch;
        Self::of(plan, epoch).ok()
    }
}

/// The note: what a disk is made of, and by what it is known to be untouched.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    edition: Edition,
    kernel: String,
    packages: Vec<String>,
    /// In bytes.
    length: u64,
    /// In nanoseconds since 1970.
    written: u128,
}

fn path(plan: &BasePlan, cache: &Path, ending: &str) -> PathBuf {
    cache.join(format!("{}.{ending}", plan.key()))
}

/// The disk of this edition, if it is there as it was built.
pub(super) fn find(plan: &BasePlan, cache: &Path, edition: &Edition) -> Option<BaseDisk> {
    let note = fs::read(path(plan, cache, "json")).ok()?;
    let note: Note = serde_json::from_slice(&note).ok()?;
    let disk = path(plan, cache, "raw");
    let is_untouched = state_of(&disk).ok()? == (note.length, note.written);
    let Note { edition: made, kernel, packages, .. } = note;
    (made == *edition && is_untouched).then_some(BaseDisk {
        disk,
        edition: made,
        kernel,
        packages,
        is_from_cache: true,
    })
}

/// Keeps the disk that was built in `built`; it takes the place of an earlier one.
pub(super) fn keep(plan: &BasePlan, cache: &Path, built: &Path, mut base: BaseDisk) -> Result<BaseDisk, BaseError> {
    base.disk = path(plan, cache, "raw");
    let (note, beside) = (path(plan, cache, "json"), path(plan, cache, "json.new"));
    let keep = || {
        fs::rename(built, &base.disk)?;
        let (length, written) = state_of(&base.disk)?;
        let (kernel, packages) = (base.kernel.clone(), base.packages.clone());
        let told = Note { edition: base.edition.clone(), kernel, packages, length, written };
        fs::write(&beside, serde_json::to_vec(&told)?)?;
        fs::rename(&beside, &note)
    };
    keep().map_err(io_error("move the finished disk into the cache"))?;
    Ok(base)
}

fn state_of(disk: &Path) -> std::io::Result<(u64, u128)> {
    let metadata = fs::metadata(disk)?;
    let written: SystemTime = metadata.modified()?;
    Ok((metadata.len(), written.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_found_until_it_or_what_it_is_made_of_changes() {
        let (folder, plan) = (tempfile::tempdir().expect("a folder"), BasePlan::debian_12());
        let cache = folder.path();
        let edition = Edition { epoch: 1, recipe: "all else".to_owned() };
        assert_eq!(find(&plan, cache, &edition), None);

        let built = cache.join("built");
        fs::write(&built, "a disk").expect("written");
        let packages = vec!["cloud-init 1".to_owned()];
        let disk = cache.join(format!("{}.raw", plan.key()));
        let base = BaseDisk { disk, edition: edition.clone(), kernel: "6.1".to_owned(), packages, is_from_cache: true };
        let kept = keep(&plan, cache, &built, base.clone()).expect("kept");
        assert_eq!((&kept, built.exists()), (&base, false));
        assert_eq!(find(&plan, cache, &edition), Some(base));

        let newer = Edition { epoch: 2, ..edition.clone() };
        let other = Edition { recipe: "something else".to_owned(), ..edition.clone() };
        assert_eq!([&newer, &other].map(|edition| find(&plan, cache, edition)), [None, None]);
        let fewer = BasePlan { packages: plan.packages[1..].to_vec(), ..plan.clone() };
        assert_eq!(find(&fewer, cache, &edition), None);

        fs::write(&kept.disk, "a desk").expect("written");
        assert_eq!(find(&plan, cache, &edition), None, "somebody wrote to it");
    }
}
