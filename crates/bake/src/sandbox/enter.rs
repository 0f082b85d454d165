//! The program that runs a command inside.

use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::process::Process;

use super::BAKE_VARIABLE;
use super::CAPABILITIES;
use super::Options;

/// The environment of every command inside; nothing of the host's leaks in.
const ENVIRONMENT: [(&str, &str); 14] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LOGNAME", "root"),
    ("SHELL", "/bin/sh"),
    ("TERM", "dumb"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    // For tools that don't look at /proc/1/root.
    ("SYSTEMD_OFFLINE", "1"),
    // Byte code of a module that ran at bake time would differ from bake to bake.
    ("PYTHONDONTWRITEBYTECODE", "1"),
    // Scripts that print a set or a hash print it in the same order each time.
    ("PYTHONHASHSEED", "0"),
    ("PERL_HASH_SEED", "0"),
    ("PERL_PERTURB_KEYS", "0"),
];

/// Writes the program to `room`: `PROGRAM ROOT COMMAND…`. The first argument is what the chroot plugin passes, and known anyway.
pub(super) fn write(room: &Path, init: &Process, root: &Path, options: &Options) -> io::Result<PathBuf> {
    let mut assignments = String::new();
    for (name, value) in ENVIRONMENT {
        _ = write!(assignments, " {name}={value}");
    }
    let bake = options.bake.replace('\'', "");
    let (pid, root, epoch) = (init.pid, root.display(), options.epoch);
    // The host's programs enter, and the image's `setpriv` gives up the rights that entering needs.
    let script = format!(
        "#!/bin/sh\nshift\nexec nsenter --target {pid} --mount --ipc --uts --pid --root={root} --wd={root} \
         /usr/bin/setpriv --bounding-set={CAPABILITIES} --inh-caps=-all \
         /usr/bin/env -i{assignments} SOURCE_DATE_EPOCH={epoch} {BAKE_VARIABLE}='{bake}' \"$@\"\n"
    );
    let path = room.join("enter");
    fs::write(&path, script)?;
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755))?;
    Ok(path)
}
