//! PutParameter and DeleteParameter.

use ovenbird_aws::ssm::DeleteParameterRequest;
use ovenbird_aws::ssm::DeleteParameterResult;
use ovenbird_aws::ssm::PutParameterRequest;
use ovenbird_aws::ssm::PutParameterResult;

use super::names::verify_name;
use crate::catalogue::images;
use crate::catalogue::parameters;
use crate::catalogue::parameters::Parameter;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::is_id;
use crate::tagging;
use crate::world::Call;

/// Versions that are kept (Systems Manager user guide, "Working with parameter versions").
const KEPT: i64 = 100;

/// Data type of parameters that name an image.
const IMAGE: &str = "aws:ec2:image";

/// Writes a version of a parameter.
///
/// Of a parameter that names an image, AWS answers at once and looks for the image afterwards; where there is none, no
/// version appears. So here: a caller has to read the parameter back (API reference, PutParameter, `DataType`).
pub(crate) fn put_parameter(call: &Call, request: &PutParameterRequest) -> Answer<PutParameterResult> {
    let name = required(request.name.clone(), "Name")?;
    let value = required(request.value.clone(), "Value")?;
    verify_name(&name)?;
    let tier = tier(request, &value)?;
    if request.policies.is_some() || request.allowed_pattern.is_some() {
        return refuse(
            "InvalidPolicyTypeException",
            "The embedded EC2 has no parameter policies and no allowed patterns",
        );
    }
    let tags: Vec<_> = request
        .tags
        .iter()
        .map(|tag| (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default()))
        .collect();
    tagging::verify_tags(&tags).or_else(|message| refuse("ValidationException", message))?;
    let version = call.world.catalogue.transact(|db| {
        let before = parameters::find_parameter(db, &call.scope, &name, None)?;
        if before.is_some() && request.overwrite != Some(true) {
            let text = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
            return refuse("ParameterAlreadyExists", text);
        }
        let kind = kind(request, before.as_ref())?;
        let data_type = data_type(request, before.as_ref(), &value)?;
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        let parameter = Parameter {
            name: name.clone(),
            version,
            kind,
            value: value.clone(),
            data_type,
            description: request.description.clone(),
            tier: tier.clone(),
            allowed_pattern: None,
            modified: call.now,
            modified_by: call.arn(),
        };
        if parameter.data_type == IMAGE && images::find_visible(db, &call.scope, &value)?.is_none() {
            tracing::warn!(parameter = name, image = value, "there is no such image; no version is written, as AWS does it");
        } else {
            parameters::insert_version(db, &call.scope, &parameter, KEPT)?;
        }
        Ok(version)
    })?;
    Ok(PutParameterResult { version: Some(version), tier: Some(tier) })
}

/// 4 KiB in the standard tier, 8 KiB in the advanced.
fn tier(request: &PutParameterRequest, value: &str) -> Answer<String> {
    let (tier, limit) = match request.tier.as_deref() {
        None | Some("Standard") => ("Standard", 4096),
        Some("Advanced") => ("Advanced", 8192),
        Some("Intelligent-Tiering") if value.len() <= 4096 => ("Standard", 4096),
        Some("Intelligent-Tiering") => ("Advanced", 8192),
        Some(other) => return refuse("ValidationException", format!("Tier cannot be `{other}`")),
    };
    if value.is_empty() || value.len() > limit {
        let text =
            format!("{tier} tier parameters support a maximum parameter value of {limit} characters, and at least one");
        return refuse("ValidationException", text);
    }
    Ok(tier.to_owned())
}

fn kind(request: &PutParameterRequest, before: Option<&Parameter>) -> Answer<String> {
    let kind = request.r#type.as_deref().or(before.map(|before| before.kind.as_str()));
    match kind {
        Some(kind @ ("String" | "StringList" | "SecureString")) => match before {
            Some(before) if before.kind != kind => {
                let text = format!("The parameter's type is {} and cannot be changed to {kind}", before.kind);
                refuse("HierarchyTypeMismatchException", text)
            }
            _ => Ok(kind.to_owned()),
        },
        Some(other) => refuse("UnsupportedParameterType", format!("The parameter type {other} is not supported.")),
        None => refuse("ValidationException", "A parameter type is required when you create a parameter."),
    }
}

fn data_type(request: &PutParameterRequest, before: Option<&Parameter>, value: &str) -> Answer<String> {
    let data_type = request.data_type.as_deref().or(before.map(|before| before.data_type.as_str())).unwrap_or("text");
    match data_type {
        "text" => Ok(data_type.to_owned()),
        IMAGE if is_id("ami", value) => Ok(data_type.to_owned()),
        IMAGE => refuse("ValidationException", format!("The value `{value}` is not of the form ami-12345abcdeEXAMPLE")),
        other => refuse("ValidationException", format!("The following data type is not supported: {other}")),
    }
}

/// Takes a parameter away with all its versions.
pub(crate) fn delete_parameter(call: &Call, request: &DeleteParameterRequest) -> Answer<DeleteParameterResult> {
    let name = required(request.name.as_deref(), "Name")?;
    let deleted = call.world.catalogue.transact(|db| parameters::delete_parameter(db, &call.scope, name))?;
    if deleted {
        Ok(DeleteParameterResult {})
    } else {
        refuse("ParameterNotFound", format!("Parameter {name} not found."))
    }
}
