//! The last layer's snapshot, registered as an image. Nobody takes it for a result before it is published.

use super::RetireImage;
use crate::event::Event;
use crate::event::Phase;
use crate::images::undo_images;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::register::register;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct RegisterImage<'p> {
    pub(crate) plan: &'p Plan,
    /// The name that it gets.
    pub(crate) name: String,
    /// The image that it stands in for while that one makes way.
    pub(crate) stands_in_for: Option<String>,
}

impl Step for RegisterImage<'_> {
    fn name(&self) -> String {
        format!("register image `{}`", self.name)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Register });
            let disk = needed(oven.disk.as_ref(), "a disk to bake on")?;
            let tree = needed(oven.inspection.as_ref(), "a look at the disk")?.tree;
            let of = (oven.folder.id.as_str(), disk.content.snapshot.as_str(), tree);
            let image = register(oven.client, oven.request, (self.plan, &self.name), of).await?;
            oven.journal.append(Entry::Made { step: self.name(), id: image.clone() })?;
            oven.image = Some(image);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if RetireImage::has_begun(oven, self.stands_in_for.as_ref()) {
                return Ok(());
            }
            let known = oven.journal.find_made(&self.name());
            undo_images(oven.client, &oven.folder.id, known).await?;
            oven.image = None;
            Ok(())
        })
    }
}
