//! One layer: provisioners over a disk, sealed, and applied to it.

use std::path::Path;

use ovenbird_core::layer::ParentRef;
use ovenbird_disk::fs_journal::KeptJournal;
use ovenbird_disk::gpt;
use ovenbird_disk::kernel;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;
use ovenbird_disk::mount::Mount;
use ovenbird_template::SourceAmi;

use crate::ansible::Early;
use crate::apply::apply;
use crate::copying::Copying;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::folder::Folders;
use crate::interrupt::stop_if_interrupted;
use crate::plan::Plan;
use crate::plan::PlannedLayer;
use crate::plan::package_cache;
use crate::provision;
use crate::provision::Site;
use crate::request::Request;
use crate::sandbox::Layers;
use crate::sandbox::Options;
use crate::sandbox::Sandbox;
use crate::sandbox::Tmp;
use crate::seal::TEMPORARY_FILES;
use crate::seal::seal_but;

/// Where a layer runs, and for whom.
pub(crate) struct Workplace<'a> {
    pub(crate) request: &'a Request,
    pub(crate) plan: &'a Plan,
    pub(crate) folder: &'a BakeFolder,
    /// Where logs and Ansible's inventory go; they outlive the bake.
    pub(crate) logs: &'a Path,
    /// What the template's late values are worth.
    pub(crate) ami: &'a SourceAmi,
    /// The disk that the layer becomes part of.
    pub(crate) disk: &'a Path,
    /// The disk that the play sees: that one, or what it is a copy of.
    pub(crate) seen: &'a Path,
}

/// Loads Ansible for the layer's play, if it begins with one: nothing before it can then change what Ansible is called with.
pub(crate) fn load_ansible(layer: &PlannedLayer, logs: &Path, folders: &Folders, bake: &str) -> Option<Early> {
    match &layer.runs.first()?.work {
        provision::Work::Play(playbook, _) => Early::start(playbook, logs, &folders.sources(), bake),
        _ => None,
    }
}

/// A layer whose provisioners have run: what they changed is in memory, and their copy of the disk may still be on its way.
pub(crate) struct Provisioned {
    memory: Mount,
    layers: Layers,
    below: LoopMount,
    copying: Option<Copying>,
}

/// Runs the layer's provisioners over what is seen. Ansible may be loaded already.
///
/// # Errors
/// A provisioner's, or this machine's.
pub(crate) fn provision_layer(
    place: &Workplace<'_>,
    layer: &PlannedLayer,
    (early, copying): (Option<Early>, Option<Copying>),
    on_event: &mut dyn FnMut(Event),
) -> Result<Provisioned, BakeError> {
    let folder = &place.folder.path;
    let root = gpt::find_root(place.seen).map_err(working("find the root partition of the base"))?;
    let base = folder.join("base");
    let memory = Mount::tmpfs(&folder.join("overlay"), "mode=0755,size=80%")
        .map_err(working("make room for the play's writes"))?;
    let layers =
        Layers { lower: vec![base.clone()], upper: memory.target().join("upper"), work: memory.target().join("work") };
    for folder in [&layers.upper, &layers.work] {
        fs_err::create_dir_all(folder).map_err(working("make room for the play's writes"))?;
    }
    let below = LoopMount::ensure(place.seen, &root, &base, Access::ReadOnly).map_err(working("mount the base"))?;

    on_event(Event::Phase { phase: Phase::Play { layer: layer.title.clone() } });
    if let Err(error) = provision(place, layer, &layers, early, on_event) {
        if place.request.keep_on_failure {
            below.unmount().map_err(working("unmount the base"))?;
            copying.map_or(Ok(()), Copying::end)?;
            show_failure(place, &layers)?;
        }
        return Err(error);
    }
    stop_if_interrupted()?;
    Ok(Provisioned { memory, layers, below, copying })
}

impl Provisioned {
    /// Seals what the provisioners changed, and writes it to the disk.
    ///
    /// # Errors
    /// This machine's. The disk is then to be thrown away.
    pub(crate) fn write(
        self,
        place: &Workplace<'_>,
        layer: &PlannedLayer,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<(), BakeError> {
        let Self { memory, layers, below, copying } = self;
        let (folder, epoch) = (&place.folder.path, place.plan.epoch);
        on_event(Event::Phase { phase: Phase::Seal });
        let merged = Mount::overlay(below.target(), &layers.upper, &layers.work, &folder.join("merged"))
            .map_err(working("look at the provisioned tree"))?;
        let kept: &[&str] = if layer.tmp == Tmp::Kept { &[TEMPORARY_FILES] } else { &[] };
        seal_but(merged.target(), kept).map_err(working("seal the provisioned tree"))?;
        merged.unmount().map_err(working("unmount the provisioned tree"))?;
        below.unmount().map_err(working("unmount the base"))?;

        on_event(Event::Phase { phase: Phase::Apply });
        copying.map_or(Ok(()), Copying::end)?;
        let root = gpt::find_root(place.disk).map_err(working("find the root partition of the disk"))?;
        let journal = KeptJournal::keep(place.disk, &root).map_err(working("keep the disk's journal"))?;
        let target = LoopMount::ensure(place.disk, &root, &folder.join("target"), Access::ReadWrite)
            .map_err(working("mount the disk"))?;
        apply(&layers.upper, target.target(), epoch).map_err(working("write the layer to the disk"))?;
        // Between a layer and what is below it, only a kernel of its own makes a difference.
        if matches!(layer.inputs.parent, ParentRef::Base { .. }) || layers.upper.join("boot").symlink_metadata().is_ok()
        {
            let epoch = u64::try_from(epoch).unwrap_or_default();
            kernel::refresh_esp(place.disk, target.target(), epoch)
                .map_err(working("put the newest kernel where the firmware finds it"))?;
        }
        target.trim().map_err(working("free unused blocks"))?;
        target.unmount().map_err(working("unmount the disk"))?;
        journal.map(KeptJournal::put_back).transpose().map_err(working("put back the disk's journal"))?;
        memory.unmount().map_err(working("free the play's writes"))?;
        stop_if_interrupted()
    }
}

/// Writes what the provisioners did before they failed to the disk, so that a person can look at it. No layer is made of it.
fn show_failure(place: &Workplace<'_>, layers: &Layers) -> Result<(), BakeError> {
    let root = gpt::find_root(place.disk).map_err(working("find the root partition of the base"))?;
    let target = LoopMount::ensure(place.disk, &root, &place.folder.path.join("target"), Access::ReadWrite)
        .map_err(working("mount the disk"))?;
    apply(&layers.upper, target.target(), place.plan.epoch).map_err(working("write the failed layer to the disk"))?;
    target.unmount().map_err(working("unmount the disk"))
}

fn provision(
    place: &Workplace<'_>,
    layer: &PlannedLayer,
    layers: &Layers,
    early: Option<Early>,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    let options = Options {
        bake: place.folder.id.clone(),
        room: place.folder.path.join("room"),
        packages: Some(package_cache(place.request, &place.plan.source)),
        tmp: layer.tmp,
        epoch: place.plan.epoch,
    };
    let sandbox = Sandbox::start(layers, &options).map_err(working("start the sandbox"))?;
    let (request, ami, logs) = (place.request, place.ami, place.logs);
    let mut site = Site { target: &sandbox, request, ami, logs, early, on_event };
    if let Err(error) = layer.runs.iter().try_for_each(|run| provision::run(&mut site, run)) {
        provision::clean_up(&mut site, place.plan.error_cleanup.as_ref());
        return Err(error);
    }
    sandbox.stop().map_err(working("end the sandbox"))
}
