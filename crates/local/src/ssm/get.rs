//! GetParameter and GetParameters.

use ovenbird_aws::ssm::GetParameterRequest;
use ovenbird_aws::ssm::GetParameterResult;
use ovenbird_aws::ssm::GetParametersRequest;
use ovenbird_aws::ssm::GetParametersResult;
use ovenbird_aws::ssm::Parameter;
use rusqlite::Connection;

use super::names::Selected;
use super::to_api;
use crate::catalogue::parameters;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

/// One parameter, the newest version or the one selected.
pub(crate) fn get_parameter(call: &Call, request: &GetParameterRequest) -> Answer<GetParameterResult> {
    let name = required(request.name.as_deref(), "Name")?;
    call.world.catalogue.transact(|db| match find(db, call, name, request.with_decryption)? {
        Some(parameter) => Ok(GetParameterResult { parameter: Some(parameter) }),
        None => {
            let selected = Selected::read(name);
            let is_there = parameters::find_parameter(db, &call.scope, &selected.name, None)?.is_some();
            let code = if is_there { "ParameterVersionNotFound" } else { "ParameterNotFound" };
            refuse(code, format!("Parameter {name} not found."))
        }
    })
}

/// Up to ten parameters; those that are not there are named, not refused.
pub(crate) fn get_parameters(call: &Call, request: &GetParametersRequest) -> Answer<GetParametersResult> {
    if !(1..=10).contains(&request.names.len()) {
        let text = format!("'names' must have 1 to 10 members, not {}", request.names.len());
        return refuse("ValidationException", text);
    }
    call.world.catalogue.transact(|db| {
        let mut answer = GetParametersResult::default();
        for name in &request.names {
            match find(db, call, name, request.with_decryption)? {
                Some(parameter) => answer.parameters.push(parameter),
                None => answer.invalid_parameters.push(name.clone()),
            }
        }
        Ok(answer)
    })
}

fn find(db: &Connection, call: &Call, text: &str, decrypt: Option<bool>) -> Answer<Option<Parameter>> {
    let selected = Selected::read(text);
    let version = match selected.version {
        None => None,
        // Nothing puts labels here, so no label is found.
        Some(None) => return Ok(None),
        Some(version) => version,
    };
    let found = parameters::find_parameter(db, &call.scope, &selected.name, version)?;
    Ok(found.map(|parameter| to_api(&call.scope, &parameter, decrypt, selected.selector)))
}
