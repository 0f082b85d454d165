//! A disk to bake on, with the layers that are reused.

use crate::disks::working_copy;
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
            let path = WorkingDisk::path_in(&oven.folder.path);
            WorkingDisk::forget(&path)?;
            let on_event = &mut *oven.on_event;
            let on_block = |done, total| on_event(Event::Blocks { done, total });
            let map = working_copy(oven.client, &base, &snapshot, &path, on_block).await?;
            let disk = WorkingDisk::record(path, Content { snapshot, map, layer: None })?;
            disk.write_out_soon();
            oven.disk = Some(disk);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.disk = None;
            oven.inspecting = None;
            WorkingDisk::remove(&oven.folder.path)
        })
    }
}
