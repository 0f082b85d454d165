//! One complete look at a region: every own image, every instance, every pointer. All of it, or an error.

use std::collections::BTreeMap;

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::sts;
use ovenbird_core::pointer::Pointer;
use ovenbird_core::retention::Descent;
use ovenbird_core::retention::ImageFacts;
use ovenbird_core::retention::InstanceUse;
use ovenbird_core::retention::PointerUse;
use ovenbird_core::retention::Uses;
use ovenbird_core::tags;

use crate::error::FleetError;
use crate::error::calling;
use crate::pointers::PointerState;
use crate::pointers::list_pointers;
use crate::pointers::list_pointers_again;

/// Rows of one page. AWS answers calls without it from a smaller allowance, and may refuse them in a large account
/// (lifecycle.md 6.1).
pub(crate) const PAGE: i32 = 1000;

/// What a region holds, read to the last page.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// The account that was looked at.
    pub account: String,
    /// Its images, also disabled and deprecated ones.
    pub images: Vec<ec2::Image>,
    /// Its instances, also stopped and just terminated ones.
    pub instances: Vec<ec2::Instance>,
    /// Its pointers.
    pub pointers: Vec<(Pointer, PointerState)>,
}

impl Observation {
    /// The uses that keep images alive.
    #[must_use]
    pub fn uses(&self) -> Uses {
        Uses {
            account: self.account.clone(),
            instances: self.instances.iter().filter_map(instance_use).collect(),
            pointers: self.pointers.iter().map(|(pointer, state)| pointer_use(pointer, state)).collect(),
            descents: self.images.iter().flat_map(descents).collect(),
        }
    }

    /// Each image with what a verdict needs to know of it.
    #[must_use]
    pub fn facts(&self) -> Vec<ImageFacts> {
        self.images.iter().map(facts).collect()
    }
}

/// Looks at the client's region.
///
/// # Errors
/// Any call that failed: a look that is not complete is none.
pub async fn observe(client: &Client) -> Result<Observation, FleetError> {
    let (account, images, instances, pointers) = futures::try_join!(
        caller_account(client),
        list_own_images(client),
        list_instances(client, Vec::new()),
        list_pointers(client)
    )?;
    Ok(Observation { account, images, instances, pointers })
}

/// A fresh look at all that can speak for `image`: every image and pointer again, and the instances of this image. Histories
/// of pointers that did not move since `before` are not read again, so that it takes a few pages.
///
/// # Errors
/// As [`observe`].
pub(crate) async fn observe_again(
    client: &Client,
    before: &Observation,
    image: &str,
) -> Result<Observation, FleetError> {
    let (images, instances, pointers) = futures::try_join!(
        list_own_images(client),
        list_instances(client, vec![Filter::new("image-id", [image])]),
        list_pointers_again(client, &before.pointers)
    )?;
    Ok(Observation { account: before.account.clone(), images, instances, pointers })
}

/// The account that the credentials belong to.
///
/// # Errors
/// AWS's refusals.
pub async fn caller_account(client: &Client) -> Result<String, FleetError> {
    let doing = "ask whose credentials these are";
    let answer = client.send(sts::GetCallerIdentityRequest::default()).await.map_err(calling(doing))?;
    answer.account.ok_or_else(|| {
        calling(doing)(ovenbird_aws::Error::Incomplete { action: "GetCallerIdentity", member: "Account" })
    })
}

/// Every image of this account in the region.
///
/// # Errors
/// AWS's refusals.
pub async fn list_own_images(client: &Client) -> Result<Vec<ec2::Image>, FleetError> {
    list_own_images_where(client, Vec::new()).await
}

/// Those of them that match `filters`.
pub(crate) async fn list_own_images_where(
    client: &Client,
    filters: Vec<Filter>,
) -> Result<Vec<ec2::Image>, FleetError> {
    let request = ec2::DescribeImagesRequest {
        filters,
        owners: vec!["self".to_owned()],
        include_deprecated: Some(true),
        include_disabled: Some(true),
        max_results: Some(PAGE),
        ..Default::default()
    };
    let pages = client.send_all(request).await.map_err(calling("list this account's images"))?;
    Ok(pages.into_iter().flat_map(|page| page.images).collect())
}

async fn list_instances(client: &Client, filters: Vec<Filter>) -> Result<Vec<ec2::Instance>, FleetError> {
    let request = ec2::DescribeInstancesRequest {
        filters,
        max_results: Some(PAGE),
        // Those that services of AWS run in the account are hidden else, and hold their image as any other (lifecycle.md 3, row 12).
        include_managed_resources: Some(true),
        ..Default::default()
    };
    let pages = client.send_all(request).await.map_err(calling("list this account's instances"))?;
    Ok(pages.into_iter().flat_map(|page| page.reservations).flat_map(|reservation| reservation.instances).collect())
}

fn instance_use(instance: &ec2::Instance) -> Option<InstanceUse> {
    let state = instance.state.as_ref().and_then(|state| state.name.clone()).unwrap_or_default();
    Some(InstanceUse { id: instance.instance_id.clone()?, state, image: instance.image_id.clone()? })
}

fn pointer_use(pointer: &Pointer, state: &PointerState) -> PointerUse {
    PointerUse { parameter: pointer.parameter(), current: state.image.clone(), previous: state.previous.clone() }
}

/// An image comes from the image that its bake started from, and from the one that it was copied from.
fn descents(image: &ec2::Image) -> Vec<Descent> {
    let child = image.image_id.clone().unwrap_or_default();
    let pending = image.state.as_deref() == Some("pending");
    let base = Tag::find(&image.tags, tags::BASE).map(str::to_owned);
    let parents = base.into_iter().chain(image.source_image_id.clone());
    parents.map(|parent| Descent { child: child.clone(), parent, pending }).collect()
}

fn facts(image: &ec2::Image) -> ImageFacts {
    let tags: BTreeMap<String, String> =
        image.tags.iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()))).collect();
    ImageFacts {
        id: image.image_id.clone().unwrap_or_default(),
        owner: image.owner_id.clone().unwrap_or_default(),
        state: image.state.clone().unwrap_or_default(),
        tags,
        created: image.creation_date.clone(),
        last_launched: image.last_launched_time.clone(),
        protected: image.deregistration_protection.as_deref().is_some_and(|value| value != "disabled"),
        public: image.public.unwrap_or_default(),
        // Launch permissions are asked for candidates alone; see `delete`.
        shared_with: Vec::new(),
    }
}
