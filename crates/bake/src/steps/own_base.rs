//! A snapshot of our own with the base's content. It stays: every later bake from this base needs it.

use crate::event::Event;
use crate::event::Phase;
use crate::oven::Oven;
use crate::source::Source;
use crate::source::ensure_owned;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct OwnBase<'p> {
    pub(crate) source: &'p Source,
}

impl Step for OwnBase<'_> {
    fn name(&self) -> String {
        format!("own base {}", self.source.image)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.base_snapshot.is_none() {
                oven.tell(Event::Phase { phase: Phase::Base });
                oven.base_snapshot = Some(ensure_owned(oven.client, self.source, &oven.request.account).await?);
            }
            Ok(())
        })
    }
}
