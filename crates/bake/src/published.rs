//! A bake that was cut off after it had published its image: it has what it was to make, and goes on with what comes after that.

use ovenbird_core::manifest::Manifest;

use crate::bake::Baked;
use crate::bake::steps_after_publishing;
use crate::copies;
use crate::doctor::undo_in_aws;
use crate::error::BakeError;
use crate::images::find_published;
use crate::oven::Oven;
use crate::plan::Plan;
use crate::step;

/// The image that an earlier run has published, with all that belongs to it; nothing else of the bake is left in AWS then. `None`: it was
/// not published.
///
/// # Errors
/// AWS's refusals. The image stays.
pub(crate) async fn take_published(oven: &mut Oven<'_>, plan: &Plan) -> Result<Option<Baked>, BakeError> {
    let wanted = (plan.image_name.as_str(), plan.image_key);
    let Some(image) = find_published(oven.client, &oven.folder.id, wanted).await? else { return Ok(None) };
    let builder = oven.request.builder()?;
    for region in &builder.copies.regions {
        if let Some(copy) = oven.journal.find_made(&copies::step_name(region)) {
            oven.copies.insert(region.clone(), copy.to_owned());
        }
    }
    oven.image = Some(image.clone());
    step::run(oven, &steps_after_publishing(plan, builder)).await?;
    undo_in_aws(oven.client, oven.folder).await?;
    // It was written before the image was published; on another machine there is none.
    let text = fs_err::read_to_string(oven.request.folders.manifest(&image)).ok();
    let manifest = text.and_then(|text| Manifest::from_json(&text).ok());
    Ok(Some(Baked { image, name: plan.image_name.clone(), reused: false, manifest }))
}
