//! CreateImage: an image of an instance's volumes.

use std::sync::Arc;

use jiff::Timestamp;
use ovenbird_aws::ec2::CreateImageRequest;
use ovenbird_aws::ec2::CreateImageResult;
use rusqlite::Connection;

use super::devices;
use super::register_image::blank;
use super::register_image::verify_description;
use super::register_image::verify_free;
use super::register_image::verify_name;
use super::resources::own_instance;
use crate::catalogue::images;
use crate::catalogue::images::Device;
use crate::catalogue::images::Image;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::catalogue::volumes;
use crate::delays::Delay;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::instances as life;
use crate::snapshotting;
use crate::snapshotting::Reading;
use crate::tagging;
use crate::world::Call;
use crate::world::World;

/// Snapshots the volumes of a running or stopped instance, and makes an image of them. Without NoReboot a running instance
/// is rebooted for it.
pub(crate) fn create_image(call: &Call, request: &CreateImageRequest) -> Answer<CreateImageResult> {
    let name = verify_name(required(request.name.as_deref(), "Name")?)?;
    verify_description(request.description.as_deref())?;
    let specified = tagging::specified(&request.tag_specifications, &["image", "snapshot"])?;
    let (image_tags, snapshot_tags) = (specified("image"), specified("snapshot"));
    let (instance, image, readings) = call.world.catalogue.transact(|db| {
        let instance = own_instance(db, call, request.instance_id.as_deref())?;
        if !matches!(instance.state, State::Running | State::Stopped) {
            let text = format!(
                "Instance is not in state 'running' or 'stopped': {} is {}",
                instance.id,
                instance.state.name()
            );
            return refuse("InvalidParameterValue", text);
        }
        verify_free(db, &call.scope, &name)?;
        let id = random_id("ami")?;
        let (devices, readings) = snapshot_devices(db, call, request, &instance, &id, &snapshot_tags)?;
        let image = image_of(db, call, request, &instance, Image { id, name: name.clone(), devices, ..blank(call) })?;
        images::insert_image(db, &image)?;
        if let Some(why) = call.doom() {
            images::fail_image(db, &image.id, why)?;
        }
        tags::put_tags(db, &call.scope, &image.id, &image_tags)?;
        Ok((instance, image, readings))
    })?;
    let id = image.id.clone();
    let reboots = request.no_reboot != Some(true);
    let done = move |world: &World, read: &Answer<()>, due| life::note(&id, finish(world, &id, read, due));
    snapshotting::begin(Arc::clone(&call.world), Some(instance.id), reboots, readings, Delay::ImageCreated, done);
    Ok(CreateImageResult { image_id: Some(image.id) })
}

/// The image is available when its snapshots are; a failed one says why.
fn finish(world: &World, id: &str, read: &Answer<()>, due: Timestamp) -> Answer<()> {
    world.catalogue.transact(|db| match read {
        Ok(()) => images::set_available(db, id, due),
        Err(failure) => images::fail_image(db, id, &failure.chain()),
    })
}

/// A pending snapshot for each volume, and the mapping of the image.
fn snapshot_devices(
    db: &Connection,
    call: &Call,
    request: &CreateImageRequest,
    instance: &Instance,
    image: &str,
    snapshot_tags: &[Tag],
) -> Answer<(Vec<Device>, Vec<Reading>)> {
    let (mut kept, mut readings) = (Vec::new(), Vec::new());
    for volume in volumes::list_attached(db, &instance.id)? {
        let Some(attachment) = &volume.attachment else { continue };
        let device = Device {
            name: attachment.device.clone(),
            snapshot: None,
            size: volume.size,
            kind: volume.kind.clone(),
            iops: volume.iops,
            throughput: volume.throughput,
            delete_on_termination: attachment.delete_on_termination,
            virtual_name: None,
            kms_key: volume.kms_key.clone(),
        };
        kept.push((device, volume));
    }
    let own: Vec<Device> = kept.iter().map(|(device, _)| device.clone()).collect();
    let mut devices = devices::of_instance(db, call, own, &request.block_device_mappings)?;
    if !devices.iter().any(|device| device.name == instance.root_device) {
        return refuse(
            "InvalidBlockDeviceMapping",
            format!("The root device {} cannot be left out", instance.root_device),
        );
    }
    for (device, volume) in &kept {
        let Some(mapped) = devices.iter_mut().find(|mapped| mapped.name == device.name) else { continue };
        let description = format!("Created by CreateImage({}) for {image}", instance.id);
        let reading = snapshotting::insert(db, call, volume, Some(description))?;
        tags::put_tags(db, &call.scope, &reading.snapshot, snapshot_tags)?;
        mapped.snapshot = Some(reading.snapshot.clone());
        readings.push(reading);
    }
    Ok((devices, readings))
}

/// The new image with what the instance's own image has.
fn image_of(
    db: &Connection,
    call: &Call,
    request: &CreateImageRequest,
    instance: &Instance,
    new: Image,
) -> Answer<Image> {
    let parent = images::find_visible(db, &call.scope, &instance.image)?;
    let inherited = parent.as_ref();
    Ok(Image {
        description: request.description.clone(),
        architecture: instance.architecture.clone(),
        root_device: Some(instance.root_device.clone()),
        boot_mode: instance.boot_mode.clone(),
        tpm_support: inherited.and_then(|image| image.tpm_support.clone()),
        imds_support: inherited.and_then(|image| image.imds_support.clone()),
        sriov: inherited.and_then(|image| image.sriov.clone()),
        ena: inherited.is_none_or(|image| image.ena),
        billing: instance.billing.clone(),
        source_image: Some(instance.image.clone()),
        source_region: Some(call.scope.region.clone()),
        source_instance: Some(instance.id.clone()),
        ..new
    })
}
