//! The volumes phase: each EBS volume that the instance was given is attached to it, proved to be the right one, and mounted.

mod attach;
mod blank;
mod content;
mod find;
mod mount;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use ovenbird_core::metadata::Filesystem;
use ovenbird_core::metadata::Metadata;
use ovenbird_core::metadata::Schema;
use ovenbird_core::metadata::VolumeUse;
use serde::Serialize;

pub use attach::Step;
pub use attach::ensure_attached;
pub use attach::next_step;
pub use blank::ensure_formatted;
pub use blank::is_blank;
pub use content::Content;
pub use content::probe;
pub use find::Device;
pub use find::find_device;
pub use mount::unit_name;

use crate::api::Api;
use crate::fault::Fault;
use crate::instance::Instance;
use crate::report::say;
use crate::settings::Root;
use crate::time::Deadline;

/// A mounted volume, as the play sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mounted {
    /// `vol-…`
    pub id: String,
    /// Where it is mounted.
    pub path: String,
}

/// Attaches and mounts every volume that the metadata names, and answers them by key.
///
/// # Errors
/// At the first volume that cannot be had, or of which it is not certain that it may be used.
pub fn ensure_volumes(
    schema: &Schema,
    metadata: &Metadata,
    instance: &Instance,
    api: &Api<'_>,
    root: &Root,
    deadline: &Deadline,
) -> Result<BTreeMap<String, Mounted>, Fault> {
    let mut given = Vec::new();
    let mut ids = BTreeSet::new();
    for (name, wanted) in &schema.volumes {
        if let Some(id) = metadata.volume_id(name) {
            if !ids.insert(id) {
                return Err(Fault::lasting(format!("the metadata gives the volume {id} for two mount points")));
            }
            given.push((name, id, wanted));
        }
    }
    let mut mounted = BTreeMap::new();
    for (name, id, wanted) in given {
        let place = ensure_volume(id, wanted, instance, api, root, deadline)?;
        mounted.insert(name.clone(), Mounted { id: id.to_owned(), path: place });
    }
    Ok(mounted)
}

fn ensure_volume(
    id: &str,
    wanted: &VolumeUse,
    instance: &Instance,
    api: &Api<'_>,
    root: &Root,
    deadline: &Deadline,
) -> Result<String, Fault> {
    let volume = ensure_attached(api, instance, id, deadline)?;
    let device = find::await_device(root, id, deadline)?;
    let place = root.path(&wanted.mount);
    if !mount::is_mounted_at(&device, &place) {
        let filesystem = ensure_filesystem(&device, id, &volume, wanted.format, deadline)?;
        content::verify_unique(root, &device, &filesystem, deadline)?;
        mount::verify_sound(&device, &filesystem, deadline)?;
        mount::ensure_mounted(root, &device, id, &filesystem, &place, deadline)?;
        mount::grow(&device, &filesystem, &place, deadline);
        say(&format!("mounted {id} ({}, {}) on {}", device.path.display(), filesystem.kind, wanted.mount));
    }
    if let Some(owner) = &wanted.owner {
        mount::ensure_owner(root, &place, owner)?;
    }
    Ok(shown(&place))
}

fn ensure_filesystem(
    device: &Device,
    id: &str,
    volume: &ovenbird_aws::ec2::Volume,
    format: Option<Filesystem>,
    deadline: &Deadline,
) -> Result<content::Found, Fault> {
    match probe(device, deadline)? {
        Content::Filesystem(found) => Ok(found),
        Content::Other(what) => Err(Fault::lasting(format!(
            "the volume {id} holds {what}, not a file system of its own; it is left as it is"
        ))),
        Content::Nothing => match format {
            Some(Filesystem::Ext4) => ensure_formatted(device, id, volume, deadline),
            None => Err(Fault::lasting(format!(
                "no file system was found on the volume {id}, and the image does not ask to make one"
            ))),
        },
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
