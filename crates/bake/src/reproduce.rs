//! The same bake once more, into nothing: whether the inputs decide the result.

use ovenbird_aws::Client;
use ovenbird_core::contents::Contents;

use crate::copying::Copying;
use crate::disks::KeptDisk;
use crate::disks::ensure_base;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::layer::Workplace;
use crate::layer::provision_layer;
use crate::look::contents_of;
use crate::owned::ensure_owned;
use crate::plan::Plan;
use crate::plan::describe_source;
use crate::request::Request;
use crate::working_disk::WorkingDisk;

/// Runs every layer of `plan` over the base, whatever is known, and answers what came out. Nothing is uploaded, nothing stays.
///
/// # Errors
/// As a bake's.
pub async fn bake_again(
    client: &Client,
    request: &Request,
    plan: &Plan,
    on_event: &mut dyn FnMut(Event),
) -> Result<Contents, BakeError> {
    let base = ensure_owned(client, &plan.source, &request.account).await?;
    let base =
        ensure_base(client, &request.folders, &base, |done, total| on_event(Event::Blocks { done, total })).await?;
    let folder = BakeFolder::create(&request.folders)?;
    on_event(Event::Phase { phase: Phase::Copy });
    let disk = WorkingDisk::path_in(&folder.path);
    let baked = run_layers((request, plan), &base, &folder, client.region().unwrap_or_default(), on_event);
    let baked = baked.and_then(|()| {
        on_event(Event::Phase { phase: Phase::Look });
        contents_of(&folder, &disk)
    });
    let removed = folder.remove();
    let contents = baked?;
    removed?;
    Ok(contents)
}

fn run_layers(
    (request, plan): (&Request, &Plan),
    base: &KeptDisk,
    folder: &BakeFolder,
    region: &str,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    let ami = describe_source(&plan.source, region);
    let logs = request.folders.logs().join(&folder.id);
    fs_err::create_dir_all(&logs).map_err(working("create the folder of the bake's log"))?;
    let disk = WorkingDisk::path_in(&folder.path);
    let mut copying = Some(Copying::start(base.clone(), &disk, None));
    for layer in &plan.layers {
        on_event(Event::Runs { layer: layer.title.clone(), why: vec!["the bake is checked".to_owned()] });
        let seen = if copying.is_some() { &base.path } else { &disk };
        let place = Workplace { request, plan, folder, logs: &logs, ami: &ami, disk: &disk, seen };
        provision_layer(&place, layer, (None, copying.take()), on_event)?.write(&place, layer, on_event)?;
    }
    // A plan may have no layer.
    copying.map_or(Ok(()), Copying::end)
}
