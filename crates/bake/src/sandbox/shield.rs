//! Files that the play shall see and the image shall not have: a layer between the base and the play's own writes.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;

/// Path in the image, mode, content.
const FILES: [(&str, u32, &str); 3] = [
    // `invoke-rc.d` asks it before it starts a SysV script, which is what package scripts fall back to without systemd.
    ("usr/sbin/policy-rc.d", 0o755, "#!/bin/sh\n# A bake starts nothing.\nexit 101\n"),
    // A bake that breaks off is thrown away, so nothing is gained by waiting for the disk after every file.
    ("etc/dpkg/dpkg.cfg.d/ovenbird-bake", 0o644, "force-unsafe-io\n"),
    // The packages go to the host's cache, which outlives the bake. The planner's log, a fifth of what apt itself does, is compressed
    // for nobody: sealing removes it.
    (
        "etc/apt/apt.conf.d/99ovenbird-bake",
        0o644,
        "APT::Keep-Downloaded-Packages \"true\";\nBinary::apt::APT::Keep-Downloaded-Packages \"true\";\n\
         Acquire::Languages \"none\";\nAcquire::Retries \"3\";\nDir::Log::Planner \"/dev/null\";\n",
    ),
];

/// Writes the layer to `dir` and returns its path.
pub(super) fn write(dir: &Path) -> io::Result<PathBuf> {
    for (path, mode, content) in FILES {
        put(dir, path, mode, content.as_bytes())?;
    }
    // The host's resolver is what makes the host's network usable. In the image it is often a link into an empty /run.
    if let Ok(resolver) = fs::read("/etc/resolv.conf") {
        put(dir, "etc/resolv.conf", 0o644, &resolver)?;
    }
    Ok(dir.to_owned())
}

fn put(dir: &Path, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let file = dir.join(path);
    for folder in Path::new(path)
        .ancestors()
        .skip(1)
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect::<Vec<_>>()
        .iter()
        .rev()
    {
        // An upper folder's mode is the merged folder's mode, whatever the umask.
        ensure_folder(&dir.join(folder))?;
    }
    fs::write(&file, content)?;
    fs::set_permissions(file, PermissionsExt::from_mode(mode))
}

fn ensure_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755))
}
