//! The builder `amazon-chroot`, which is what a direct bake is: the image's disk is mounted and changed, and no instance is
//! launched. (packer.md 1.5; packer-plugin-amazon, builder/chroot)

use super::AmazonEbs;
use super::read::read_with;
use super::table;
use crate::fields::Fields;
use crate::options::Row;
use crate::options::Treatment::Noted;
use crate::options::Treatment::Refused;

/// Type of the builder in templates.
pub(crate) const TYPE: &str = "amazon-chroot";

const MOUNTS: &str = "Ovenbird mounts the image's disk itself, with what a play needs in it";
const COMMANDS: &str = "make it a provisioner `shell` or `shell-local`";
const SCRATCH: &str = "an image is baked from an image: name a source_ami_filter, such as Debian's";

pub(crate) const OWN: &[Row] = &[
    (&["chroot_mounts", "copy_files", "mount_options", "mount_partition", "mount_path"], Noted(MOUNTS)),
    (&["device_path", "nvme_device_path", "command_wrapper"], Noted(MOUNTS)),
    (&["pre_mount_commands", "post_mount_commands", "manual_mount_command"], Refused(COMMANDS)),
    (&["from_scratch", "root_device_name"], Refused(SCRATCH)),
    (
        &["root_volume_size", "root_volume_type"],
        Refused(
            "say it of the root device in ami_block_device_mappings, such as { \"device_name\": \"/dev/xvda\", \"volume_size\": 16 }",
        ),
    ),
    (&["root_volume_tags", "root_volume_tag"], Noted("a direct bake makes no volume; its snapshot has snapshot_tags")),
    (&["ami_architecture", "boot_mode"], Noted("the image takes this from its source image")),
    (
        &["tpm_support", "uefi_data"],
        Refused("a direct bake does not set it: register the image's snapshot by aws ec2 register-image"),
    ),
];

/// Reads a builder. `None` when something that it cannot do without is missing or wrong; that has been reported.
pub(crate) fn read(fields: &Fields<'_>) -> Option<AmazonEbs> {
    read_with(fields, &[table::IMAGE, OWN, table::CALLS].concat())
}
