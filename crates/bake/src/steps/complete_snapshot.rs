//! The layer's blocks are said to be all. From here on EBS makes them a snapshot, while the bake goes on: what is baked over it needs the
//! disk, and not yet the snapshot.

use std::time::Duration;

use super::await_snapshot::keep;
use crate::error::BakeError;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::PlannedLayer;
use crate::remote::complete_snapshot;
use crate::step::Step;
use crate::step::Work;
use crate::working_disk::Content;
use crate::working_disk::WorkingDisk;

/// For how long a bake that failed waits for a layer that is nearly there, and good.
const FAREWELL: Duration = Duration::from_secs(60);

pub(crate) struct CompleteSnapshot<'p> {
    pub(crate) layer: &'p PlannedLayer,
}

impl Step for CompleteSnapshot<'_> {
    fn name(&self) -> String {
        format!("complete snapshot of {}", self.layer.key.short())
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if self.is_sent(oven) {
                return Ok(());
            }
            let upload = needed(oven.upload.as_mut(), "a snapshot for the layer")?;
            complete_snapshot(oven.client, &upload.snapshot, &upload.changes).await?;
            upload.is_said_whole = true;
            let content = Content { snapshot: upload.snapshot.clone(), map: upload.map.clone(), layer: None };
            let disk = needed(oven.disk.take(), "a disk to bake on")?;
            oven.disk = Some(WorkingDisk::record(disk.path, content)?);
            Ok(())
        })
    }

    /// A later step's failure is none of this layer's: it is kept, if it comes to be.
    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if self.is_sent(oven) && !oven.kept.contains_key(&self.layer.key) {
                // What does not come to be is pending, and deleted with what began it.
                let _: Result<(), BakeError> = keep(oven, self.layer, FAREWELL).await;
            }
            Ok(())
        })
    }
}

impl CompleteSnapshot<'_> {
    fn is_sent(&self, oven: &Oven<'_>) -> bool {
        oven.upload.as_ref().is_some_and(|upload| upload.layer == self.layer.key && upload.is_said_whole)
    }
}
