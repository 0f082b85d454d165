//! Our own base gets the tags by which every bake finds it, and stays.

use ovenbird_aws::ec2;

use crate::error::calling;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::owned::marks;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct PublishBase<'p> {
    pub(crate) source: &'p Source,
}

impl Step for PublishBase<'_> {
    fn name(&self) -> String {
        format!("publish base of {}", self.source.image)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let image = needed(oven.image.clone(), "an image")?;
            let snapshot = needed(oven.base_snapshot.clone(), "an image")?;
            let resources = vec![image.clone(), snapshot.clone()];
            let request = ec2::CreateTagsRequest { resources, tags: marks(self.source), ..Default::default() };
            oven.client.send(request).await.map_err(calling(format!("publish the base {image}")))?;
            oven.journal.append(Entry::Kept { snapshot })
        })
    }
}
