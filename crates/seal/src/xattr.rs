//! Extended attributes, without following links.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

/// Names that overlayfs keeps for itself; they are no part of what a tree is.
pub const OVERLAY: &[u8] = b"trusted.overlay.";

/// All attributes of an entry but overlayfs's own, by name.
///
/// # Errors
/// The file system's.
pub fn list(path: &Path) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut found = names(path)?;
    found.retain(|name| !name.starts_with(OVERLAY));
    found.into_iter().map(|name| Ok((name.clone(), get(path, &name)?.unwrap_or_default()))).collect()
}

/// One attribute; `None` when the entry does not have it.
///
/// # Errors
/// The file system's.
pub fn get(path: &Path, name: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; 256];
    loop {
        match rustix::fs::lgetxattr(path, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                return Ok(Some(value));
            }
            // 64 KiB is the most that Linux keeps in an attribute (XATTR_SIZE_MAX).
            Err(Errno::RANGE) if value.len() < 64 * 1024 => value.resize(64 * 1024, 0),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(error) => return Err(with_path(path, error)),
        }
    }
}

/// Gives `path` exactly these attributes.
///
/// # Errors
/// The file system's.
pub fn put_all(path: &Path, wanted: &BTreeMap<Vec<u8>, Vec<u8>>) -> io::Result<()> {
    let present = list(path)?;
    for name in present.keys().filter(|name| !wanted.contains_key(*name)) {
        rustix::fs::lremovexattr(path, name.as_slice()).map_err(|error| with_path(path, error))?;
    }
    for (name, value) in wanted.iter().filter(|(name, value)| present.get(*name) != Some(value)) {
        rustix::fs::lsetxattr(path, name.as_slice(), value, XattrFlags::empty())
            .map_err(|error| with_path(path, error))?;
    }
    Ok(())
}

/// The names of all attributes of an entry, also overlayfs's own.
///
/// # Errors
/// The file system's.
pub fn names(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut buffer = vec![0; 1024];
    loop {
        match rustix::fs::llistxattr(path, &mut buffer[..]) {
            Ok(length) => {
                let names = buffer[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
                return Ok(names.map(<[u8]>::to_vec).collect());
            }
            Err(Errno::RANGE) if buffer.len() < 64 * 1024 => buffer.resize(64 * 1024, 0),
            Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Err(error) => return Err(with_path(path, error)),
        }
    }
}

fn with_path(path: &Path, error: Errno) -> io::Error {
    io::Error::new(io::Error::from(error).kind(), format!("extended attributes of {}: {error}", path.display()))
}
