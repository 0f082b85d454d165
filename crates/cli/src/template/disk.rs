//! The files that functions of a template ask for.

use std::path::Path;

use ovenbird_template::Files;
use walkdir::WalkDir;

/// The disk of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs_err::read(path).map_err(|error| error.to_string())
    }

    fn is_file(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let mut files = Vec::new();
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            if entry.file_type().is_file() {
                files.push(path.to_string_lossy().into_owned());
            }
        }
        Ok(files)
    }
}
