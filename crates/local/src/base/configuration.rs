//! What a base says about itself: the files that make plain Debian an image for EC2.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fs_err as fs;
use ovenbird_disk::tool::Tool;

use super::BaseError;
use super::BasePlan;
use super::disk;
use super::io_error;

/// dpkg's own exclusions, for the build and for everything that is installed later.
pub(super) const DPKG: &str = include_str!("files/dpkg.cfg");

/// Path in the image, and content.
const FILES: [(&str, &str); 12] = [
    ("etc/apt/apt.conf.d/90ovenbird", include_str!("files/apt.conf")),
    ("etc/cloud/cloud.cfg.d/90_ovenbird.cfg", include_str!("files/cloud.cfg")),
    ("etc/default/locale", "LANG=C.UTF-8\n"),
    ("etc/dpkg/dpkg.cfg.d/90-ovenbird", DPKG),
    ("etc/hostname", "debian\n"),
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"),
    ("etc/ssh/sshd_config.d/90-ovenbird.conf", include_str!("files/sshd.conf")),
    ("etc/systemd/journald.conf.d/90-ovenbird.conf", include_str!("files/journald.conf")),
    ("etc/systemd/network/70-ethernet.network", include_str!("files/ethernet.network")),
    ("etc/systemd/resolved.conf.d/90-ovenbird.conf", include_str!("files/resolved.conf")),
    (
        "etc/systemd/system/systemd-networkd-wait-online.service.d/90-ovenbird.conf",
        include_str!("files/wait-online.conf"),
    ),
    ("etc/systemd/timesyncd.conf.d/90-ovenbird.conf", include_str!("files/timesyncd.conf")),
];

/// The one program among them.
const KERNEL_HOOK: (&str, &str) = ("etc/kernel/postinst.d/zz-kernel-to-esp", include_str!("files/kernel-to-esp"));

const ENABLED: [&str; 1] = ["systemd-networkd.service"];

/// Units that cost time at every boot and do nothing for a server in EC2: an image is replaced, not upgraded in place.
const MASKED: [&str; 9] = [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    // It has no module to run here, and Python takes long to start.
    "cloud-config.service",
    "cloud-init-hotplugd.socket",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "getty@tty1.service",
    "systemd-binfmt.service",
    "systemd-pstore.service",
];

/// The content of every file.
pub(super) fn contents() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().chain([KERNEL_HOOK]).map(|(_, content)| content)
}

/// Writes the configuration into the unpacked `root`.
pub(super) fn apply(plan: &BasePlan, root: &Path) -> Result<(), BaseError> {
    for (path, content) in FILES {
        put(root, path, content, 0o644)?;
    }
    put(root, "etc/apt/sources.list", &(plan.sources().join("\n") + "\n"), 0o644)?;
    put(root, "etc/fstab", &format!("PARTUUID={} / ext4 noatime,errors=remount-ro 0 1\n", disk::ROOT_UUID), 0o644)?;
    put(root, KERNEL_HOOK.0, &KERNEL_HOOK.1.replace("@ESP_PARTUUID@", &disk::ESP_UUID.to_string()), 0o755)?;

    systemctl(root, "enable", &ENABLED)?;
    systemctl(root, "mask", &MASKED)?;
    systemctl(root, "set-default", &["multi-user.target"])
}

fn put(root: &Path, path: &str, content: &str, mode: u32) -> Result<(), BaseError> {
    let file = root.join(path);
    let put = || {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, content)?;
        fs::set_permissions(&file, Permissions::from_mode(mode))
    };
    put().map_err(io_error(&format!("configure /{path}")))
}

/// The image's own systemctl, which needs nothing but the tree when it is told that it is offline.
fn systemctl(root: &Path, verb: &str, units: &[&str]) -> Result<(), BaseError> {
    Tool::new("chroot")
        .doing(format!("{verb} {} in the base", units.join(" ")))
        .arg(root)
        .args(["systemctl", "--quiet", verb])
        .args(units)
        .env_clear()
        .env("SYSTEMD_OFFLINE", "1")
        .run()?;
    Ok(())
}
