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

/// What is said of a mapping that does not say whether its volume goes with the instance. (packer.md 1.4)
const NOT_SAID: &str =
    "it is not there, so it is as in the source image, or else true; in Packer it is false, and volumes pile up";

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
    let (encrypted, kms_key_id) = (fields.boolean("encrypted"), fields.text("kms_key_id"));
    if let (Some(false), Some(_), Some(node)) = (encrypted, &kms_key_id, fields.find("kms_key_id")) {
        let help = "set `encrypted` to true, or remove the key".to_owned();
        fields.findings.error(&node.span, "a volume with a key must be encrypted", Some(help));
    }
    let volume_type = fields.text("volume_type");
    let no_device = fields.boolean("no_device").unwrap_or(false);
    let virtual_name = fields.text("virtual_name");
    let delete_on_termination = fields.boolean("delete_on_termination");
    if delete_on_termination.is_none() && !no_device && virtual_name.is_none() {
        fields.findings.note(&fields.span, "delete_on_termination", NOT_SAID);
    }
    Some(BlockDevice {
        device_name: fields.required_text("device_name", "such as /dev/xvda")?,
        volume_size: bytes,
        iops: speed(fields, "iops", volume_type.as_deref(), takes_iops),
        throughput: speed(fields, "throughput", volume_type.as_deref(), takes_throughput),
        volume_type,
        encrypted,
        kms_key_id,
        snapshot_id: fields.text("snapshot_id"),
        delete_on_termination,
        no_device,
        virtual_name,
    })
}

/// Whether `iops` can be said of a volume of this type. (EC2 API reference, `EbsBlockDevice`)
#[must_use]
pub fn takes_iops(volume_type: &str) -> bool {
    ["io1", "io2", "gp3"].contains(&volume_type)
}

/// Whether `throughput` can be said of a volume of this type. (EC2 API reference, `EbsBlockDevice`)
#[must_use]
pub fn takes_throughput(volume_type: &str) -> bool {
    volume_type == "gp3"
}

/// A speed of a volume that can be told one; of others EC2 refuses it, and Packer leaves it out.
fn speed(
    fields: &Fields<'_>,
    name: &'static str,
    volume_type: Option<&str>,
    is_taken: fn(&str) -> bool,
) -> Option<u64> {
    let speed = fields.count(name).filter(|speed| *speed > 0)?;
    let Some(cannot) = volume_type.filter(|kind| !is_taken(kind)) else { return Some(speed) };
    if let Some(node) = fields.find(name) {
        fields.findings.note(&node.span, name, &format!("a volume of type {cannot} has none that can be set"));
    }
    None
}
