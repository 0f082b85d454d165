//! An instance as its engine needs to know it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::view::InstanceView;
use crate::catalogue::instances::Instance;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Volume;
use crate::engine::AttachedVolume;
use crate::engine::Machine;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::world::World;

/// A volume as the engine plugs it.
pub(crate) fn plugged(world: &World, volume: &Volume, device: &str) -> AttachedVolume {
    AttachedVolume { volume_id: volume.id.clone(), device: device.to_owned(), file: world.folder.volume(&volume.id) }
}

/// The machine of an instance. A terminated one has no disks any more, only its folder.
pub(crate) fn machine_of(world: &Arc<World>, instance: &Instance) -> Answer<Machine> {
    let attached = world.catalogue.transact(|db| volumes::list_attached(db, &instance.id))?;
    let to_engine = |volume: volumes::Volume| {
        let attachment = volume.attachment.as_ref().filter(|attachment| attachment.state != "attaching")?;
        Some(plugged(world, &volume, &attachment.device))
    };
    let (root, volumes): (Vec<_>, Vec<_>) =
        attached.into_iter().filter_map(to_engine).partition(|volume| volume.device == instance.root_device);
    let (root_volume_id, root_disk) =
        root.into_iter().next().map(|root| (root.volume_id, root.file)).unwrap_or_default();
    let private_ip: Ipv4Addr = instance
        .private_ip
        .parse()
        .map_err(|error| Failure::internal(format!("read the address of {}", instance.id), error))?;
    Ok(Machine {
        instance_id: instance.id.clone(),
        folder: world.folder.instance(&instance.id),
        root_disk,
        root_volume_id,
        // The same kernel either way; firmware costs seconds.
        firmware: false,
        private_ip,
        mac: instance.mac.clone(),
        namespace: format!("ob-{}", &instance.id[instance.id.len() - 10..]),
        volumes,
        metadata: Arc::new(InstanceView::new(world, instance)),
        api_port: world.port,
    })
}
