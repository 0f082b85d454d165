//! The image protected from being deregistered, in every region that has it. Last of all: with a cooldown it cannot be taken back for a
//! day.

use ovenbird_aws::ec2;
use ovenbird_template::DeregistrationProtection;

use crate::error::calling;
use crate::oven::Oven;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct ProtectImage {
    pub(crate) protection: DeregistrationProtection,
}

impl Step for ProtectImage {
    fn name(&self) -> String {
        "protect image".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            for (region, image) in oven.all_images()? {
                let request = ec2::EnableImageDeregistrationProtectionRequest {
                    image_id: Some(image.clone()),
                    with_cooldown: Some(self.protection.with_cooldown),
                    ..Default::default()
                };
                let doing = format!("protect {image}");
                oven.client.in_region(&region).send(request).await.map_err(calling(doing))?;
            }
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            // Where the image was not made, it is not protected either.
            for (region, image) in oven.all_images().unwrap_or_default() {
                let request = ec2::DisableImageDeregistrationProtectionRequest {
                    image_id: Some(image.clone()),
                    ..Default::default()
                };
                match oven.client.in_region(&region).send(request).await {
                    Err(error) if !error.is_not_found() => {
                        return Err(calling(format!("take the protection off {image}"))(error));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }
}
