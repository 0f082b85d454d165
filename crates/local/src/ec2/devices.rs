//! Block device mappings: as the API has them, as rows have them, and the rules between.

use ovenbird_aws::ec2::BlockDeviceMapping;
use ovenbird_aws::ec2::EbsBlockDevice;
use rusqlite::Connection;

use super::encryption::Asked;
use super::resources::own_snapshot;
use crate::catalogue::images::Device;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::world::Call;

/// The volume type where none is named. EC2 says gp2; nothing is gained by an old one here, but tools compare.
const DEFAULT_KIND: &str = "gp2";

/// What a volume type may be.
const KINDS: [&str; 7] = ["standard", "gp2", "gp3", "io1", "io2", "sc1", "st1"];

/// What a mapping is for: the API lets a launch say more of the encryption of its volumes than an image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Image,
    Launch,
}

/// The mapping of a new image.
pub(super) fn of_new_image(db: &Connection, call: &Call, mappings: &[BlockDeviceMapping]) -> Answer<Vec<Device>> {
    let mut devices: Vec<Device> = Vec::new();
    for mapping in mappings {
        let device = of_mapping(db, call, mapping, Purpose::Image)?;
        if devices.iter().any(|other| other.name == device.name) {
            return refuse("InvalidBlockDeviceMapping", format!("Duplicate device name: {}", device.name));
        }
        devices.push(device);
    }
    Ok(devices)
}

fn of_mapping(db: &Connection, call: &Call, mapping: &BlockDeviceMapping, purpose: Purpose) -> Answer<Device> {
    let Some(name) = mapping.device_name.clone().filter(|name| !name.is_empty()) else {
        return refuse(
            "MissingParameter",
            "The request must contain the parameter DeviceName of every block device mapping",
        );
    };
    let Some(ebs) = &mapping.ebs else {
        return Ok(Device { name, virtual_name: mapping.virtual_name.clone(), ..Device::default() });
    };
    let (mut size, mut snapshot_key) = (ebs.volume_size.map(i64::from), None);
    let asked = asked(call, &name, ebs, purpose)?;
    if let Some(id) = &ebs.snapshot_id {
        if ebs.encrypted.is_some() && purpose == Purpose::Image {
            let text = "the encrypted flag cannot be specified since device /dev has a snapshot specified.";
            return refuse("InvalidParameterDependency", text.replace("/dev", &name));
        }
        let snapshot = own_snapshot(db, call, Some(id))?;
        if snapshot.state != "completed" {
            return refuse("IncorrectState", format!("The snapshot '{id}' is {}, not completed.", snapshot.state));
        }
        size = Some(at_least(size.unwrap_or(snapshot.volume_size), snapshot.volume_size)?);
        snapshot_key = snapshot.kms_key;
    }
    let Some(size) = size else {
        return refuse("MissingParameter", format!("The device {name} has neither a snapshot nor a volume size"));
    };
    // An image says of its snapshots what they are; what becomes of their volumes is the launch's affair.
    let is_said = purpose == Purpose::Image && ebs.snapshot_id.is_some();
    let device = Device {
        kms_key: if is_said { snapshot_key } else { asked.of_volume(db, &call.scope, snapshot_key.as_deref())? },
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

fn asked<'a>(call: &Call, name: &str, ebs: &'a EbsBlockDevice, purpose: Purpose) -> Answer<Asked<'a>> {
    if purpose == Purpose::Image && ebs.kms_key_id.is_some() {
        let text = format!("KmsKeyId is not supported in the block device mapping of an image: {name}");
        return refuse("InvalidBlockDeviceMapping", text);
    }
    Asked::new(&call.scope, ebs.encrypted, ebs.kms_key_id.as_deref())
}

/// The volumes of a new instance: the image's, changed and completed by the request's.
pub(super) fn of_new_instance(
    db: &Connection,
    call: &Call,
    image: &[Device],
    changes: &[BlockDeviceMapping],
) -> Answer<Vec<Device>> {
    let mut devices = image.to_vec();
    for device in devices.iter_mut().filter(|device| device.virtual_name.is_none()) {
        device.kms_key = Asked::default().of_volume(db, &call.scope, device.kms_key.as_deref())?;
    }
    change(db, call, devices, changes, Purpose::Launch)
}

/// The mapping of an image of an instance's volumes, changed and completed by the request's.
pub(super) fn of_instance(
    db: &Connection,
    call: &Call,
    volumes: Vec<Device>,
    changes: &[BlockDeviceMapping],
) -> Answer<Vec<Device>> {
    change(db, call, volumes, changes, Purpose::Image)
}

fn change(
    db: &Connection,
    call: &Call,
    mut devices: Vec<Device>,
    changes: &[BlockDeviceMapping],
    purpose: Purpose,
) -> Answer<Vec<Device>> {
    for change in changes {
        let name = change.device_name.clone().unwrap_or_default();
        if change.no_device.is_some() {
            devices.retain(|device| device.name != name);
            continue;
        }
        let (Some(device), Some(ebs)) = (devices.iter_mut().find(|device| device.name == name), &change.ebs) else {
            devices.push(of_mapping(db, call, change, purpose)?);
            continue;
        };
        override_device(device, ebs)?;
        let asked = asked(call, &name, ebs, purpose)?;
        match (purpose, ebs.encrypted) {
            (Purpose::Launch, _) => {
                device.kms_key = asked.of_volume(db, &call.scope, device.kms_key.as_deref())?;
            }
            (Purpose::Image, Some(encrypted)) if encrypted != device.kms_key.is_some() => {
                let text = format!("the encrypted flag cannot differ from that of the volume at {name}");
                return refuse("InvalidBlockDeviceMapping", text);
            }
            (Purpose::Image, _) => {}
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
        encrypted: Some(device.kms_key.is_some()),
        ..EbsBlockDevice::default()
    };
    BlockDeviceMapping {
        ebs: device.virtual_name.is_none().then_some(ebs),
        no_device: None,
        device_name: Some(device.name.clone()),
        virtual_name: device.virtual_name.clone(),
    }
}
