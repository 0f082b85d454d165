//! The base's disk in this machine's cache. It stays; a disk that did not arrive whole is never visible.

use crate::disks::ensure_base;
use crate::event::Event;
use crate::event::Phase;
use crate::oven::Oven;
use crate::oven::needed;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct FetchBase;

impl Step for FetchBase {
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
            let on_event = &mut *oven.on_event;
            let on_block = |done, total| on_event(Event::Blocks { done, total });
            oven.base = Some(ensure_base(oven.client, &oven.request.folders, snapshot, on_block).await?);
            Ok(())
        })
    }
}
