//! The layer's disk, kept for those that are run over it, here and in bakes to come. There is nothing to undo: where the snapshot does not
//! come to be, nobody asks for its disk, and others take its room.

use crate::disks::keep_layer;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::PlannedLayer;
use crate::step::Step;
use crate::step::Work;
use crate::steps::copy_disk::bake_on_copy_of;
use crate::working_disk::WorkingDisk;

pub(crate) struct KeepDisk<'p> {
    pub(crate) layer: &'p PlannedLayer,
    /// This bake goes on, with a copy.
    pub(crate) goes_on: bool,
}

impl Step for KeepDisk<'_> {
    fn name(&self) -> String {
        format!("keep disk of {}", self.layer.key.short())
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let snapshot = needed(oven.upload.as_ref(), "a snapshot for the layer")?.snapshot.clone();
            if oven.below.as_ref().is_some_and(|below| below.snapshot == snapshot) {
                return Ok(());
            }
            let disk = needed(oven.disk.clone(), "a disk to bake on")?;
            let kept = keep_layer(&oven.request.folders, &disk.path, &snapshot, &disk.content.map)?;
            // Without it, the next layer is run over the disk itself.
            let Some(kept) = kept else { return Ok(()) };
            oven.disk = None;
            if self.goes_on {
                return bake_on_copy_of(oven, kept);
            }
            oven.below = Some(kept);
            WorkingDisk::forget(&disk.path)
        })
    }
}
