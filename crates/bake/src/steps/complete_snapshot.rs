//! The snapshot completed: from here on it is a layer, and stays whatever becomes of the bake.

use crate::event::Event;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::PlannedLayer;
use crate::plan::remember;
use crate::remote::complete_snapshot;
use crate::step::Step;
use crate::step::Work;
use crate::working_disk::Content;
use crate::working_disk::WorkingDisk;

pub(crate) struct CompleteSnapshot<'p> {
    pub(crate) layer: &'p PlannedLayer,
}

impl Step for CompleteSnapshot<'_> {
    fn name(&self) -> String {
        format!("complete snapshot of {}", self.layer.key.short())
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.kept.contains_key(&self.layer.key) {
                return Ok(());
            }
            let upload = needed(oven.upload.take(), "a snapshot for the layer")?;
            let disk = needed(oven.disk.take(), "a disk to bake on")?;
            complete_snapshot(oven.client, &upload.snapshot, &upload.digests).await?;
            oven.journal.append(Entry::Kept { snapshot: upload.snapshot.clone() })?;
            remember(&oven.request.folders, self.layer)?;
            oven.kept.insert(self.layer.key, upload.snapshot.clone());
            let content = Content { snapshot: upload.snapshot.clone(), map: upload.map, layer: None };
            oven.disk = Some(WorkingDisk::record(disk.path, content)?);
            oven.tell(Event::Kept {
                layer: self.layer.title.clone(),
                snapshot: upload.snapshot,
                changed_blocks: upload.changes.len() as u64,
            });
            Ok(())
        })
    }
}
