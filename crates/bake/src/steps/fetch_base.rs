//! The base's disk in this machine's cache. It stays; a disk that did not arrive whole is never visible.

use crate::disks::adopt_base;
use crate::disks::ensure_base;
use crate::disks::has_base;
use crate::event::Event;
use crate::event::Phase;
use crate::oven::Oven;
use crate::oven::needed;
use crate::owned::list_twins;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct FetchBase<'p> {
    pub(crate) source: &'p Source,
}

impl Step for FetchBase<'_> {
    fn name(&self) -> String {
        "fetch base".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.base.is_some() {
                return Ok(());
            }
            oven.tell(Event::Phase { phase: Phase::Fetch });
            let snapshot = needed(oven.base_snapshot.as_deref(), "the base our own")?;
            let folders = &oven.request.folders;
            if !has_base(folders, snapshot) {
                let twins = list_twins(oven.client, self.source).await?;
                twins.iter().try_for_each(|twin| adopt_base(folders, twin, snapshot))?;
            }
            let on_event = &mut *oven.on_event;
            let on_block = |done, total| on_event(Event::Blocks { done, total });
            oven.base = Some(ensure_base(oven.client, folders, snapshot, on_block).await?);
            Ok(())
        })
    }
}
