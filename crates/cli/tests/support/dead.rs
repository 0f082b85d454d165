//! Tests that were killed, by a runner that had waited long enough: nothing of theirs was dropped, and their embedded EC2 lives on with its
//! instances, networks and mounts.

use std::path::Path;
use std::path::PathBuf;

use super::home::PREFIX;
use super::home::tool_in;
use super::leftovers::mounts_below;

/// Ends what is left of them.
pub fn end_dead_tests() {
    for folder in list_dead(&std::env::temp_dir()) {
        // Another test may be at it too; what is still there then, the next one finds.
        _ = tool_in(&folder, env!("CARGO_BIN_EXE_ovenbird")).args(["local", "down", "--delete"]).run();
        if mounts_below(&folder.display().to_string()).is_empty() {
            _ = fs_err::remove_dir_all(folder);
        }
    }
}

/// The folders of tests whose process is gone.
fn list_dead(temporary: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(temporary).into_iter().flatten().flatten();
    let is_dead = |name: &str| {
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    };
    entries.filter(|entry| entry.file_name().to_str().is_some_and(is_dead)).map(|entry| entry.path()).collect()
}
