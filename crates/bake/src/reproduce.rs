//! The same bake once more, into nothing: whether the inputs decide the result.

use ovenbird_aws::Client;
use ovenbird_core::contents::Contents;
use ovenbird_disk::blocks;

use crate::disks::ensure_base;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::layer::Workplace;
use crate::layer::run_layer;
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
    let copied = blocks::copy_sparse(&base.path, &disk).map_err(working("copy the base's disk"));
    let baked = copied
        .and_then(|()| run_layers((request, plan), &folder, client.region().unwrap_or_default(), on_event))
        .and_then(|()| {
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
    folder: &BakeFolder,
    region: &str,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    let ami = describe_source(&plan.source, region);
    let logs = request.folders.logs().join(&folder.id);
    fs_err::create_dir_all(&logs).map_err(working("create the folder of the bake's log"))?;
    let disk = WorkingDisk::path_in(&folder.path);
    for layer in &plan.layers {
        on_event(Event::Runs { layer: layer.title.clone(), why: vec!["the bake is checked".to_owned()] });
        let place = Workplace { request, plan, folder, logs: &logs, ami: &ami, disk: &disk, seen: &disk };
        run_layer(&place, layer, None, on_event)?;
    }
    Ok(())
}
