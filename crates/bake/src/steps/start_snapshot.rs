//! A snapshot in AWS that will hold the layer. Until it is completed it is of no use to anybody, and an account may have 100.

use ovenbird_core::block::Digest;
use ovenbird_core::layer::ParentRef;
use ovenbird_core::tags;
use ovenbird_disk::blocks;

use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::plan::PlannedLayer;
use crate::plan::describe_source;
use crate::register::rendered_tags;
use crate::remote::NewSnapshot;
use crate::remote::list_pending_snapshots;
use crate::remote::start_snapshot;
use crate::remote::undo_snapshot;
use crate::step::Step;
use crate::step::Work;
use crate::upload::Upload;
use crate::working_disk::WorkingDisk;

pub(crate) struct StartSnapshot<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) layer: &'p PlannedLayer,
}

impl Step for StartSnapshot<'_> {
    fn name(&self) -> String {
        format!("start snapshot of {}", self.layer.key.short())
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.upload.as_ref().is_some_and(|upload| upload.layer == self.layer.key) {
                return Ok(());
            }
            // A run that was killed may have left one: what is in it came from a disk that may be gone.
            if oven.journal.count_starts(&self.name()) > 1 {
                self.drop_pending(oven).await?;
            }
            let disk = needed(oven.disk.clone(), "a disk to bake on")?;
            oven.tell(Event::Phase { phase: Phase::Scan });
            // Most of the disk is still what it was copied from.
            let below = needed(oven.below.as_ref().or(oven.base.as_ref()), "the base's disk")?;
            let map = blocks::scan_copy(&disk.path, &below.path, &below.map);
            let map = map.map_err(working("look for changed blocks"))?;
            let changes = map.changes_since(&disk.content.map);
            let new = self.new_snapshot(oven, &disk, map.volume_size)?;
            let snapshot = start_snapshot(oven.client, &new).await?;
            oven.journal.append(Entry::Made { step: self.name(), id: snapshot.clone() })?;
            let layer = self.layer.key;
            oven.upload = Some(Upload { layer, snapshot, map, changes, is_said_whole: false });
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            self.drop_pending(oven).await?;
            oven.upload = None;
            Ok(())
        })
    }
}

impl StartSnapshot<'_> {
    /// Deletes what this step made and no step completed.
    async fn drop_pending(&self, oven: &Oven<'_>) -> Result<(), BakeError> {
        let mut pending = list_pending_snapshots(oven.client, &oven.folder.id).await?;
        // A listing may not have it yet.
        pending.extend(oven.journal.find_made(&self.name()).map(str::to_owned));
        pending.retain(|snapshot| !oven.journal.has_kept(snapshot));
        for snapshot in pending {
            undo_snapshot(oven.client, &snapshot).await?;
        }
        Ok(())
    }

    fn new_snapshot(&self, oven: &Oven<'_>, disk: &WorkingDisk, volume_size: u64) -> Result<NewSnapshot, BakeError> {
        let (layer, service) = (self.layer, &oven.request.service);
        let ami = describe_source(&self.plan.source, &oven.region());
        let mut marks = rendered_tags(oven.request.builder()?, &ami)?.snapshot;
        marks.entry(tags::NAME.to_owned()).or_insert_with(|| format!("{service} · {}", layer.title));
        marks.insert(tags::LAYER.to_owned(), layer.key.hex());
        marks.insert(tags::BAKE.to_owned(), oven.folder.id.clone());
        if let ParentRef::Layer(below) = &layer.inputs.parent {
            marks.insert(tags::PARENT.to_owned(), below.hex());
        }
        let run = oven.journal.count_starts(&self.name());
        let token = Digest::of(format!("{} {} {run}", oven.folder.id, layer.key).as_bytes()).hex();
        Ok(NewSnapshot {
            volume_size,
            parent: Some(disk.content.snapshot.clone()),
            client_token: token,
            description: format!("Layer {} of {service}, baked by Ovenbird", layer.title),
            tags: marks.into_iter().collect(),
        })
    }
}
