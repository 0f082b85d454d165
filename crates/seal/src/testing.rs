//! Trees for the tests of the rules and lints.

use std::path::Path;

use fs_err as fs;

/// Writes a file below `root`, with the folders above it.
pub(crate) fn put(root: &Path, path: &str, content: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a parent")).expect("made");
    fs::write(file, content).expect("written");
}
