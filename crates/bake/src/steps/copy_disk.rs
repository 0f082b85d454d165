//! A disk to bake on: a copy of what is baked over, the base or the last layer that is reused.

use crate::copying::Copying;
use crate::disks::KeptDisk;
use crate::disks::ensure_layer;
use crate::disks::take_for_copy;
use crate::error::BakeError;
use crate::event::Event;
use crate::event::Phase;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Fate;
use crate::plan::Plan;
use crate::step::Step;
use crate::step::Work;
use crate::working_disk::Content;
use crate::working_disk::WorkingDisk;

pub(crate) struct CopyDisk<'p> {
    pub(crate) plan: &'p Plan,
}

impl Step for CopyDisk<'_> {
    fn name(&self) -> String {
        "copy disk".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let base = needed(oven.base.clone(), "the base's disk")?;
            oven.load_ansible_for(self.plan.to_run().first());
            let mut snapshot = base.snapshot.clone();
            for layer in self.plan.reused() {
                if let Fate::Reused { snapshot: reused } = &layer.fate {
                    snapshot.clone_from(reused);
                    oven.kept.insert(layer.key, reused.clone());
                    oven.tell(Event::Reused { layer: layer.title.clone(), snapshot: reused.clone() });
                }
            }
            let found = WorkingDisk::find(&oven.folder.path).filter(|disk| disk.content.snapshot == snapshot);
            if found.is_some() {
                oven.disk = found;
                return Ok(());
            }
            oven.tell(Event::Phase { phase: Phase::Copy });
            let below = if snapshot == base.snapshot {
                base
            } else {
                let on_event = &mut *oven.on_event;
                let on_block = |done, total| on_event(Event::Blocks { done, total });
                ensure_layer(oven.client, &oven.request.folders, &base, &snapshot, on_block).await?
            };
            bake_on_copy_of(oven, below)
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.disk = None;
            oven.copying = None;
            oven.inspecting = None;
            WorkingDisk::remove(&oven.folder.path)
        })
    }
}

/// Begins to copy `below`, which is looked at until the copy is needed.
///
/// # Errors
/// The disk's.
pub(super) fn bake_on_copy_of(oven: &mut Oven<'_>, below: KeptDisk) -> Result<(), BakeError> {
    let path = WorkingDisk::path_in(&oven.folder.path);
    WorkingDisk::forget(&path)?;
    let held = take_for_copy(&oven.request.folders, &path)?;
    oven.copying = Some(Copying::start(below.clone(), &path, held));
    let content = Content { snapshot: below.snapshot.clone(), map: below.map.clone(), layer: None };
    oven.disk = Some(WorkingDisk { path, content });
    oven.below = Some(below);
    Ok(())
}
