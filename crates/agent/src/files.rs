//! Files that are either whole or not there.

use std::io;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;

use crate::fault::Fault;

/// Writes a file of mode 0600 so that neither a crash nor a reader ever sees half of it: a temporary neighbour, synced, renamed
/// over it, and the folder synced. Makes the folder (0700) if it is missing.
///
/// # Errors
/// A fault that names the file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    try_write(path, bytes).map_err(|error| Fault::lasting(format!("cannot write {}: {error}", path.display())))
}

fn try_write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    ensure_private_folder(folder)?;
    let fresh = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    fs::File::open(folder)?.sync_all()
}

/// Makes a folder, and those above it, that only root may enter.
///
/// # Errors
/// Those of the system.
pub fn ensure_private_folder(folder: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Reads a file; `None` if there is none.
///
/// # Errors
/// A fault that names the file.
pub fn find_file(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Fault::lasting(format!("cannot read {}: {error}", path.display()))),
    }
}
