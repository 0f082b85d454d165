//! How the container is started: one command line.

use std::path::Path;
use std::path::PathBuf;

use ovenbird_disk::gpt::Partition;
use ovenbird_disk::tool::Tool;

use super::block::Blocks;
use super::internet;
use crate::engine::Machine;
use crate::network::Network;

/// Units of the image that must not run: they would wait for a network that is set up from outside already (`networking`
/// and `systemd-networkd-wait-online` lose a minute and more), ask name servers that nobody can reach, or look for the
/// disks of the image's fstab.
const MASKED: [&str; 13] = [
    "NetworkManager-wait-online.service",
    "NetworkManager.service",
    "console-getty.service",
    "dhcpcd.service",
    "ifupdown-wait-online.service",
    "networking.service",
    "systemd-networkd-wait-online.service",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "unattended-upgrades.service",
];

/// Joins the control groups, opens the way out if there is to be one, mounts the root, and becomes nspawn. It runs in a mount namespace of its own, so the mount
/// and its loop device live exactly as long as the container, however either ends.
const ENTER: &str = r#"for group in $1; do echo $$ > "$group/cgroup.procs"; done
eval "$2"
mount -o "$3" "$4" "$5"
shift 5
exec "$@""#;

/// The tool that becomes the container. With a `network`, the instance has a way out of its router.
pub(super) fn command(
    machine: &Machine,
    root: &Partition,
    groups: &[PathBuf],
    blocks: &Blocks,
    network: Option<&Network>,
) -> Tool {
    let mount_point = mount_point(machine);
    let groups = groups.iter().map(|group| group.display().to_string()).collect::<Vec<_>>().join(" ");
    Tool::new("unshare")
        .doing(format!("start the container {}", machine.instance_id))
        .env_clear()
        .args(["--mount", "--propagation", "private", "sh", "-euc", ENTER, "sh"])
        .arg(groups)
        .arg(network.map(|network| internet::command(machine, network)).unwrap_or_default())
        .arg(format!("loop,offset={},sizelimit={},noatime", root.start, root.size))
        .arg(&machine.root_disk)
        .arg(&mount_point)
        .args(["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no"])
        .args(["--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=read-only"])
        .arg(format!("--machine={}", machine.instance_id))
        .arg(format!("--directory={}", mount_point.display()))
        .arg(format!("--network-namespace-path=/run/netns/{}", machine.namespace))
        .arg(format!("--bind-ro={}:/sys/block", escape(blocks.folder())))
        .args(network.map(|_| format!("--bind-ro={}:{RESOLVER}", escape(&internet::resolv_conf(machine)))))
        .arg("--setenv=SYSTEMD_COLORS=0")
        // Its init reads these as a kernel's command line. The image's fstab names disks that only a machine has.
        .arg("fstab=no")
        .args(MASKED.map(|unit| format!("systemd.mask={unit}")))
}

/// Where Debian's images link /etc/resolv.conf to. It is in /run, so that no image ever keeps it.
const RESOLVER: &str = "/run/systemd/resolve/stub-resolv.conf";

/// Where the root is mounted, in the container's mount namespace alone.
pub(super) fn mount_point(machine: &Machine) -> PathBuf {
    machine.folder.join("root")
}

/// In `--bind-ro` a colon ends a path, and a backslash quotes the next character.
fn escape(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace(':', "\\:")
}
