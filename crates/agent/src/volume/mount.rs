//! Checking, mounting and growing a file system.
//!
//! The mount is a native systemd unit in `/run`, made anew at each boot: a line in fstab would need a device name that changes,
//! or `nofail`, which lets a service write to the root disk when the volume is missing (boot.md 3.5). Services order themselves
//! after it with `RequiresMountsFor=`, and systemd unmounts it at shutdown.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::fault::Fault;
use crate::report::say;
use crate::settings::Root;
use crate::spawn::Tool;
use crate::time::Deadline;

use super::content::Found;
use super::find::Device;
use super::find::size;

/// Whether the device is already mounted at `place`, as after a restart of the agent.
pub(super) fn is_mounted_at(device: &Device, place: &Path) -> bool {
    match (fs::metadata(place), fs::metadata(&device.path)) {
        (Ok(place), Ok(node)) => node.rdev() != 0 && place.dev() == node.rdev(),
        _ => false,
    }
}

/// Lets fsck repair what is safe to repair. Its exit code is a set of bits, and none of them ever means "format".
///
/// # Errors
/// When errors are left, or it could not work.
pub(super) fn verify_sound(device: &Device, found: &Found, deadline: &Deadline) -> Result<(), Fault> {
    if !found.is_ext() {
        // xfs and btrfs replay their logs when they are mounted.
        return Ok(());
    }
    let output = Tool::new("e2fsck").arg("-p").arg(&device.path).run(deadline)?;
    judge_fsck(output.code).map_err(|what| {
        Fault::lasting(format!("the file system on {} {what}; nothing was changed by force", device.path.display()))
    })
}

fn judge_fsck(code: Option<i32>) -> Result<(), &'static str> {
    match code {
        Some(0 | 1) => Ok(()),
        Some(code) if code & !0b0111 == 0 && code & 4 != 0 => Err("has errors that need a person (run e2fsck by hand)"),
        Some(2 | 3) => Err("was repaired and wants a reboot before it is used"),
        _ => Err("could not be checked by e2fsck"),
    }
}

/// Mounts the file system through a unit of its own and makes sure that it is there.
///
/// # Errors
/// When systemd does not mount it.
pub(super) fn ensure_mounted(
    root: &Root,
    device: &Device,
    id: &str,
    found: &Found,
    place: &Path,
    deadline: &Deadline,
) -> Result<(), Fault> {
    let failed = |error: std::io::Error| {
        Fault::lasting(format!("cannot prepare the mount of {id} on {}: {error}", place.display()))
    };
    if !place.exists() {
        // Nobody but root writes into it by mistake while it is not mounted.
        fs::DirBuilder::new().recursive(true).create(place.parent().unwrap_or(place)).map_err(failed)?;
        fs::DirBuilder::new().mode(0o000).create(place).map_err(failed)?;
    }
    let name = unit_name(&place.to_string_lossy());
    let unit = root.path("/run/systemd/system").join(&name);
    fs::create_dir_all(unit.parent().unwrap_or(place)).map_err(failed)?;
    fs::write(&unit, unit_text(device, id, found, place)).map_err(failed)?;
    systemctl(&["daemon-reload"], deadline)?;
    systemctl(&["start", &name], deadline)?;
    if is_mounted_at(device, place) {
        Ok(())
    } else {
        Err(Fault::passing(format!("systemd says that it mounted {id} on {}, but it is not there", place.display())))
    }
}

fn unit_text(device: &Device, id: &str, found: &Found, place: &Path) -> String {
    // Only `%` is special in these places; paths with white space are quoted by nobody else.
    let escape = |path: &Path| path.to_string_lossy().replace('%', "%%");
    format!(
        "# Written by ovenbird-agent at this boot.\n[Unit]\nDescription=EBS volume {id}\n\n[Mount]\nWhat={}\nWhere={}\nType={}\nOptions=nodev,nosuid\n",
        escape(&device.path),
        escape(place),
        found.kind
    )
}

fn systemctl(arguments: &[&str], deadline: &Deadline) -> Result<(), Fault> {
    let output = Tool::new("systemctl").args(arguments).run(deadline)?;
    match output.code {
        Some(0) => Ok(()),
        _ => Err(Fault::passing(format!("systemctl {} failed: {}", arguments.join(" "), output.last_words()))),
    }
}

/// The name of the mount unit of a path (systemd.unit(5), "String escaping for inclusion in unit names").
#[must_use]
pub fn unit_name(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let joined = parts.join("/");
    let mut name = String::new();
    for (index, byte) in joined.bytes().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if index == 0 => name.push_str("\\x2e"),
            b':' | b'_' | b'.' => name.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            byte => name.push_str(&format!("\\x{byte:02x}")),
        }
    }
    if name.is_empty() { "-.mount".to_owned() } else { name + ".mount" }
}

