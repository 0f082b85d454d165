//! The parameters phase: one batch from Parameter Store, and what to do when it cannot be reached.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use ovenbird_aws::ssm;
use ovenbird_core::metadata::Parameter;
use serde::Deserialize;
use serde::Serialize;

use crate::api::Api;
use crate::api::CallError;
use crate::fault::Fault;
use crate::files::find_file;
use crate::files::write_whole;
use crate::instance::Instance;
use crate::report::say;
use crate::settings::Budget;
use crate::settings::Root;
use crate::time::Deadline;

/// The most names that one `GetParameters` takes (SSM API reference).
const BATCH: usize = 10;

/// Values kept from an earlier boot: only for the instance, image and environment that they were fetched for.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    instance: String,
    image: String,
    environment: String,
    values: BTreeMap<String, String>,
}

/// What Parameter Store answered.
#[derive(Debug, Default)]
struct Answer {
    values: BTreeMap<String, String>,
    secure: BTreeSet<String>,
}

/// Fetches the values of `wanted` by name. Calls nothing if none is wanted.
///
/// # Errors
/// When a value is missing and nothing may stand in for it.
pub fn fetch_parameters(
    wanted: &[Parameter],
    environment: &str,
    instance: &Instance,
    api: &Api<'_>,
    root: &Root,
    budget: &Budget,
    deadline: &Deadline,
) -> Result<BTreeMap<String, String>, Fault> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut kept = read_kept(root, environment, instance);
    let has_fallback = |parameter: &Parameter| {
        parameter.default.is_some() || parameter.cached_ok && kept.values.contains_key(&parameter.path(environment))
    };
    let patience = if wanted.iter().all(has_fallback) { budget.parameters_with_fallback } else { budget.parameters };
    let answer = ask(wanted, environment, api, &deadline.within(patience));
    if let Err(error) = &answer {
        say(&format!("Parameter Store: {error}"));
    }
    let chosen = choose(wanted, environment, &answer, &kept.values)?;
    if let Ok(answer) = &answer {
        let lasting =
            |parameter: &&Parameter| parameter.cached_ok && !answer.secure.contains(&parameter.path(environment));
        let paths = wanted.iter().filter(lasting).map(|parameter| parameter.path(environment));
        kept.values = paths.filter_map(|path| Some((path.clone(), answer.values.get(&path)?.clone()))).collect();
        write_whole(&root.parameters(), &serde_json::to_vec(&kept).unwrap_or_default())?;
    }
    Ok(chosen)
}

/// Each parameter's value: the store's, else the kept one (only if the store was not reached), else the default.
fn choose(
    wanted: &[Parameter],
    environment: &str,
    answer: &Result<Answer, CallError>,
    kept: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut chosen = BTreeMap::new();
    for parameter in wanted {
        let path = parameter.path(environment);
        let found = match answer {
            Ok(answer) => answer.values.get(&path),
            Err(_) if parameter.cached_ok => kept.get(&path),
            Err(_) => None,
        };
        let Some(value) = found.or(parameter.default.as_ref()) else {
            let doing = format!("fetch the parameter {path}");
            return Err(match answer {
                Err(error) => error.clone().while_doing(&doing),
                Ok(_) => Fault::lasting(format!(
                    "cannot {doing}: Parameter Store has none of that name, or the instance's role may not read it"
                )),
            });
        };
        if found.is_none() {
            say(&format!("parameter {path}: the image's default is used"));
        } else if answer.is_err() {
            say(&format!("parameter {path}: the value of an earlier boot is used"));
        }
        chosen.insert(parameter.name.clone(), value.clone());
    }
    Ok(chosen)
}

fn ask(wanted: &[Parameter], environment: &str, api: &Api<'_>, deadline: &Deadline) -> Result<Answer, CallError> {
    let paths: BTreeSet<String> = wanted.iter().map(|parameter| parameter.path(environment)).collect();
    let paths: Vec<String> = paths.into_iter().collect();
    let mut answer = Answer::default();
    for names in paths.chunks(BATCH) {
        let request = ssm::GetParametersRequest { names: names.to_vec(), with_decryption: Some(true) };
        for parameter in api.call(&request, deadline)?.parameters {
            // A version or label is answered apart from the name.
            let path = parameter.name.unwrap_or_default() + &parameter.selector.unwrap_or_default();
            if parameter.r#type.as_deref() == Some("SecureString") {
                answer.secure.insert(path.clone());
            }
            answer.values.extend(parameter.value.map(|value| (path, value)));
        }
    }
    Ok(answer)
}

fn read_kept(root: &Root, environment: &str, instance: &Instance) -> Kept {
    let fresh = Kept {
        instance: instance.id.clone(),
        image: instance.image_id.clone(),
        environment: environment.to_owned(),
        values: BTreeMap::new(),
    };
    let stored = find_file(&root.parameters()).ok().flatten();
    let stored: Option<Kept> = stored.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    stored
        .filter(|kept| {
            kept.instance == fresh.instance && kept.image == fresh.image && kept.environment == fresh.environment
        })
        .unwrap_or(fresh)
}
