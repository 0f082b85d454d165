//! The layer's changed blocks, written to its snapshot.

use crate::event::Event;
use crate::event::Phase;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::PlannedLayer;
use crate::remote::put_blocks;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct PutBlocks<'p> {
    pub(crate) layer: &'p PlannedLayer,
}

impl Step for PutBlocks<'_> {
    fn name(&self) -> String {
        format!("put blocks of {}", self.layer.key.short())
    }

    /// Blocks that are there already are written once more: the API does not tell which are.
    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Upload });
            let disk = needed(oven.disk.as_ref(), "a disk to bake on")?;
            let upload = needed(oven.upload.as_ref(), "a snapshot for the layer")?;
            let on_event = &mut *oven.on_event;
            let on_block = |done, total| on_event(Event::Blocks { done, total });
            put_blocks(oven.client, &upload.snapshot, &disk.path, &upload.changes, on_block).await
        })
    }
}
