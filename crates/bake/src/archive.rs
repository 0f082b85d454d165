//! The package archive as one of a bake's inputs: which state of it a bake saw, fetched once and then the same for every layer.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use ovenbird_core::block::Digest;
use ovenbird_disk::tool::ToolError;
use sha2::Digest as _;
use sha2::Sha256;

use crate::sandbox::Layers;
use crate::sandbox::Options;
use crate::sandbox::PackageCache;
use crate::sandbox::Sandbox;
use crate::sandbox::SandboxError;
use crate::sandbox::Tmp;

/// The package lists could not be fetched or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The sandbox in which the image's own `apt-get` runs.
    #[error("could not fetch the package lists")]
    Sandbox(#[from] SandboxError),
    /// `apt-get update` failed; its words say which source did.
    #[error("could not fetch the package lists; is there a network, and do the image's apt sources exist?")]
    Update(#[source] ToolError),
    /// The lists cannot be read.
    #[error("could not read the package lists")]
    File(#[from] std::io::Error),
}

/// How long all sources together may take.
const UPDATE: Duration = Duration::from_secs(180);

/// Fetches the package lists of the sources that the image at `lower` (topmost tree first) names, with its own keys and its own
/// `apt-get`, and makes them the lists of `packages`. What has not changed is not fetched again. `bake` is whose processes they are.
///
/// # Errors
/// [`ArchiveError`]; the lists are then as they were.
pub fn refresh(lower: &[PathBuf], packages: &PackageCache, work: &Path, bake: &str) -> Result<(), ArchiveError> {
    let layers = Layers { lower: lower.to_vec(), upper: work.join("upper"), work: work.join("work") };
    for folder in [&layers.upper, &layers.work] {
        fs::create_dir_all(folder)?;
    }
    if let Some(parent) = packages.lists.parent() {
        fs::create_dir_all(parent)?;
    }
    let options = Options {
        bake: bake.to_owned(),
        room: work.join("room"),
        packages: Some(packages.clone()),
        tmp: Tmp::OfItsOwn,
        epoch: 0,
    };
    let sandbox = Sandbox::start(&layers, &options)?;
    let update = sandbox.tool("apt-get").args(["-q", "-o", "APT::Update::Error-Mode=any", "update"]);
    update.doing("fetch the package lists").deadline(UPDATE).run().map_err(ArchiveError::Update)?;
    Ok(sandbox.stop_with_lists()?)
}

/// What the archive is: a digest of the signed summaries of all sources. It changes when any package of any source does.
///
/// # Errors
/// When the folder cannot be read.
pub fn state(lists: &Path) -> Result<Digest, ArchiveError> {
    let mut hash = Sha256::new();
    for file in summaries(lists)? {
        let name = file.file_name().unwrap_or_default().as_encoded_bytes();
        let content = fs::read(&file)?;
        hash.update([name, b"\0", &content.len().to_le_bytes(), &content].concat());
    }
    Ok(Digest(hash.finalize().into()))
}

/// When the newest of the summaries was made, in seconds since 1970: a time that follows from a bake's inputs, for clamping.
///
/// # Errors
/// When the folder cannot be read.
pub fn newest(lists: &Path) -> Result<Option<i64>, ArchiveError> {
    let mut newest = None;
    for file in summaries(lists)? {
        let text = String::from_utf8_lossy(&fs::read(file)?).into_owned();
        newest = newest.max(text.lines().find_map(|line| line.strip_prefix("Date:")).and_then(parse_date));
    }
    Ok(newest)
}

/// `Sat, 17 May 2025 09:45:58 UTC`; RFC 2822 writes that zone `GMT`.
fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim().replace("UTC", "GMT");
    Some(jiff::fmt::rfc2822::parse(&text).ok()?.timestamp().as_second())
}

/// The `InRelease` files (or `Release`, where a source signs beside it), by name.
fn summaries(lists: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(lists)? {
        let path = entry?.path();
        let is_summary = path.to_str().is_some_and(|path| path.ends_with("_InRelease") || path.ends_with("_Release"));
        if is_summary && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_that_of_the_summaries_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
        put("a_InRelease", "Suite: x\nDate: Sat, 17 May 2025 09:45:58 UTC\n");
        put("b_InRelease", "Date: Sun, 18 May 2025 00:00:00 UTC\n");
        let before = state(dir.path()).expect("a state");
        put("a_Packages", "Package: x\n");
        put("lock", "");
        assert_eq!(state(dir.path()).expect("a state"), before);
        assert_eq!(newest(dir.path()).expect("a time"), Some(1_747_526_400));
        put("b_InRelease", "Date: Sun, 18 May 2025 00:00:01 UTC\n");
        assert_ne!(state(dir.path()).expect("a state"), before);
    }
}
