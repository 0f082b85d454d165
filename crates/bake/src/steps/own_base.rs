//! A snapshot of our own with the base's content. It stays: every later bake from this base needs it. Where the base may be launched and
//! not be copied there is none yet, and [`crate::own`] makes one.

use crate::error::BakeError;
use crate::error::word;
use crate::event::Event;
use crate::event::Phase;
use crate::oven::Oven;
use crate::owned::ensure_owned;
use crate::source::Source;
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
            if oven.base_snapshot.is_some() {
                return Ok(());
            }
            oven.tell(Event::Phase { phase: Phase::Base });
            match ensure_owned(oven.client, self.source, &oven.request.account).await {
                Err(BakeError::NotToBeCopied { image, source }) => {
                    oven.tell(Event::NotToBeCopied { image, why: word(&source) });
                }
                owned => oven.base_snapshot = Some(owned?),
            }
            Ok(())
        })
    }
}
