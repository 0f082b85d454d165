//! Where things are kept, by the XDG base directory rules.

use std::path::PathBuf;

use ovenbird_bake::Folders;

use crate::failure::Failure;

/// Folders of bakes.
pub(crate) fn bake() -> Result<Folders, Failure> {
    Ok(Folders { cache: cache()?, state: state()?.join("bake") })
}

/// `$XDG_CACHE_HOME/ovenbird`
pub(crate) fn cache() -> Result<PathBuf, Failure> {
    xdg("XDG_CACHE_HOME", ".cache")
}

/// `$XDG_STATE_HOME/ovenbird`
pub(crate) fn state() -> Result<PathBuf, Failure> {
    xdg("XDG_STATE_HOME", ".local/state")
}

/// The embedded EC2's own folder.
pub(crate) fn local() -> Result<PathBuf, Failure> {
    Ok(state()?.join("local"))
}

fn xdg(variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set(variable).or_else(|| set("HOME").map(|home| home.join(below_home)));
    base.map(|base| base.join("ovenbird")).ok_or_else(|| {
        Failure::usage(format!(
            "neither {variable} nor HOME is set to an absolute path, so there is nowhere to keep things"
        ))
    })
}
