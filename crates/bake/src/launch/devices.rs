//! Volumes during the bake, and what the image asks for afterwards.

use std::collections::BTreeMap;

use ovenbird_aws::ec2::BlockDeviceMapping;
use ovenbird_aws::ec2::EbsBlockDevice;
use ovenbird_core::block::GIB;
use ovenbird_template::AmazonEbs;
use ovenbird_template::BlockDevice;

use crate::source::Source;

/// What a gp3 volume has for its price alone: operations and MiB per second. (EBS user guide, "General Purpose SSD volumes")
const BASELINE: (i32, i32) = (3000, 125);
/// What is enough for any bake, for a few cents: with it, a snapshot of the volume took a ninth of the time (packer.md 3.1).
const BOOSTED: (i32, i32) = (6000, 1000);

/// The volumes of the instance: the root as the template has it, faster for the time of the bake, and the template's further ones.
pub(crate) fn launch_devices(builder: &AmazonEbs, source: &Source) -> Vec<BlockDeviceMapping> {
    let mut devices = BTreeMap::from([(source.root_device.clone(), EbsBlockDevice::default())]);
    let mut others = Vec::new();
    for device in &builder.launch_block_device_mappings {
        match without_volume(device) {
            Some(mapping) => others.push(mapping),
            None => _ = devices.insert(device.device_name.clone(), volume(device)),
        }
    }
    if let Some(root) = devices.get_mut(&source.root_device) {
        boost(root, source.size);
        if builder.encrypt_boot == Some(true) {
            root.encrypted = Some(true);
            root.kms_key_id = root.kms_key_id.take().or_else(|| builder.kms_key_id.clone());
        }
    }
    devices.into_iter().map(|(name, ebs)| mapping(&name, ebs)).chain(others).collect()
}

/// What CreateImage is told of the volumes: those of the bake's own speed go back to what a volume has, and the template's last word.
pub(crate) fn image_devices(builder: &AmazonEbs, source: &Source) -> Vec<BlockDeviceMapping> {
    let launched = |name: &str| builder.launch_block_device_mappings.iter().find(|device| device.device_name == name);
    let mut root = launched(&source.root_device).map(volume).unwrap_or_default();
    if root.volume_type.as_deref().is_none_or(|kind| kind == "gp3") {
        root.volume_type = Some("gp3".to_owned());
        root.iops = root.iops.or(Some(BASELINE.0));
        root.throughput = root.throughput.or(Some(BASELINE.1));
    }
    // The snapshot and its encryption are the volume's own; CreateImage takes neither.
    let settled = |ebs: EbsBlockDevice| EbsBlockDevice {
        encrypted: None,
        kms_key_id: None,
        snapshot_id: None,
        delete_on_termination: ebs.delete_on_termination.or(Some(true)),
        ..ebs
    };
    let mut devices = BTreeMap::from([(source.root_device.clone(), settled(root))]);
    let mut others = Vec::new();
    for device in &builder.ami_block_device_mappings {
        match (without_volume(device), launched(&device.device_name)) {
            (Some(mapping), _) => others.push(mapping),
            (None, None) if device.device_name != source.root_device => {
                _ = devices.insert(device.device_name.clone(), volume(device));
            }
            (None, _) => _ = devices.insert(device.device_name.clone(), settled(volume(device))),
        }
    }
    devices.into_iter().map(|(name, ebs)| mapping(&name, ebs)).chain(others).collect()
}

/// Raises the speed of a gp3 volume as far as its size allows, unless the template says how fast it is.
fn boost(root: &mut EbsBlockDevice, source_size: i32) {
    if root.volume_type.as_deref().is_some_and(|kind| kind != "gp3") || root.iops.is_some() || root.throughput.is_some()
    {
        return;
    }
    let (iops, throughput) = boosted(root.volume_size.unwrap_or(source_size));
    root.volume_type = Some("gp3".to_owned());
    root.iops = Some(iops);
    root.throughput = Some(throughput);
}

/// At most 500 operations per GiB, and a quarter of a MiB per operation. (EBS user guide, as above)
fn boosted(gib: i32) -> (i32, i32) {
    let iops = gib.saturating_mul(500).clamp(BASELINE.0, BOOSTED.0);
    (iops, (iops / 4).clamp(BASELINE.1, BOOSTED.1))
}

fn without_volume(device: &BlockDevice) -> Option<BlockDeviceMapping> {
    (device.no_device || device.virtual_name.is_some()).then(|| BlockDeviceMapping {
        device_name: Some(device.device_name.clone()),
        no_device: device.no_device.then(String::new),
        virtual_name: device.virtual_name.clone(),
        ebs: None,
    })
}

fn volume(device: &BlockDevice) -> EbsBlockDevice {
    let number = |value: Option<u64>| value.and_then(|value| i32::try_from(value).ok());
    EbsBlockDevice {
        snapshot_id: device.snapshot_id.clone(),
        volume_size: number(device.volume_size.map(|bytes| bytes.div_ceil(GIB))),
        volume_type: device.volume_type.clone(),
        iops: number(device.iops),
        throughput: number(device.throughput),
        encrypted: device.encrypted,
        kms_key_id: device.kms_key_id.clone(),
        // Packer's default of keeping the volumes is how they pile up (packer.md 1.4).
        delete_on_termination: device.delete_on_termination.or(Some(true)),
    }
}

fn mapping(name: &str, ebs: EbsBlockDevice) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice { delete_on_termination: ebs.delete_on_termination.or(Some(true)), ..ebs };
    BlockDeviceMapping { device_name: Some(name.to_owned()), ebs: Some(ebs), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_as_fast_as_its_size_allows() {
        assert_eq!(boosted(1), (3000, 750));
        assert_eq!(boosted(8), (4000, 1000));
        assert_eq!(boosted(12), (6000, 1000));
        assert_eq!(boosted(i32::MAX), (6000, 1000));
    }
}
