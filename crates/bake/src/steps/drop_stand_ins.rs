//! The images that stood in for the new one while the old one made way, dropped; and the old one's snapshots, where the template says so.

use std::collections::BTreeSet;

use crate::error::BakeError;
use crate::error::word;
use crate::event::Event;
use crate::images::deregister;
use crate::images::list_named_like;
use crate::images::list_snapshots;
use crate::oven::Oven;
use crate::oven::needed;
use crate::path::BakePath;
use crate::plan::Fate;
use crate::plan::Plan;
use crate::register::stand_in_start;
use crate::remote::undo_snapshot;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct DropStandIns<'p> {
    pub(crate) plan: &'p Plan,
    /// Are the old image's snapshots deleted?
    pub(crate) with_old_snapshots: bool,
}

impl Step for DropStandIns<'_> {
    fn name(&self) -> String {
        "drop stand-ins".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let start = stand_in_start(&self.plan.image_name);
            for image in list_named_like(oven.client, &oven.request.service, &start).await? {
                // A disk's snapshot is a layer and stays; CreateImage made one for the stand-in alone.
                let own = match self.plan.path.path {
                    BakePath::Launch => list_snapshots(oven.client, &image).await?,
                    BakePath::Direct => Vec::new(),
                };
                deregister(oven.client, &image).await?;
                for snapshot in own {
                    undo_snapshot(oven.client, &snapshot).await?;
                }
            }
            if self.with_old_snapshots {
                let stays = self.list_needed(oven).await?;
                for snapshot in oven.journal.list_retired_snapshots().difference(&stays) {
                    match undo_snapshot(oven.client, snapshot).await {
                        // The new image is out, and whose the snapshot is too needs it.
                        Err(BakeError::Aws { source, .. }) if source.has_code("InvalidSnapshot.InUse") => {
                            oven.tell(Event::InUse { snapshot: snapshot.clone(), why: word(&source) });
                        }
                        deleted => deleted?,
                    }
                }
            }
            Ok(())
        })
    }
}

impl DropStandIns<'_> {
    /// The new image's snapshots and layers, by what the bake has made, or by the plan where it was resumed with its image made. What was the
    /// old image's too stays.
    async fn list_needed(&self, oven: &Oven<'_>) -> Result<BTreeSet<String>, BakeError> {
        let image = needed(oven.image.as_ref(), "an image")?;
        let own = list_snapshots(oven.client, image).await?;
        let reused = self.plan.layers.iter().filter_map(|layer| match &layer.fate {
            Fate::Reused { snapshot } => Some(snapshot.clone()),
            Fate::Run { .. } => None,
        });
        Ok(own.into_iter().chain(reused).chain(oven.kept.values().cloned()).collect())
    }
}
