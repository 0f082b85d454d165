//! When the image becomes deprecated, in every region that has it. Goes with the image.

use jiff::Timestamp;
use ovenbird_aws::ec2;

use crate::error::calling;
use crate::oven::Oven;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct DeprecateImage {
    pub(crate) at: Timestamp,
}

impl Step for DeprecateImage {
    fn name(&self) -> String {
        "deprecate image".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            for (region, image) in oven.all_images()? {
                let request = ec2::EnableImageDeprecationRequest {
                    image_id: Some(image.clone()),
                    deprecate_at: Some(self.at),
                    ..Default::default()
                };
                let doing = format!("say when {image} becomes deprecated");
                oven.client.in_region(&region).send(request).await.map_err(calling(doing))?;
            }
            Ok(())
        })
    }
}
