//! The instance's volumes as an image, with all its tags in the call that makes it. The instance is imaged once: CreateImage reboots one
//! that cannot be stopped, and what runs again is no more what was sealed. So what has stood in for the image is copied to its name.

use ovenbird_aws::ec2;

use super::RetireImage;
use crate::error::BakeError;
use crate::event::Event;
use crate::event::Phase;
use crate::journal::Entry;
use crate::launch::copy_image;
use crate::launch::create_image;
use crate::launch::find_key;
use crate::launch::image_devices;
use crate::launch::tag_all;
use crate::launch::undo_created_image;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::plan::describe_source;
use crate::register::image_tags;
use crate::register::rendered_tags;
use crate::remote::count_blocks;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct CreateImage<'p> {
    pub(crate) plan: &'p Plan,
    /// The name that it gets.
    pub(crate) name: String,
    /// The image that it stands in for while that one makes way.
    pub(crate) stands_in_for: Option<String>,
    /// The name of the image that has stood in for it, of which it is a copy.
    pub(crate) copy_of: Option<String>,
}

/// The name of the step that makes the image called `name`.
pub(crate) fn step_name(name: &str) -> String {
    format!("create image `{name}`")
}

impl Step for CreateImage<'_> {
    fn name(&self) -> String {
        step_name(&self.name)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Register });
            let image = self.create(oven).await?;
            // Before the wait: an image that never becomes available is ours all the same.
            oven.journal.append(Entry::Made { step: self.name(), id: image.clone() })?;
            let snapshot = oven.request.watch.wait_for_image(oven.client, &image).await?;
            if self.stands_in_for.is_some() {
                // Asked before the old image makes way: can it be copied as it is?
                find_key(oven.client, &image).await?;
            }
            let blocks = count_blocks(oven.client, &snapshot).await?;
            oven.launched.snapshot = Some((snapshot, blocks));
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
            undo_created_image(oven.client, &oven.folder.id, known).await?;
            oven.image = None;
            Ok(())
        })
    }
}

impl CreateImage<'_> {
    async fn create(&self, oven: &Oven<'_>) -> Result<String, BakeError> {
        let (client, bake) = (oven.client, oven.folder.id.as_str());
        let Some(stand_in) = &self.copy_of else { return create_image(client, bake, self.request(oven)?).await };
        let stand_in = needed(oven.journal.find_made(&step_name(stand_in)), "the image that stands in")?;
        let key = find_key(client, stand_in).await?;
        copy_image(client, bake, self.copy_request(oven, stand_in, key)?).await
    }

    fn request(&self, oven: &Oven<'_>) -> Result<ec2::CreateImageRequest, BakeError> {
        let instance = needed(oven.launched.instance.clone(), "an instance")?;
        let (description, tag_specifications) = self.marks(oven)?;
        Ok(ec2::CreateImageRequest {
            instance_id: instance.instance_id,
            name: Some(self.name.clone()),
            description,
            block_device_mappings: image_devices(oven.request.builder()?, &self.plan.source),
            tag_specifications,
            ..Default::default()
        })
    }

    /// The key is named: a copy of what is encrypted has the account's default one otherwise.
    fn copy_request(
        &self,
        oven: &Oven<'_>,
        stand_in: &str,
        key: Option<String>,
    ) -> Result<ec2::CopyImageRequest, BakeError> {
        let (description, tag_specifications) = self.marks(oven)?;
        Ok(ec2::CopyImageRequest {
            name: Some(self.name.clone()),
            description,
            source_image_id: Some(stand_in.to_owned()),
            source_region: Some(oven.region()),
            encrypted: key.as_ref().map(|_| true),
            kms_key_id: key,
            tag_specifications,
            ..Default::default()
        })
    }

    /// The description, and the tags of the image and its snapshots.
    fn marks(&self, oven: &Oven<'_>) -> Result<(Option<String>, Vec<ec2::TagSpecification>), BakeError> {
        let (plan, builder) = (self.plan, oven.request.builder()?);
        let tree = needed(oven.inspection.as_ref(), "a look at the instance")?.tree;
        let rendered = rendered_tags(builder, &describe_source(&plan.source, &oven.region()))?;
        let bake = &oven.folder.id;
        let mut snapshot = rendered.snapshot.clone();
        snapshot.insert(ovenbird_core::tags::BAKE.to_owned(), bake.clone());
        let image = image_tags(oven.request, plan, (bake, tree), &oven.region())?;
        Ok((rendered.description, [tag_all(&image, ["image"]), tag_all(&snapshot, ["snapshot"])].concat()))
    }
}
