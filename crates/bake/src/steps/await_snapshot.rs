//! The snapshot is completed: from here on it is a layer, and stays whatever becomes of the bake.

use std::time::Duration;

use crate::error::BakeError;
use crate::event::Event;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::PlannedLayer;
use crate::plan::remember;
use crate::remote::COMPLETION;
use crate::remote::wait_until_completed;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct AwaitSnapshot<'p> {
    pub(crate) layer: &'p PlannedLayer,
}

impl Step for AwaitSnapshot<'_> {
    fn name(&self) -> String {
        format!("await snapshot of {}", self.layer.key.short())
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.kept.contains_key(&self.layer.key) {
                return Ok(());
            }
            keep(oven, self.layer, COMPLETION).await
        })
    }
}

/// Waits until the layer's snapshot is completed, and keeps it.
///
/// # Errors
/// AWS's refusals; a snapshot that ends as an error, or takes longer than `patience`.
pub(super) async fn keep(oven: &mut Oven<'_>, layer: &PlannedLayer, patience: Duration) -> Result<(), BakeError> {
    let upload = needed(oven.upload.as_ref(), "a snapshot for the layer")?;
    let (snapshot, changed_blocks) = (upload.snapshot.clone(), upload.changes.len() as u64);
    wait_until_completed(oven.client, &snapshot, patience).await?;
    oven.journal.append(Entry::Kept { snapshot: snapshot.clone() })?;
    remember(&oven.request.folders, layer)?;
    oven.kept.insert(layer.key, snapshot.clone());
    oven.tell(Event::Kept { layer: layer.title.clone(), snapshot, changed_blocks });
    Ok(())
}
