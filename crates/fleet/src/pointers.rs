//! Pointers in Parameter Store: which image an environment uses.

use std::collections::BTreeMap;
use std::time::Duration;

use ovenbird_aws::Client;
use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;
use ovenbird_aws::ssm;
use ovenbird_core::pointer::Pointer;
use ovenbird_core::pointer::Promotion;
use ovenbird_core::pointer::PromotionRequest;
use ovenbird_core::pointer::ROOT;
use ovenbird_core::pointer::SourceImage;
use ovenbird_core::pointer::promotion;
use ovenbird_core::pointer::promotion_source;

use crate::error::FleetError;
use crate::error::calling;

/// How long a written pointer may take to be read back.
const READ_BACK: Duration = Duration::from_secs(30);

/// Where a pointer stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointerState {
    /// The image that it names.
    pub image: String,
    /// The image that it named before: the way back.
    pub previous: Option<String>,
    /// The parameter's version.
    pub version: i64,
}

/// All pointers of the region with their previous values.
///
/// # Errors
/// AWS's refusals.
pub async fn list_pointers(client: &Client) -> Result<Vec<(Pointer, PointerState)>, FleetError> {
    list_pointers_again(client, &[]).await
}

/// The same, without reading the histories of pointers that stand where they stood in `before`: a parameter's version
/// only grows.
pub(crate) async fn list_pointers_again(
    client: &Client,
    before: &[(Pointer, PointerState)],
) -> Result<Vec<(Pointer, PointerState)>, FleetError> {
    let request =
        ssm::GetParametersByPathRequest { path: Some(ROOT.to_owned()), recursive: Some(true), ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("list the pointers under {ROOT}")))?;
    let mut pointers = BTreeMap::new();
    for parameter in pages.into_iter().flat_map(|page| page.parameters) {
        let Some(pointer) = parameter.name.as_deref().and_then(Pointer::find) else { continue };
        pointers.insert(pointer, (parameter.value, parameter.version));
    }
    let mut found = Vec::new();
    for (pointer, (value, version)) in pointers {
        let stands = |(known, state): &&(Pointer, PointerState)| {
            *known == pointer && Some(&state.image) == value.as_ref() && Some(state.version) == version
        };
        let state = match before.iter().find(stands) {
            Some((_, state)) => Some(state.clone()),
            None => find_pointer(client, &pointer).await?,
        };
        found.extend(state.map(|state| (pointer, state)));
    }
    Ok(found)
}

/// Where `pointer` stands; `None` where there is no such parameter.
///
/// # Errors
/// AWS's refusals.
pub async fn find_pointer(client: &Client, pointer: &Pointer) -> Result<Option<PointerState>, FleetError> {
    let request = ssm::GetParameterHistoryRequest { name: Some(pointer.parameter()), ..Default::default() };
    let pages = match client.send_all(request).await {
        Err(error) if error.has_code("ParameterNotFound") => return Ok(None),
        answer => answer.map_err(calling(format!("read the history of {}", pointer.parameter())))?,
    };
    let mut versions: Vec<_> = pages.into_iter().flat_map(|page| page.parameters).collect();
    versions.sort_by_key(|version| version.version);
    let value = |version: &ssm::ParameterHistory| version.value.clone().unwrap_or_default();
    let Some(current) = versions.last() else { return Ok(None) };
    let image = value(current);
    let previous = versions.iter().rev().map(value).find(|older| *older != image);
    Ok(Some(PointerState { image, previous, version: current.version.unwrap_or_default() }))
}

/// Makes `pointer` name `image`. Repeatable: a pointer that names it already is left alone. Answers whether it moved.
///
/// # Errors
/// AWS's refusals; [`FleetError::TimedOut`] where the pointer does not name the image half a minute later, because there is
/// no such image.
pub async fn put_pointer(client: &Client, pointer: &Pointer, image: &str) -> Result<bool, FleetError> {
    put_pointer_within(client, pointer, image, READ_BACK).await
}

async fn put_pointer_within(
    client: &Client,
    pointer: &Pointer,
    image: &str,
    patience: Duration,
) -> Result<bool, FleetError> {
    if find_pointer(client, pointer).await?.is_some_and(|state| state.image == image) {
        return Ok(false);
    }
    let request = ssm::PutParameterRequest {
        name: Some(pointer.parameter()),
        description: Some(format!("The image that {} uses in {}", pointer.service, pointer.environment)),
        value: Some(image.to_owned()),
        r#type: Some("String".to_owned()),
        data_type: Some("aws:ec2:image".to_owned()),
        overwrite: Some(true),
        ..Default::default()
    };
    let doing = || format!("point {} at {image}", pointer.parameter());
    client.send(request).await.map_err(calling(doing()))?;
    // With this data type the service looks for the image later, and silently writes nothing if it is not there.
    let what = format!("{} to name {image}", pointer.parameter());
    wait(what, patience, Duration::from_millis(200), async || -> Result<_, FleetError> {
        Ok(find_pointer(client, pointer).await?.filter(|state| state.image == image))
    })
    .await?;
    Ok(true)
}

/// Lets `to` use the image of the environment before it (or of `from`). With `dry_run` it only says what would change.
///
/// # Errors
/// [`FleetError::Promotion`] where a gate says no; AWS's refusals.
pub async fn promote(
    client: &Client,
    service: &str,
    environments: &[String],
    (from, to): (Option<&str>, &str),
    forced: bool,
    dry_run: bool,
) -> Result<Promotion, FleetError> {
    let source = promotion_source(service, environments, from, to, forced)?;
    let source = find_pointer(client, &source).await?;
    let target = find_pointer(client, &Pointer::new(service, to)).await?;
    let state = match &source {
        Some(source) => image_state(client, &source.image).await?,
        None => None,
    };
    let decision = promotion(&PromotionRequest {
        service,
        environments,
        from,
        to,
        source: source.as_ref().map(|source| SourceImage { id: &source.image, state: state.as_deref() }),
        target: target.as_ref().map(|target| target.image.as_str()),
        forced,
    })?;
    if !dry_run {
        put_pointer(client, &decision.pointer, &decision.image).await?;
    }
    Ok(decision)
}

async fn image_state(client: &Client, image: &str) -> Result<Option<String>, FleetError> {
    let request = ec2::DescribeImagesRequest { image_ids: vec![image.to_owned()], ..Default::default() };
    match client.send(request).await {
        Ok(answer) => Ok(answer.images.into_iter().next().and_then(|image| image.state)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(calling(format!("look at {image}"))(error)),
    }
}

#[cfg(test)]
mod tests;
