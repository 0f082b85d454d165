//! Which Debian package has a tool.

/// The package of Debian 12 that has `program`; `None` for programs that we don't call.
pub(super) fn find_package(program: &str) -> Option<&'static str> {
    Some(match program {
        "ansible-playbook" | "ansible-galaxy" | "ansible-config" | "ansible" => "ansible",
        "apt-get" | "apt-cache" | "apt-config" | "apt-ftparchive" => "apt",
        "blkid" | "fstrim" | "losetup" | "nsenter" | "setpriv" | "unshare" | "wipefs" | "lsblk" => "util-linux",
        "mount" | "umount" | "findmnt" => "mount",
        "mke2fs" | "mkfs.ext4" | "e2fsck" | "debugfs" | "dumpe2fs" | "resize2fs" | "tune2fs" => "e2fsprogs",
        "mkfs.vfat" | "mkfs.fat" | "fsck.vfat" => "dosfstools",
        "mkfs.xfs" | "xfs_growfs" | "xfs_repair" => "xfsprogs",
        "mcopy" | "mdir" | "mmd" | "mdel" | "mtype" | "mdeltree" => "mtools",
        "mmdebstrap" => "mmdebstrap",
        "ip" | "ss" | "tc" => "iproute2",
        "nft" => "nftables",
        "qemu-img" => "qemu-utils",
        "qemu-system-x86_64" => "qemu-system-x86",
        "ssh" | "ssh-keygen" | "ssh-keyscan" | "scp" => "openssh-client",
        "systemd-nspawn" | "machinectl" => "systemd-container",
        "tar" => "tar",
        "git" => "git",
        _ => return None,
    })
}
