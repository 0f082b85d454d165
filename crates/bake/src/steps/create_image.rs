//! The instance's volumes as an image, with all its tags in the call that makes it.

use ovenbird_aws::ec2;

use super::RetireImage;
use crate::error::BakeError;
use crate::event::Event;
use crate::event::Phase;
use crate::journal::Entry;
use crate::launch::create_image;
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
}

impl Step for CreateImage<'_> {
    fn name(&self) -> String {
        format!("create image `{}`", self.name)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Register });
            let request = self.request(oven)?;
            let image = create_image(oven.client, &oven.folder.id, request).await?;
            // Before the wait: an image that never becomes available is ours all the same.
            oven.journal.append(Entry::Made { step: self.name(), id: image.clone() })?;
            let snapshot = oven.request.watch.wait_for_image(oven.client, &image).await?;
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
    fn request(&self, oven: &Oven<'_>) -> Result<ec2::CreateImageRequest, BakeError> {
        let (plan, builder) = (self.plan, oven.request.builder()?);
        let instance = needed(oven.launched.instance.clone(), "an instance")?;
        let tree = needed(oven.inspection.as_ref(), "a look at the instance")?.tree;
        let rendered = rendered_tags(builder, &describe_source(&plan.source, &oven.region()))?;
        let bake = &oven.folder.id;
        let mut snapshot = rendered.snapshot.clone();
        snapshot.insert(ovenbird_core::tags::BAKE.to_owned(), bake.clone());
        let image = image_tags(oven.request, plan, (bake, tree), &oven.region())?;
        Ok(ec2::CreateImageRequest {
            instance_id: instance.instance_id,
            name: Some(self.name.clone()),
            description: rendered.description,
            block_device_mappings: image_devices(builder, &plan.source),
            tag_specifications: [tag_all(&image, ["image"]), tag_all(&snapshot, ["snapshot"])].concat(),
            ..Default::default()
        })
    }
}
