//! The images that stood in for the new one while the old one made way, dropped; and the old one's snapshots, where the template says so.

use std::collections::BTreeSet;

use ovenbird_aws as aws;

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
                    let deleted = undo_snapshot(oven.client, snapshot).await;
                    // The new image is out, and nothing is wrong with it.
                    match deleted.as_ref().err().and_then(refusal) {
                        Some(why) => oven.tell(Event::SnapshotStays { snapshot: snapshot.clone(), why }),
                        None => deleted?,
                    }
                }
            }
            Ok(())
        })
    }
}

/// What EC2 said, where it will say the same again: another image has the snapshot, or nobody may delete it.
fn refusal(error: &BakeError) -> Option<String> {
    match error {
        BakeError::Aws { source, .. } if matches!(**source, aws::Error::Refused { .. }) => Some(word(source)),
        _ => None,
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

#[cfg(test)]
mod tests {
    use ovenbird_aws::wire::ApiError;

    use super::*;
    use crate::error::calling;

    #[test]
    fn only_a_refusal_is_told_and_not_tried_again() {
        let refused =
            |code: &str| aws::Error::Refused { action: "DeleteSnapshot", source: ApiError::client(code, "no") };
        let why = |error: aws::Error| refusal(&calling("delete snap-1")(error));
        for code in ["InvalidSnapshot.InUse", "UnauthorizedOperation", "SnapshotLocked"] {
            assert!(why(refused(code)).is_some_and(|why| why.contains(code)));
        }
        let over = aws::Error::SessionOver {
            action: "DeleteSnapshot",
            source: Box::new(ApiError::client("RequestExpired", "log in")),
        };
        assert_eq!(why(over), None);
        assert_eq!(why(aws::Error::NoCredentials), None);
        assert_eq!(refusal(&BakeError::Interrupted), None);
    }
}
