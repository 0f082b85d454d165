//! One layer: a playbook over a disk, sealed, and applied to it.

use std::path::Path;

use ovenbird_disk::gpt;
use ovenbird_disk::kernel;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;
use ovenbird_disk::mount::Mount;

use crate::ansible::run_playbook;
use crate::apply::apply;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::interrupt::stop_if_interrupted;
use crate::plan::PlannedLayer;
use crate::sandbox::Layers;
use crate::sandbox::Options;
use crate::sandbox::Sandbox;
use crate::seal::seal;

/// Where a layer runs.
pub(crate) struct Workplace<'a> {
    /// The bake's folder.
    pub(crate) folder: &'a Path,
    /// Where Ansible's log and inventory go; they outlive the bake.
    pub(crate) logs: &'a Path,
    /// What the sandbox is told.
    pub(crate) options: Options,
    /// The disk that the layer becomes part of.
    pub(crate) disk: &'a Path,
}

/// Runs the layer's playbook over the disk and writes what it changed, sealed, to the disk.
///
/// # Errors
/// The playbook's, or this machine's. The disk is then to be thrown away.
pub(crate) fn run_layer(
    place: &Workplace<'_>,
    layer: &PlannedLayer,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    let root = gpt::find_root(place.disk).map_err(working("find the root partition of the base"))?;
    let base = place.folder.join("base");
    let memory = Mount::tmpfs(&place.folder.join("overlay"), "mode=0755,size=80%")
        .map_err(working("make room for the play's writes"))?;
    let layers =
        Layers { lower: vec![base.clone()], upper: memory.target().join("upper"), work: memory.target().join("work") };
    for folder in [&layers.upper, &layers.work] {
        fs_err::create_dir_all(folder).map_err(working("make room for the play's writes"))?;
    }
    let mounted = LoopMount::ensure(place.disk, &root, &base, Access::ReadOnly).map_err(working("mount the base"))?;

    on_event(Event::Phase { phase: Phase::Play { layer: layer.title.clone() } });
    play(place, layer, &layers, on_event)?;
    stop_if_interrupted()?;

    on_event(Event::Phase { phase: Phase::Seal });
    let merged = Mount::overlay(&base, &layers.upper, &layers.work, &place.folder.join("merged"))
        .map_err(working("look at the provisioned tree"))?;
    seal(merged.target()).map_err(working("seal the provisioned tree"))?;
    merged.unmount().map_err(working("unmount the provisioned tree"))?;
    mounted.unmount().map_err(working("unmount the base"))?;

    on_event(Event::Phase { phase: Phase::Apply });
    let target = LoopMount::ensure(place.disk, &root, &place.folder.join("target"), Access::ReadWrite)
        .map_err(working("mount the disk"))?;
    apply(&layers.upper, target.target(), place.options.epoch).map_err(working("write the layer to the disk"))?;
    let epoch = u64::try_from(place.options.epoch).unwrap_or_default();
    kernel::refresh_esp(place.disk, target.target(), epoch)
        .map_err(working("put the newest kernel where the firmware finds it"))?;
    target.trim().map_err(working("free unused blocks"))?;
    target.unmount().map_err(working("unmount the disk"))?;
    memory.unmount().map_err(working("free the play's writes"))?;
    stop_if_interrupted()
}

fn play(
    place: &Workplace<'_>,
    layer: &PlannedLayer,
    layers: &Layers,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    let sandbox = Sandbox::start(layers, &place.options).map_err(working("start the sandbox"))?;
    run_playbook(&sandbox, &layer.playbook, place.logs, &mut |task| on_event(Event::Ansible { task })).map_err(
        |error| match error {
            crate::ansible::PlaybookError::Interrupted => BakeError::Interrupted,
            error => working(format!("run {}", layer.title))(error),
        },
    )?;
    sandbox.stop().map_err(working("end the sandbox"))
}
