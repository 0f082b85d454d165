//! GetParametersByPath and GetParameterHistory.

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::ssm::GetParameterHistoryRequest;
use ovenbird_aws::ssm::GetParameterHistoryResult;
use ovenbird_aws::ssm::GetParametersByPathRequest;
use ovenbird_aws::ssm::GetParametersByPathResult;
use ovenbird_aws::ssm::ParameterHistory;

use super::names::verify_name;
use super::shown;
use super::to_api;
use crate::catalogue::parameters;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

/// How long a NextToken holds.
const TOKENS_HOLD: SignedDuration = SignedDuration::from_hours(24);

/// The parameters below a path, ten at a time.
pub(crate) fn get_parameters_by_path(
    call: &Call,
    request: &GetParametersByPathRequest,
) -> Answer<GetParametersByPathResult> {
    let path = required(request.path.as_deref(), "Path")?;
    if path != "/" {
        verify_name(path.strip_suffix('/').unwrap_or(path))?;
    }
    if !path.starts_with('/') {
        return refuse("ValidationException", format!("The path `{path}` has to begin with `/`"));
    }
    let prefix = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
    let below = call.world.catalogue.transact(|db| parameters::list_newest(db, &call.scope, &prefix))?;
    let is_child = |name: &str| request.recursive == Some(true) || !name[prefix.len()..].contains('/');
    let found = below.into_iter().filter(|parameter| is_child(&parameter.name)).collect();
    let listing = format!("path:{prefix}");
    let asked = Asked { listing: &listing, max: request.max_results, limit: 10, token: request.next_token.as_deref() };
    let (page, next_token) = asked.cut(call, found, |parameter| parameter.name.clone())?;
    let parameters =
        page.iter().map(|parameter| to_api(&call.scope, parameter, request.with_decryption, None)).collect();
    Ok(GetParametersByPathResult { parameters, next_token })
}

/// The versions of a parameter, oldest first, fifty at a time.
pub(crate) fn get_parameter_history(
    call: &Call,
    request: &GetParameterHistoryRequest,
) -> Answer<GetParameterHistoryResult> {
    let name = required(request.name.as_deref(), "Name")?;
    let versions = call.world.catalogue.transact(|db| parameters::list_versions(db, &call.scope, name))?;
    if versions.is_empty() {
        return refuse("ParameterNotFound", format!("Parameter {name} not found."));
    }
    let listing = format!("history:{name}");
    let asked = Asked { listing: &listing, max: request.max_results, limit: 50, token: request.next_token.as_deref() };
    let (page, next_token) = asked.cut(call, versions, |parameter| format!("{:020}", parameter.version))?;
    let to_api = |parameter: &parameters::Parameter| ParameterHistory {
        name: Some(parameter.name.clone()),
        r#type: Some(parameter.kind.clone()),
        key_id: (parameter.kind == "SecureString").then(|| "alias/aws/ssm".to_owned()),
        last_modified_date: Some(parameter.modified),
        last_modified_user: Some(parameter.modified_by.clone()),
        description: parameter.description.clone(),
        value: Some(shown(parameter, request.with_decryption)),
        allowed_pattern: parameter.allowed_pattern.clone(),
        version: Some(parameter.version),
        labels: Vec::new(),
        tier: Some(parameter.tier.clone()),
        data_type: Some(parameter.data_type.clone()),
    };
    Ok(GetParameterHistoryResult { parameters: page.iter().map(to_api).collect(), next_token })
}

/// A page that was asked for.
struct Asked<'a> {
    /// What is listed; a token is good for nothing else.
    listing: &'a str,
    max: Option<i32>,
    limit: usize,
    token: Option<&'a str>,
}

impl Asked<'_> {
    /// The page of `items`, which are in the order of `key`, and the token of the next.
    fn cut<T>(&self, call: &Call, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Answer<(Vec<T>, Option<String>)> {
        let size = match self.max.map(usize::try_from) {
            None => self.limit,
            Some(Ok(max)) if (1..=self.limit).contains(&max) => max,
            Some(_) => return refuse("ValidationException", format!("'maxResults' must be 1 to {}", self.limit)),
        };
        if let Some(token) = self.token {
            let opened = call.world.secret.open::<(String, String)>("parameters-page", token, call.now);
            let Some((_, after)) = opened.ok().filter(|(listing, _)| listing == self.listing) else {
                return refuse("InvalidNextToken", "The specified token is not valid.");
            };
            items.retain(|item| key(item) > after);
        }
        if items.len() <= size {
            return Ok((items, None));
        }
        items.truncate(size);
        let after = items.last().map(&key).unwrap_or_default();
        let expires = call.now.saturating_add(TOKENS_HOLD).unwrap_or(Timestamp::MAX);
        Ok((items, Some(call.world.secret.seal("parameters-page", &(self.listing, after), expires)?)))
    }
}
