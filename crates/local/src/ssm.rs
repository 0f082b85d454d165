//! Parameter Store (boot.md section 4).

pub(crate) mod get;
pub(crate) mod list;
mod names;
pub(crate) mod put;
#[cfg(test)]
mod tests;

use ovenbird_aws::ssm;

use crate::catalogue::Scope;
use crate::catalogue::parameters::Parameter;

/// Stands in for the value of a SecureString that was not asked to be decrypted; AWS gives its ciphertext.
fn concealed(value: &str) -> String {
    data_encoding::BASE64.encode(&ovenbird_core::block::Digest::of(value.as_bytes()).0)
}

fn shown(parameter: &Parameter, decrypt: Option<bool>) -> String {
    if parameter.kind == "SecureString" && decrypt != Some(true) {
        concealed(&parameter.value)
    } else {
        parameter.value.clone()
    }
}

/// A version as the API shows it.
fn to_api(scope: &Scope, parameter: &Parameter, decrypt: Option<bool>, selector: Option<String>) -> ssm::Parameter {
    let slash = if parameter.name.starts_with('/') { "" } else { "/" };
    ssm::Parameter {
        name: Some(parameter.name.clone()),
        r#type: Some(parameter.kind.clone()),
        value: Some(shown(parameter, decrypt)),
        version: Some(parameter.version),
        selector,
        source_result: None,
        last_modified_date: Some(parameter.modified),
        arn: Some(format!("arn:aws:ssm:{}:{}:parameter{slash}{}", scope.region, scope.account, parameter.name)),
        data_type: Some(parameter.data_type.clone()),
    }
}
