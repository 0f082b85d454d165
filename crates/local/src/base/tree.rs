//! The file tree of a base: unpacked, cleaned of what belongs to one machine, and dated.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use fs_err as fs;
use fs_err::os::unix::fs::symlink;
use ovenbird_disk::tool::Tool;
use rustix::fs::AtFlags;
use rustix::fs::CWD;
use rustix::fs::Timespec;
use rustix::fs::Timestamps;

use super::BaseError;
use super::io_error;

/// Unpacks the tar into a folder of `work`, with owners, modes and extended attributes.
pub(super) fn unpack(tar: &Path, work: &Path) -> Result<PathBuf, BaseError> {
    let root = work.join("root");
    fs::create_dir(&root).map_err(io_error("make the root folder"))?;
    Tool::new("tar")
        .doing(format!("unpack {} (if it is damaged, remove it)", tar.display()))
        .args(["--numeric-owner", "--xattrs", "--xattrs-include=*", "--same-permissions", "-xf"])
        .arg(tar)
        .arg("-C")
        .arg(&root)
        .deadline(Duration::from_secs(600))
        .run()?;
    Ok(root)
}

/// Files that belong to the build or to one machine.
const REMOVED: [&str; 23] = [
    "etc/.pwd.lock",
    "etc/.resolv.conf.systemd-resolved.bak",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/group-",
    "etc/gshadow-",
    "etc/passwd-",
    "etc/shadow-",
    "etc/subgid-",
    "etc/subuid-",
    "etc/ssh/ssh_host_ecdsa_key",
    "etc/ssh/ssh_host_ecdsa_key.pub",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_ed25519_key.pub",
    "etc/ssh/ssh_host_rsa_key",
    "etc/ssh/ssh_host_rsa_key.pub",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/status-old",
    "var/lib/systemd/random-seed",
];

/// Removes what an image must not carry from its build into every instance (boot.md 1.6).
pub(super) fn remove_identity(root: &Path) -> Result<(), BaseError> {
    let remove = || {
        for path in REMOVED {
            remove_if_there(&root.join(path))?;
        }
        empty_logs(&root.join("var/log"))?;
        // Empty, not missing: then systemd makes a new one at boot and does not take the boot for an installation.
        fs::write(root.join("etc/machine-id"), "")?;
        let resolv_conf = root.join("etc/resolv.conf");
        remove_if_there(&resolv_conf)?;
        symlink("../run/systemd/resolve/stub-resolv.conf", resolv_conf)
    };
    remove().map_err(io_error("remove what belongs to the build"))
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Removes log files; those that programs expect to find (`wtmp`, `lastlog`) become empty.
fn empty_logs(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            empty_logs(&path)?;
        } else if kind.is_file() {
            let is_expected = ["btmp", "faillog", "lastlog", "wtmp"].iter().any(|name| path.ends_with(name));
            if is_expected { fs::write(&path, "")? } else { fs::remove_file(&path)? }
        }
    }
    Ok(())
}

/// The installed packages, `name version`, sorted.
pub(super) fn list_packages(root: &Path) -> Result<Vec<String>, BaseError> {
    let output = Tool::new("chroot")
        .doing("list the packages of the base")
        .arg(root)
        .args(["dpkg-query", "--show", "--showformat", "${Package} ${Version}\\n"])
        .env_clear()
        .run()?;
    let mut packages: Vec<_> = output.text().lines().map(str::to_owned).collect();
    packages.sort();
    Ok(packages)
}

/// Nothing is newer than `epoch` (seconds since 1970), neither files nor the days in `/etc/shadow`: two builds from the
/// same archives then have the same tree. Older times stay, since Python compares them with its compiled files.
pub(super) fn clamp_times(root: &Path, epoch: u64) -> Result<(), BaseError> {
    let clamp = || {
        let shadow = root.join("etc/shadow");
        let dated = date_passwords(&fs::read_to_string(&shadow)?, epoch / (24 * 60 * 60));
        // In place: it keeps its mode and owner.
        fs::write(&shadow, dated)?;
        clamp_below(root, epoch.cast_signed())
    };
    clamp().map_err(io_error("date the files of the base"))
}

fn clamp_below(path: &Path, epoch: i64) -> io::Result<()> {
    let found = rustix::fs::lstat(path)?;
    if rustix::fs::FileType::from_raw_mode(found.st_mode).is_dir() {
        for entry in fs::read_dir(path)? {
            clamp_below(&entry?.path(), epoch)?;
        }
    }
    // mke2fs copies whole seconds only.
    let time = Timespec { tv_sec: found.st_mtime.min(epoch), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// The third field of `shadow(5)` is the day of the last change.
fn date_passwords(shadow: &str, day: u64) -> String {
    let date = |line: &str| {
        let mut fields: Vec<&str> = line.split(':').collect();
        let day = day.to_string();
        if let Some(changed) = fields.get_mut(2)
            && !changed.is_empty()
            && *changed != "0"
        {
            *changed = &day;
        }
        fields.join(":") + "\n"
    };
    shadow.lines().map(date).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_dated_and_forced_changes_stay() {
        let shadow = "root:*:20780:0:99999:7:::\nforced:!:0:0::::\nodd\n";
        assert_eq!(date_passwords(shadow, 5), "root:*:5:0:99999:7:::\nforced:!:0:0::::\nodd\n");
    }

    #[test]
    fn only_newer_times_are_changed() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path();
        fs::create_dir_all(root.join("etc")).expect("a folder");
        fs::write(root.join("etc/shadow"), "root:*:20780:0:99999:7:::\n").expect("a file");
        fs::write(root.join("old"), "").expect("a file");
        symlink("nowhere", root.join("link")).expect("a link");
        let old = Timespec { tv_sec: 1000, tv_nsec: 0 };
        let times = Timestamps { last_access: old, last_modification: old };
        rustix::fs::utimensat(CWD, root.join("old"), &times, AtFlags::empty()).expect("dated");
        clamp_times(root, 90_000).expect("clamped");
        let time = |path: &str| rustix::fs::lstat(root.join(path)).expect("there").st_mtime;
        assert_eq!([time("old"), time("link"), time("etc"), time("etc/shadow")], [1000, 90_000, 90_000, 90_000]);
        assert!(fs::read_to_string(root.join("etc/shadow")).expect("there").contains("root:*:1:"));
    }
}
