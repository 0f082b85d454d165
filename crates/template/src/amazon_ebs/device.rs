//! Block device mappings.

use ovenbird_core::block::GIB;

use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// A volume of a block device mapping. What is `None` comes from the source image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockDevice {
    /// Such as `/dev/xvda`.
    pub device_name: String,
    /// Bytes; the template writes GiB.
    pub volume_size: Option<u64>,
    /// `gp3`, `io2`, …
    pub volume_type: Option<String>,
    /// Provisioned I/O operations per second.
    pub iops: Option<u64>,
    /// MiB per second, as the API counts.
    pub throughput: Option<u64>,
    /// Whether the volume is encrypted.
    pub encrypted: Option<bool>,
    /// The key.
    pub kms_key_id: Option<String>,
    /// Snapshot to fill it from.
    pub snapshot_id: Option<String>,
    /// Whether it goes with its instance. Packer's default is that it stays.
    pub delete_on_termination: Option<bool>,
    /// Whether the source's mapping of this device is dropped.
    pub no_device: bool,
    /// `ephemeral0`, …
    pub virtual_name: Option<String>,
}

pub(super) const OPTIONS: &[Row] = &[
    (&["device_name", "volume_size", "volume_type", "iops", "throughput", "encrypted", "kms_key_id"], Honoured),
    (&["snapshot_id", "delete_on_termination", "no_device", "virtual_name"], Honoured),
];

/// Reads a list of mappings, or one.
pub(super) fn read(fields: &Fields<'_>, name: &'static str) -> Vec<BlockDevice> {
    fields.objects(name, name).iter().filter_map(device).collect()
}

fn device(fields: &Fields<'_>) -> Option<BlockDevice> {
    options::check(fields, OPTIONS);
    let volume_size = fields.count("volume_size").filter(|size| *size > 0);
    let bytes = volume_size.and_then(|size| size.checked_mul(GIB));
    if let (Some(size), None, Some(node)) = (volume_size, bytes, fields.find("volume_size")) {
        fields.findings.error(&node.span, format!("`volume_size` is in GiB, and {size} of them are too many"), None);
    }
    Some(BlockDevice {
        device_name: fields.required_text("device_name", "such as /dev/xvda")?,
        volume_size: bytes,
        volume_type: fields.text("volume_type"),
        iops: fields.count("iops").filter(|iops| *iops > 0),
        throughput: fields.count("throughput").filter(|throughput| *throughput > 0),
        encrypted: fields.boolean("encrypted"),
        kms_key_id: fields.text("kms_key_id"),
        snapshot_id: fields.text("snapshot_id"),
        delete_on_termination: fields.boolean("delete_on_termination"),
        no_device: fields.boolean("no_device").unwrap_or(false),
        virtual_name: fields.text("virtual_name"),
    })
}