/// Grows the file system to its device: after the mount, since ext4 does that without a check and xfs only then, and a crash in the
/// middle does no harm. A volume that cannot be grown serves as well as it did before, so that is only said.
pub(super) fn grow(device: &Device, found: &Found, place: &Path, deadline: &Deadline) {
    let (tool, subject) = match found.kind.as_str() {
        "ext4" | "ext3" if is_outgrown(device) => ("resize2fs", device.path.as_path()),
        "xfs" => ("xfs_growfs", place),
        _ => return,
    };
    match Tool::new(tool).arg(subject).run(deadline) {
        Ok(output) if output.code == Some(0) => {}
        Ok(output) => say(&format!("{tool} could not grow {}: {}", subject.display(), output.last_words())),
        Err(fault) => say(&format!("{} keeps its size: {fault}", subject.display())),
    }
}

/// Whether a device has room for more blocks than the superblock of its ext4 counts.
fn is_outgrown(device: &Device) -> bool {
    let read = || {
        let mut file = fs::File::open(&device.path)?;
        let mut superblock = [0; 1024];
        file.read_exact_at(&mut superblock, 1024)?;
        Ok::<_, std::io::Error>(size(&mut file)? >= ext4_size(&superblock) + (1 << 20))
    };
    read().unwrap_or(false)
}

/// The size in bytes that an ext4's superblock tells (kernel documentation, "ext4: The Super Block").
fn ext4_size(superblock: &[u8; 1024]) -> u64 {
    let word = |at: usize| {
        u64::from(u32::from_le_bytes([superblock[at], superblock[at + 1], superblock[at + 2], superblock[at + 3]]))
    };
    let has_high_half = word(0x60) & 0x80 != 0;
    let blocks = word(0x4) | if has_high_half { word(0x150) << 32 } else { 0 };
    blocks.saturating_mul(1024 << word(0x18).min(6))
}

/// Gives the top directory to `user` or `user:group`.
///
/// # Errors
/// When there is no such user or group.
pub(super) fn ensure_owner(root: &Root, place: &Path, owner: &str) -> Result<(), Fault> {
    let (user, group) = owner.split_once(':').unwrap_or((owner, ""));
    let entry = |file: &str, name: &str| {
        let text = fs::read_to_string(root.path(file)).unwrap_or_default();
        find_entry(&text, name)
            .ok_or_else(|| Fault::lasting(format!("the image has no \"{name}\" in {file} to own {}", place.display())))
    };
    let (uid, own_gid) = entry("/etc/passwd", user)?;
    let gid = if group.is_empty() { own_gid } else { Some(entry("/etc/group", group)?.0) };
    std::os::unix::fs::chown(place, Some(uid), gid)
        .map_err(|error| Fault::lasting(format!("cannot give {} to {owner}: {error}", place.display())))
}

/// The third and fourth field of a line of passwd or group: `name:x:id:…`. Read here, since a static program has no NSS.
fn find_entry(text: &str, name: &str) -> Option<(u32, Option<u32>)> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        let id = fields.nth(1)?.parse().ok()?;
        Some((id, fields.next().and_then(|field| field.parse().ok())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_names_are_systemd_s() {
        assert_eq!(unit_name("/srv/data"), "srv-data.mount");
        assert_eq!(unit_name("/srv/my-data/x y"), "srv-my\\x2ddata-x\\x20y.mount");
        assert_eq!(unit_name("/.hidden/a.b"), "\\x2ehidden-a.b.mount");
        assert_eq!(unit_name("/"), "-.mount");
    }

    #[test]
    fn fsck_s_bits_are_bits() {
        assert_eq!([0, 1].map(|code| judge_fsck(Some(code)).is_ok()), [true; 2]);
        for code in [2, 3, 4, 5, 6, 7, 8, 12, 16, 32, 128] {
            assert!(judge_fsck(Some(code)).is_err(), "{code}");
        }
        assert!(judge_fsck(Some(4)).unwrap_err().contains("a person"));
        assert!(judge_fsck(Some(8)).unwrap_err().contains("could not be checked"));
        assert!(judge_fsck(None).is_err());
    }

    #[test]
    fn users_and_groups_are_found_by_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:34::/var/www:/usr/sbin/nologin\n";
        assert_eq!(find_entry(passwd, "www-data"), Some((33, Some(34))));
        assert_eq!(find_entry("adm:x:4:root\n", "adm"), Some((4, None)));
        assert_eq!(find_entry(passwd, "www"), None);
    }
}
