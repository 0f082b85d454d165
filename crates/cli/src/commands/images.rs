//! `ovenbird images`

use std::collections::BTreeMap;

use ovenbird_aws::ec2::Image;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::project;
use crate::table;

/// List the images of this account
///
/// Lists the images of this account, the youngest first
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only the images of this service
    service: Option<String>,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let account =
        Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
    let failed = |error: ovenbird_fleet::FleetError| Failure::of(Kind::Aws, &error);
    let mut images = ovenbird_fleet::list_own_images(&account.client).await.map_err(failed)?;
    images.retain(|image| arguments.service.is_none() || tag(image, tags::SERVICE) == arguments.service.as_deref());
    images.sort_by(|a, b| b.creation_date.cmp(&a.creation_date));
    let mut pointed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (pointer, state) in ovenbird_fleet::list_pointers(&account.client).await.map_err(failed)? {
        pointed.entry(state.image).or_default().push(pointer.environment);
    }
    let environments =
        |image: &Image| image.image_id.as_ref().and_then(|id| pointed.get(id)).cloned().unwrap_or_default();
    if context.output.is_json() {
        let rows: Vec<_> = images.iter().map(|image| row_json(image, &environments(image))).collect();
        context.output.data(&rows);
        return Ok(());
    }
    let rows = images.iter().map(|image| {
        vec![
            image.image_id.clone().unwrap_or_default(),
            image.name.clone().unwrap_or_default(),
            tag(image, tags::SERVICE).unwrap_or("-").to_owned(),
            environments(image).join(" "),
            image.state.clone().unwrap_or_default(),
            tag(image, tags::LAST_USED).unwrap_or("-").to_owned(),
        ]
    });
    context.output.print(&table::render(&["IMAGE", "NAME", "SERVICE", "POINTED BY", "STATE", "LAST USED"], rows));
    Ok(())
}

fn tag<'a>(image: &'a Image, key: &str) -> Option<&'a str> {
    Tag::find(&image.tags, key)
}

fn row_json(image: &Image, environments: &[String]) -> serde_json::Value {
    serde_json::json!({
        "image": image.image_id, "name": image.name, "created": image.creation_date, "state": image.state,
        "service": tag(image, tags::SERVICE), "environments": environments, "last_used": tag(image, tags::LAST_USED),
        "key": tag(image, tags::KEY), "tree": tag(image, tags::TREE), "base": tag(image, tags::BASE),
    })
}
