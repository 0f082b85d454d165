//! Block device mappings: as the API has them, as rows have them, and the rules between.

use ovenbird_aws::ec2::BlockDeviceMapping;
use ovenbird_aws::ec2::EbsBlockDevice;
use rusqlite::Connection;

use super::resources::own_snapshot;
use crate::catalogue::images::Device;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::world::Call;

/// The volume type where none is named. EC2 says gp2; nothing is gained by an old one here, but tools compare.
const DEFAULT_KIND: &str = "gp2";

/// What a volume type may be.
const KINDS: [&str; 7] = ["standard", "gp2", "gp3", "io1", "io2", "sc1", "st1"];

/// The mapping of a new image.
pub(super) fn of_new_image(db: &Connection, call: &Call, mappings: &[BlockDeviceMapping]) -> Answer<Vec<Device>> {
    let mut devices: Vec<Device> = Vec::new();
    for mapping in mappings {
        let device = of_mapping(db, call, mapping)?;
        if devices.iter().any(|other| other.name == device.name) {
            return refuse("InvalidBlockDeviceMapping", format!("Duplicate device name: {}", device.name));
        }
        devices.push(device);
    }
    Ok(devices)
}

fn of_mapping(db: &Connection, call: &Call, mapping: &BlockDeviceMapping) -> Answer<Device> {
    let Some(name) = mapping.device_name.clone().filter(|name| !name.is_empty()) else {
        return refuse(
            "MissingParameter",
            "The request must contain the parameter DeviceName of every block device mapping",
        );
    };
    let Some(ebs) = &mapping.ebs else {
        return Ok(Device { name, virtual_name: mapping.virtual_name.clone(), ..Device::default() });
    };
    let mut size = ebs.volume_size.map(i64::from);
    if let Some(id) = &ebs.snapshot_id {
        if ebs.encrypted.is_some() {
            let text = "the encrypted flag cannot be specified since device /dev has a snapshot specified.";
            return refuse("InvalidParameterDependency", text.replace("/dev", &name));
        }
        let snapshot = own_snapshot(db, call, Some(id))?;
        if snapshot.state != "completed" {
            return refuse("IncorrectState", format!("The snapshot '{id}' is {}, not completed.", snapshot.state));
        }
        size = Some(at_least(size.unwrap_or(snapshot.volume_size), snapshot.volume_size)?);
    }
    let Some(size) = size else {
        return refuse("MissingParameter", format!("The device {name} has neither a snapshot nor a volume size"));
    };
    let device = Device {
        name,
        snapshot: ebs.snapshot_id.clone(),
        size: verify_size(size)?,
        kind: verify_kind(ebs.volume_type.as_deref())?,
        iops: ebs.iops,
        throughput: ebs.throughput,
        delete_on_termination: ebs.delete_on_termination.unwrap_or(true),
        virtual_name: None,
    };
    Ok(device)
}

/// The mapping of a new instance: the image's, changed and completed by the request's.
pub(super) fn of_new_instance(
    db: &Connection,
    call: &Call,
    image: &[Device],
    changes: &[BlockDeviceMapping],
) -> Answer<Vec<Device>> {
    let mut devices = image.to_vec();
    for change in changes {
        let name = change.device_name.clone().unwrap_or_default();
        if change.no_device.is_some() {
            devices.retain(|device| device.name != name);
            continue;
        }
        match (devices.iter_mut().find(|device| device.name == name), &change.ebs) {
            (Some(device), Some(ebs)) => override_device(device, ebs)?,
            _ => devices.push(of_mapping(db, call, change)?),
        }
    }
    Ok(devices)
}

fn override_device(device: &mut Device, ebs: &EbsBlockDevice) -> Answer<()> {
    if ebs.snapshot_id.is_some() && ebs.snapshot_id != device.snapshot {
        let text = format!("snapshotId cannot be modified on the device {}", device.name);
        return refuse("InvalidBlockDeviceMapping", text);
    }
    if let Some(size) = ebs.volume_size {
        device.size = verify_size(at_least(i64::from(size), if device.snapshot.is_some() { device.size } else { 0 })?)?;
    }
    if let Some(kind) = &ebs.volume_type {
        device.kind = verify_kind(Some(kind))?;
    }
    device.delete_on_termination = ebs.delete_on_termination.unwrap_or(device.delete_on_termination);
    device.iops = ebs.iops.or(device.iops);
    device.throughput = ebs.throughput.or(device.throughput);
    Ok(())
}

fn at_least(size: i64, snapshot_size: i64) -> Answer<i64> {
    if size >= snapshot_size {
        return Ok(size);
    }
    let text = format!(
        "Volume of size {size}GB is smaller than snapshot's size of {snapshot_size}GB, expect size>= {snapshot_size}GB"
    );
    refuse("InvalidBlockDeviceMapping", text)
}

/// 1 GiB to 16 TiB (gp3's limits; other types differ in what nobody here needs).
pub(super) fn verify_size(size: i64) -> Answer<i64> {
    if (1..=16_384).contains(&size) {
        return Ok(size);
    }
    refuse("InvalidParameterValue", format!("Volume size must be 1 to 16384 GiB, not {size}"))
}

/// A volume type that EC2 has; its default where none is named.
pub(super) fn verify_kind(kind: Option<&str>) -> Answer<String> {
    let kind = kind.unwrap_or(DEFAULT_KIND);
    if KINDS.contains(&kind) {
        return Ok(kind.to_owned());
    }
    refuse("UnknownVolumeType", format!("Unknown volume type: {kind}"))
}

/// A row's mapping as the API shows it.
pub(super) fn to_api(device: &Device) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice {
        delete_on_termination: Some(device.delete_on_termination),
        iops: device.iops,
        snapshot_id: device.snapshot.clone(),
        volume_size: i32::try_from(device.size).ok(),
        volume_type: Some(device.kind.clone()),
        throughput: device.throughput,
        encrypted: Some(false),
        ..EbsBlockDevice::default()
    };
    BlockDeviceMapping {
        ebs: device.virtual_name.is_none().then_some(ebs),
        no_device: None,
        device_name: Some(device.name.clone()),
        virtual_name: device.virtual_name.clone(),
    }
}
