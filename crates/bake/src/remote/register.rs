//! Registering a snapshot as an image, which has no client token: the name and the bake's tag tell whether it worked.

use std::time::Duration;

use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use crate::error::BakeError;
use crate::error::calling;
use crate::images::find_available;

/// How long an image may take from registered to available.
const AVAILABLE: Duration = Duration::from_secs(600);
/// How long a listing may not know yet what was just created. AWS names no bound; its own waiters give up after a minute or two.
const UNSEEN: Duration = Duration::from_secs(60);
/// How often is looked.
const EVERY: Duration = Duration::from_millis(500);

/// Registers the image of `order`, which carries the tag of `bake`, and waits until it is available. Run twice, it is one image.
///
/// # Errors
/// AWS's refusals; an image that ends as failed, which is taken back.
pub async fn register_image(
    client: &Client,
    order: ec2::RegisterImageRequest,
    bake: &str,
) -> Result<String, BakeError> {
    let name = order.name.clone().unwrap_or_default();
    let doing = || format!("register the image `{name}`");
    let image = match client.send(order).await {
        Ok(answer) => answer.image_id.ok_or(aws::Error::Incomplete { action: "RegisterImage", member: "ImageId" }),
        Err(error) if error.has_code("InvalidAMIName.Duplicate") => find_ours(client, &name, bake, error).await,
        Err(error) => Err(error),
    };
    let image = image.map_err(calling(doing()))?;
    let available = wait_until_available(client, &image).await;
    if matches!(available, Err(aws::Error::Ended { .. })) {
        // Its failure is the news. It has the bake's tag, by which `doctor` finds it too.
        let request = ec2::DeregisterImageRequest { image_id: Some(image.clone()), ..Default::default() };
        let _ = client.send(request).await;
    }
    available.map_err(calling(doing()))?;
    Ok(image)
}

/// Waits until the image can be launched.
///
/// # Errors
/// AWS's refusals; an image that ends as failed, or takes too long.
pub async fn wait_until_available(client: &Client, image: &str) -> Result<(), aws::Error> {
    let what = format!("{image} to be available");
    wait(what, AVAILABLE, EVERY, async || Ok(find_available(client, image).await?.map(drop))).await
}

/// The first image of this name that is the caller's; listings may not know it yet.
pub(crate) async fn find_named(client: &Client, name: &str) -> Result<Option<ec2::Image>, aws::Error> {
    let filters = vec![Filter::new("name", [name])];
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
    Ok(client.send_all(request).await?.into_iter().flat_map(|page| page.images).next())
}

/// The image that an earlier try registered, whose answer got lost. Somebody else's of this name is the refusal that it was.
async fn find_ours(client: &Client, name: &str, bake: &str, refusal: aws::Error) -> Result<String, aws::Error> {
    let what = format!("the image `{name}`, whose name is taken, to be seen");
    let named = wait(what, UNSEEN, EVERY, async || find_named(client, name).await).await?;
    let is_ours = Tag::find(&named.tags, tags::BAKE) == Some(bake);
    named.image_id.filter(|_| is_ours).ok_or(refusal)
}
