//! The files that a template names, looked for before anything is begun.

use std::path::Path;

use ovenbird_template::Build;
use ovenbird_template::is_placeholder;

/// A sentence for each file that the build names and that is not there. `directory` is where Packer would have been started.
pub(crate) fn missing_files(build: &Build, directory: &Path) -> Vec<String> {
    let mut named = build.named_files();
    // What only AWS knows is not known yet, and what only a shell knows never is.
    named.retain(|file| !is_placeholder(&file.path) && !file.path.starts_with('~'));
    named.retain(|file| !directory.join(&file.path).exists());
    let tell = |file: &ovenbird_template::NamedFile| {
        format!("{}: there is no file `{}`, which `{}` names", file.place, file.path, file.option)
    };
    named.iter().map(tell).collect()
}
