//! The commit record of a bake: the image gets its key, by which later bakes find it. Before that, it is somebody's unfinished work.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use crate::error::calling;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct PublishImage<'p> {
    pub(crate) plan: &'p Plan,
    /// The name that it was registered under.
    pub(crate) name: String,
}

impl Step for PublishImage<'_> {
    fn name(&self) -> String {
        format!("publish image `{}`", self.name)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let image = needed(oven.image.clone(), "an image")?;
            let key = Tag::new(tags::KEY, self.plan.image_key.hex());
            let all = oven.copies.iter().map(|(region, image)| (region.clone(), image.clone()));
            // The home region last: a later bake looks there.
            for (region, image) in all.chain([(oven.region(), image)]) {
                let request = ec2::CreateTagsRequest {
                    resources: vec![image.clone()],
                    tags: vec![key.clone()],
                    ..Default::default()
                };
                let client = oven.client.in_region(&region);
                client.send(request).await.map_err(calling(format!("publish {image}")))?;
            }
            Ok(())
        })
    }
}
