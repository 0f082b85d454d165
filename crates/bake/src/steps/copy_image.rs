//! The image in a further region. The home region has it first, so nothing there waits for this.

use std::collections::BTreeMap;

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::block::Digest;
use ovenbird_core::tags;

use crate::copies::step_name;
use crate::error::BakeError;
use crate::error::calling;
use crate::event::Event;
use crate::event::Phase;
use crate::images::deregister;
use crate::images::list_snapshots;
use crate::images::undo_images;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Plan;
use crate::register::image_tags;
use crate::remote::find_named;
use crate::remote::undo_snapshot;
use crate::remote::wait_until_available;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct CopyImage<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) region: &'p str,
    /// Is an image of the same name replaced there too?
    pub(crate) replaces: bool,
}

impl Step for CopyImage<'_> {
    fn name(&self) -> String {
        step_name(self.region)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::CopyImage { region: self.region.to_owned() } });
            let client = oven.client.in_region(self.region);
            let bake = &oven.folder.id;
            let doing = || format!("copy the image to {}", self.region);
            let copy = match find_named(&client, &self.plan.image_name).await.map_err(calling(doing()))? {
                Some(found) if Tag::find(&found.tags, tags::BAKE) == Some(bake) => found.image_id.unwrap_or_default(),
                found => {
                    if let Some(taken) = found.and_then(|found| found.image_id) {
                        self.make_way(&client, &taken).await?;
                    }
                    let request = self.request(oven)?;
                    client.send(request).await.map_err(calling(doing()))?.image_id.unwrap_or_default()
                }
            };
            oven.journal.append(Entry::Made { step: self.name(), id: copy.clone() })?;
            wait_until_available(&client, &copy).await.map_err(calling(doing()))?;
            oven.copies.insert(self.region.to_owned(), copy);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let client = oven.client.in_region(self.region);
            let known = oven.journal.find_made(&self.name()).map(str::to_owned);
            let snapshots = match &known {
                Some(copy) => list_snapshots(&client, copy).await?,
                None => Vec::new(),
            };
            undo_images(&client, &oven.folder.id, known.as_deref()).await?;
            // They are this copy's alone, unlike those in the home region, which are layers.
            for snapshot in snapshots {
                undo_snapshot(&client, &snapshot).await?;
            }
            oven.copies.remove(self.region);
            Ok(())
        })
    }
}

impl CopyImage<'_> {
    async fn make_way(&self, client: &Client, taken: &str) -> Result<(), BakeError> {
        if !self.replaces {
            return Err(BakeError::Unsupported(format!(
                "the name `{}` is taken by {taken} in {}; give ami_name a finer time, or set force_deregister",
                self.plan.image_name, self.region
            )));
        }
        deregister(client, taken).await
    }

    fn request(&self, oven: &Oven<'_>) -> Result<ec2::CopyImageRequest, BakeError> {
        let builder = oven.request.builder()?;
        let image = needed(oven.image.clone(), "an image")?;
        let tree = needed(oven.inspection.as_ref(), "a look at the disk")?.tree;
        let region = oven.region();
        let marks = image_tags(oven.request, self.plan, (&oven.folder.id, tree), &region)?;
        let of = |kind: &str, marks: &BTreeMap<String, String>| {
            TagSpecification::new(kind, marks.iter().map(|(key, value)| Tag::new(key, value)).collect())
        };
        let snapshot = BTreeMap::from([(tags::BAKE.to_owned(), oven.folder.id.clone())]);
        let key = builder.copies.kms_key_ids.get(self.region);
        Ok(ec2::CopyImageRequest {
            client_token: Some(Digest::of(format!("{} {} {image}", oven.folder.id, self.region).as_bytes()).hex()),
            name: Some(self.plan.image_name.clone()),
            source_image_id: Some(image),
            source_region: Some(region),
            encrypted: key.map(|_| true),
            kms_key_id: key.filter(|key| !key.is_empty()).cloned(),
            snapshot_copy_completion_duration_minutes: builder
                .copies
                .duration_minutes
                .and_then(|it| i64::try_from(it).ok()),
            tag_specifications: vec![of("image", &marks), of("snapshot", &snapshot)],
            ..Default::default()
        })
    }
}
