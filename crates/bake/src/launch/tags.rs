//! The tags of everything that a launch makes.

use std::collections::BTreeMap;

use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ec2::TagSpecification;
use ovenbird_core::tags;
use ovenbird_template::Deferred;

use crate::error::BakeError;
use crate::error::working;
use crate::oven::Oven;
use crate::plan::describe_source;
use crate::source::Source;

/// What the template's `run_tags` say, a name, and the bake's id: of the key pair, the security group, the instance and its interface.
///
/// # Errors
/// A tag of the template's that cannot be rendered.
pub(crate) fn run_tags(oven: &Oven<'_>, source: &Source) -> Result<BTreeMap<String, String>, BakeError> {
    Ok(with_ours(oven, rendered(oven, source, &oven.request.builder()?.run_tags)?))
}

/// Those of the instance's volumes, which have further ones of the template's.
///
/// # Errors
/// As [`run_tags`].
pub(crate) fn volume_tags(oven: &Oven<'_>, source: &Source) -> Result<BTreeMap<String, String>, BakeError> {
    let builder = oven.request.builder()?;
    let mut marks = rendered(oven, source, &builder.run_tags)?;
    marks.extend(rendered(oven, source, &builder.launch.run_volume_tags)?);
    Ok(with_ours(oven, marks))
}

fn with_ours(oven: &Oven<'_>, mut marks: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let name = format!("Ovenbird bakes {}", oven.request.service);
    marks.entry(tags::NAME.to_owned()).or_insert(name);
    marks.insert(tags::BAKE.to_owned(), oven.folder.id.clone());
    marks
}

fn rendered(
    oven: &Oven<'_>,
    source: &Source,
    values: &BTreeMap<String, Deferred>,
) -> Result<BTreeMap<String, String>, BakeError> {
    let ami = describe_source(source, &oven.region());
    let rendered = values.iter().map(|(key, value)| Ok((key.clone(), value.render(&ami)?)));
    rendered.collect::<Result<_, ovenbird_template::RenderError>>().map_err(working("render the template's run_tags"))
}

/// Tags for the create call of each of these kinds of resource.
pub(crate) fn tag_all<const N: usize>(marks: &BTreeMap<String, String>, kinds: [&str; N]) -> Vec<TagSpecification> {
    let marks: Vec<Tag> = marks.iter().map(|(key, value)| Tag::new(key, value)).collect();
    kinds.iter().map(|kind| TagSpecification::new(kind, marks.clone())).collect()
}
