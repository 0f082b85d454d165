//! Importing disks: raw files as they are, qcow2 through qemu-img.

use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;

use crate::blocks;
use crate::tool::Tool;
use crate::tool::ToolError;

/// A disk that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read or written.
    #[error("cannot import {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The conversion failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The file would pull in others: an image from elsewhere must not name files of this machine.
    #[error("{} refers to another file ({what}); make it self-contained first: qemu-img convert -O raw", file.display())]
    NotSelfContained {
        /// The file.
        file: PathBuf,
        /// Which feature.
        what: &'static str,
    },
}

/// Makes `raw` a sparse raw copy of the disk in `file`, which is raw or qcow2 (its first bytes tell).
///
/// # Errors
/// [`ImportError`] when it cannot be read, refers to other files, or qemu-img fails.
pub fn ensure_raw(file: &Path, raw: &Path) -> Result<(), ImportError> {
    let io_error = |source| ImportError::Io { file: file.to_owned(), source };
    let Some(header) = read_header(file).map_err(io_error)? else {
        return blocks::copy_sparse(file, raw).map_err(io_error);
    };
    if let Some(what) = refers_to(&header) {
        return Err(ImportError::NotSelfContained { file: file.to_owned(), what });
    }
    Tool::new("qemu-img")
        .doing(format!("convert {} into a raw disk", file.display()))
        .args(["convert", "-f", "qcow2", "-O", "raw", "-S", "4k"])
        .args([file, raw])
        .deadline(Duration::from_secs(30 * 60))
        .run()?;
    Ok(())
}

/// Length of the part of a qcow2 header that we look at.
const HEADER: usize = 80;

/// The header of a qcow2 file; `None` for any other file.
fn read_header(file: &Path) -> io::Result<Option<[u8; HEADER]>> {
    let mut header = Vec::new();
    fs::File::open(file)?.take(HEADER as u64).read_to_end(&mut header)?;
    header.resize(HEADER, 0);
    Ok(header.try_into().ok().filter(|header: &[u8; HEADER]| header.starts_with(b"QFI\xfb")))
}

/// What a qcow2 file would read besides itself (QEMU's docs/interop/qcow2: backing file offset at 8, incompatible
/// features at 72 since version 3, of which bit 2 is an external data file).
fn refers_to(header: &[u8; HEADER]) -> Option<&'static str> {
    if header[8..16] != [0; 8] {
        return Some("a backing file");
    }
    let is_version_2 = header[4..8] == [0, 0, 0, 2];
    (!is_version_2 && header[79] & 0b100 != 0).then_some("an external data file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(backing: u8, features: u8) -> Vec<u8> {
        let mut header = vec![0; HEADER];
        header[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
        header[15] = backing;
        header[79] = features;
        header
    }

    #[test]
    fn an_image_that_names_other_files_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (file, raw) = (dir.path().join("image"), dir.path().join("raw"));
        for (backing, features) in [(9, 0), (0, 0b100)] {
            fs::write(&file, header(backing, features)).unwrap();
            let error = ensure_raw(&file, &raw).unwrap_err();
            assert!(matches!(error, ImportError::NotSelfContained { .. }), "{error}");
        }
    }

    #[test]
    fn a_raw_disk_is_copied_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (file, raw) = (dir.path().join("image"), dir.path().join("raw"));
        blocks::create_sparse(&file, 3 * 512 * 1024 + 7).unwrap();
        blocks::write_block(fs::OpenOptions::new().write(true).open(&file).unwrap().file(), 1, &vec![3; 512 * 1024])
            .unwrap();
        ensure_raw(&file, &raw).unwrap();
        assert_eq!(blocks::scan(&raw).unwrap(), blocks::scan(&file).unwrap());
    }
}
