//! AttachVolume and DetachVolume (boot.md 3.1).

use ovenbird_aws::ec2::AttachVolumeRequest;
use ovenbird_aws::ec2::DetachVolumeRequest;
use ovenbird_aws::ec2::VolumeAttachment;
use rusqlite::Connection;

use super::resources::own_instance;
use super::resources::own_volume;
use super::volumes::to_api_attachment;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Attachment;
use crate::catalogue::volumes::Volume;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::failure::refuse;
use crate::failure::required;
use crate::instances;
use crate::world::Call;

/// EBS volumes per instance (most Nitro types have 28 slots for volumes and interfaces).
const MAX_VOLUMES: usize = 27;

/// Attaches a volume. It is `attached` when the call returns, though the answer says `attaching`, as AWS's does.
pub(crate) fn attach_volume(call: &Call, request: &AttachVolumeRequest) -> Answer<VolumeAttachment> {
    let device = required(request.device.clone().filter(|device| !device.is_empty()), "Device")?;
    let instance_id = required(request.instance_id.as_deref(), "InstanceId")?;
    let turn = call.world.turns.of(instance_id);
    let _turn = turn.take();
    let (instance, volume, attachment) = call.world.catalogue.transact(|db| {
        let instance = own_instance(db, call, Some(instance_id))?;
        let volume = own_volume(db, call, request.volume_id.as_deref())?;
        verify_attachable(db, &instance, &volume, &device)?;
        let attachment = Attachment {
            instance: instance.id.clone(),
            device: device.clone(),
            state: "attaching".to_owned(),
            since: call.now,
            delete_on_termination: false,
        };
        volumes::attach(db, &volume.id, &attachment)?;
        Ok((instance, volume, attachment))
    })?;
    if instance.state == State::Running
        && let Err(error) = plug(call, &instance, &volume, &device)
    {
        call.world.catalogue.transact(|db| volumes::detach(db, &volume.id))?;
        return Err(error);
    }
    call.world.catalogue.transact(|db| volumes::set_attachment(db, &volume.id, "attached"))?;
    Ok(to_api_attachment(&volume, &attachment))
}

fn plug(call: &Call, instance: &Instance, volume: &Volume, device: &str) -> Answer<()> {
    let machine = instances::machine_of(&call.world, instance)?;
    Ok(call.world.engine.attach(&machine, &instances::plugged(&call.world, volume, device))?)
}

fn verify_attachable(db: &Connection, instance: &Instance, volume: &Volume, device: &str) -> Answer<()> {
    let (instance_id, volume_id) = (&instance.id, &volume.id);
    if !matches!(instance.state, State::Running | State::Stopped) {
        return refuse("IncorrectState", format!("Instance '{instance_id}' is not 'running'."));
    }
    if let Some(attachment) = &volume.attachment {
        return refuse(
            "VolumeInUse",
            format!("{volume_id} is already attached to an instance: {}", attachment.instance),
        );
    }
    if volume.state != "available" {
        return refuse(
            "IncorrectState",
            format!("Volume '{volume_id}' is in the '{}' state, not 'available'.", volume.state),
        );
    }
    if volume.zone != instance.zone {
        let text = format!(
            "The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}': {} and {}",
            volume.zone, instance.zone
        );
        return refuse("InvalidVolume.ZoneMismatch", text);
    }
    verify_device_name(device)?;
    let attached = volumes::list_attached(db, instance_id)?;
    let devices: Vec<&str> =
        attached.iter().filter_map(|volume| Some(volume.attachment.as_ref()?.device.as_str())).collect();
    if devices.iter().any(|taken| letter(taken) == letter(device)) {
        let text = format!("Invalid value '{device}' for unixDevice. Attachment point {device} is already in use");
        return refuse("InvalidParameterValue", text);
    }
    if devices.len() >= MAX_VOLUMES {
        return refuse(
            "AttachmentLimitExceeded",
            format!("Instance '{instance_id}' has {MAX_VOLUMES} volumes already"),
        );
    }
    Ok(())
}

/// `/dev/sd…`, `/dev/xvd…` or without `/dev/`.
fn verify_device_name(device: &str) -> Answer<()> {
    let is_name = |letters: &str| {
        let (letters, digits) =
            letters.split_at(letters.find(|letter: char| letter.is_ascii_digit()).unwrap_or(letters.len()));
        (1..=2).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_lowercase()) && digits.len() <= 2
    };
    let short = device.strip_prefix("/dev/").unwrap_or(device);
    if short.strip_prefix("sd").or(short.strip_prefix("xvd")).is_some_and(is_name) {
        return Ok(());
    }
    refuse(
        "InvalidParameterValue",
        format!("Value ({device}) for parameter device is invalid. {device} is not a valid EBS device name."),
    )
}

/// `/dev/sdf`, `sdf` and `/dev/xvdf` are one place.
fn letter(device: &str) -> &str {
    let short = device.strip_prefix("/dev/").unwrap_or(device);
    short.strip_prefix("sd").or(short.strip_prefix("xvd")).unwrap_or(short)
}

/// Takes a volume out of its instance. A volume that the instance still uses stays, and is `busy`.
pub(crate) fn detach_volume(call: &Call, request: &DetachVolumeRequest) -> Answer<VolumeAttachment> {
    let found = call.world.catalogue.transact(|db| own_volume(db, call, request.volume_id.as_deref()))?;
    let instance_id = found.attachment.as_ref().map(|attachment| attachment.instance.clone()).unwrap_or_default();
    let turn = call.world.turns.of(&instance_id);
    let _turn = turn.take();
    let (instance, volume, mut attachment) = call.world.catalogue.transact(|db| {
        let volume = own_volume(db, call, request.volume_id.as_deref())?;
        let Some(attachment) = volume.attachment.clone() else {
            return refuse("IncorrectState", format!("Volume '{}' is in the 'available' state.", volume.id));
        };
        let is_other = |asked: &Option<String>, actual: &str| asked.as_ref().is_some_and(|asked| asked != actual);
        if is_other(&request.instance_id, &attachment.instance) || is_other(&request.device, &attachment.device) {
            let text =
                format!("The volume '{}' is attached to {} as {}", volume.id, attachment.instance, attachment.device);
            return refuse("InvalidAttachment.NotFound", text);
        }
        let instance = own_instance(db, call, Some(&attachment.instance))?;
        if attachment.device == instance.root_device && instance.state == State::Running {
            let text = format!("Unable to detach root volume '{}' from instance '{}'", volume.id, instance.id);
            return refuse("OperationNotPermitted", text);
        }
        volumes::set_attachment(db, &volume.id, "detaching")?;
        Ok((instance, volume, attachment))
    })?;
    let unplugged = unplug(call, &instance, &volume, &attachment);
    call.world.catalogue.transact(|db| match &unplugged {
        Ok(()) => volumes::detach(db, &volume.id),
        Err(_) => volumes::set_attachment(db, &volume.id, "busy"),
    })?;
    attachment.state = "detaching".to_owned();
    if let Err(failure) = unplugged {
        tracing::warn!(volume = volume.id, "the volume is busy: {}", failure.chain());
        attachment.state = "busy".to_owned();
    }
    Ok(to_api_attachment(&volume, &attachment))
}

fn unplug(call: &Call, instance: &Instance, volume: &Volume, attachment: &Attachment) -> Result<(), Failure> {
    if instance.state != State::Running {
        return Ok(());
    }
    let machine = instances::machine_of(&call.world, instance)?;
    Ok(call.world.engine.detach(&machine, &instances::plugged(&call.world, volume, &attachment.device))?)
}
