//! The sealed instance's volumes as our own base. Nobody takes it for one before it is published.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::tags;

use crate::error::BakeError;
use crate::event::Event;
use crate::event::Phase;
use crate::journal::Entry;
use crate::launch::create_image;
use crate::launch::image_devices;
use crate::launch::undo_created_image;
use crate::oven::Oven;
use crate::oven::needed;
use crate::owned::which;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct CreateBase<'p> {
    pub(crate) source: &'p Source,
}

impl Step for CreateBase<'_> {
    fn name(&self) -> String {
        format!("create base of {}", self.source.image)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Register });
            let request = self.request(oven)?;
            let image = create_image(oven.client, &oven.folder.id, request).await?;
            // Before the wait: an image that never becomes available is ours all the same.
            oven.journal.append(Entry::Made { step: self.name(), id: image.clone() })?;
            oven.base_snapshot = Some(oven.request.watch.wait_for_image(oven.client, &image).await?);
            oven.image = Some(image);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            // What is published is whole, and may be another bake's base by now.
            if oven.base_snapshot.as_ref().is_some_and(|snapshot| oven.journal.has_kept(snapshot)) {
                return Ok(());
            }
            let known = oven.journal.find_made(&self.name());
            undo_created_image(oven.client, &oven.folder.id, known).await?;
            oven.base_snapshot = None;
            oven.image = None;
            Ok(())
        })
    }
}

impl CreateBase<'_> {
    fn request(&self, oven: &Oven<'_>) -> Result<ec2::CreateImageRequest, BakeError> {
        let instance = needed(oven.launched.instance.clone(), "an instance")?;
        let bake = &oven.folder.id;
        let marks = vec![
            Tag::new(tags::NAME, format!("base {}", self.source.name)),
            Tag::new(tags::OWNED_BY, "launch"),
            Tag::new(tags::BAKE, bake),
        ];
        Ok(ec2::CreateImageRequest {
            instance_id: instance.instance_id,
            name: Some(format!("ovenbird base {} {bake}", which(self.source))),
            description: Some(format!(
                "{}, launched once and sealed by Ovenbird, so that bakes may read it",
                self.source.image
            )),
            block_device_mappings: image_devices(oven.request.builder()?, self.source),
            tag_specifications: ["image", "snapshot"].map(|kind| TagSpecification::new(kind, marks.clone())).to_vec(),
            ..Default::default()
        })
    }
}
