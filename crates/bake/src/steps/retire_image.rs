//! The image that has had the name until now, deregistered, after the new one was verified and published under a name of its own.
//!
//! It is not undone: an image's id cannot be given back. What stands in for it is the new image, which is available under its own name;
//! the next bake goes on from there (`docs/adr/0005-replacing-an-image.md`).

use crate::images::deregister;
use crate::images::list_snapshots;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct RetireImage {
    pub(crate) image: String,
}

impl RetireImage {
    /// Was the image that the new one stands in for to go already? Then the new one is the only one that is sure to be there.
    pub(super) fn has_begun(oven: &Oven<'_>, stands_in_for: Option<&String>) -> bool {
        stands_in_for.is_some_and(|image| oven.journal.has_begun(&Self { image: image.clone() }.name()))
    }
}

impl Step for RetireImage {
    fn name(&self) -> String {
        format!("retire image {}", self.image)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let snapshots = list_snapshots(oven.client, &self.image).await?;
            oven.journal.append(Entry::Retires { image: self.image.clone(), snapshots })?;
            deregister(oven.client, &self.image).await
        })
    }
}
