//! Packer's template functions. (packer-plugin-sdk, template/interpolate/funcs.go; packer-plugin-amazon, common/template_funcs.go)

use ovenbird_core::block::Digest;

use super::Literal;
use super::layout;
use super::logic;
use crate::context::PACKER_VERSION;
use crate::json;
use crate::nearest::did_you_mean;
use crate::nearest::is_slip;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;

/// Functions of the bake's surroundings.
const SCOPE_FUNCTIONS: [&str; 12] = [
    "user",
    "env",
    "isotime",
    "strftime",
    "timestamp",
    "uuid",
    "pwd",
    "template_dir",
    "packer_version",
    "build_name",
    "build_type",
    "build",
];

/// Functions of their arguments alone.
const TEXT_FUNCTIONS: [&str; 12] = [
    "split",
    "replace",
    "replace_all",
    "upper",
    "lower",
    "clean_resource_name",
    "clean_ami_name",
    "eq",
    "ne",
    "and",
    "or",
    "not",
];

/// What HCL's `jsonencode` leaves to be done when a value is known. Packer has no such function, so no template names it.
pub(crate) const ESCAPE_LATER: &str = "_json";

/// What `build` and the fields of a template may ask for. The last seven exist on launched instances only.
pub(crate) const BUILD_VALUES: [&str; 20] = [
    "SourceAMI",
    "SourceAMIName",
    "SourceAMICreationDate",
    "SourceAMIOwner",
    "SourceAMIOwnerName",
    "SourceAMITags",
    "BuildRegion",
    "ID",
    "Host",
    "Port",
    "User",
    "Password",
    "ConnType",
    "PackerRunUUID",
    "PackerHTTPIP",
    "PackerHTTPPort",
    "PackerHTTPAddr",
    "SSHPublicKey",
    "SSHPrivateKey",
    "WinRMPassword",
];

/// Why a call cannot be done, and what to do instead. An empty reason was reported already.
pub(super) type Refusal = (String, Option<String>);

type Answer = Result<Literal, Refusal>;

/// Whether a function's result depends on its arguments alone.
pub(super) fn is_text_function(name: &str) -> bool {
    TEXT_FUNCTIONS.contains(&name) || name == ESCAPE_LATER
}

/// What to do where a function of Packer's is not there.
pub(crate) fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "consul_key" => {
            "give the value with -var, such as -var \"NAME=$(consul kv get KEY)\", or let the instance read it from Parameter Store"
        }
        "vault" => {
            "give the value with -var, such as -var \"NAME=$(vault kv get -field=F PATH)\", or let the instance read it from Parameter Store"
        }
        "aws_secretsmanager" | "aws_secretsmanager_raw" => {
            "a secret in an image is in every copy of it: let the instance read it at boot, or give it with -var"
        }
        "sed" => "Packer has removed it; use replace or replace_all",
        _ => return None,
    })
}

/// Why there is no such function here.
pub(super) fn unknown(name: &str) -> Refusal {
    if let Some(instead) = instead_of(name) {
        return (format!("the function `{name}` is not supported"), Some(instead.to_owned()));
    }
    let help = did_you_mean(name, SCOPE_FUNCTIONS.into_iter().chain(TEXT_FUNCTIONS));
    let help =
        help.unwrap_or_else(|| format!("there are {} and {}", SCOPE_FUNCTIONS.join(", "), TEXT_FUNCTIONS.join(", ")));
    (format!("there is no function `{name}`"), Some(help))
}

/// Whether there is such a function.
pub(super) fn is_known(name: &str) -> bool {
    SCOPE_FUNCTIONS.contains(&name) || is_text_function(name)
}

/// Calls a function of the surroundings. `build` is not among them: it is a value of its own.
pub(super) fn apply_scope(name: &str, arguments: Vec<Literal>, scope: &Scope<'_>) -> Answer {
    let context = scope.context;
    let text = match name {
        "user" => return user(&one(name, arguments)?, scope),
        "env" if scope.position == Position::Variable => {
            context.environment.get(&one(name, arguments)?).cloned().unwrap_or_default()
        }
        "env" => {
            let help = "declare a user variable whose default is {{env `NAME`}}, and use that here";
            return Err(("`env` works in `variables` only".to_owned(), Some(help.to_owned())));
        }
        "isotime" if arguments.is_empty() => layout::format(context.instant, layout::RFC_3339),
        "isotime" => layout::format(context.instant, &one(name, arguments)?),
        "strftime" => strftime(&one(name, arguments)?, scope)?,
        "timestamp" => none(name, &arguments, || context.instant.as_second().to_string())?,
        "uuid" => none(name, &arguments, || uuid(scope))?,
        "pwd" => none(name, &arguments, || context.pwd.clone())?,
        "template_dir" => none(name, &arguments, || context.template_dir.clone())?,
        "packer_version" => none(name, &arguments, || PACKER_VERSION.to_owned())?,
        "build_name" | "build_type" => {
            let Some((build_name, build_type)) = scope.build else {
                return Err((format!("`{name}` works within builders and provisioners only"), None));
            };
            none(name, &arguments, || if name == "build_name" { build_name } else { build_type }.to_owned())?
        }
        _ => return Err(unknown(name)),
    };
    Ok(Literal::Text(text))
}

/// Calls a function of the surroundings with strings.
pub(crate) fn call(name: &str, texts: Vec<String>, scope: &Scope<'_>) -> Result<String, String> {
    let arguments = texts.into_iter().map(Literal::Text).collect();
    apply_scope(name, arguments, scope).map(Literal::into_text).map_err(|(message, _)| message)
}

/// Calls a function of its arguments.
pub(crate) fn apply_text(name: &str, arguments: Vec<Literal>) -> Answer {
    if matches!(name, "eq" | "ne" | "and" | "or" | "not") {
        return logic::apply(name, &arguments);
    }
    let wrong = |form: &str| Err((format!("`{name}` is called as `{form}`"), None));
    let mut arguments = arguments.into_iter();
    let mut next = || arguments.next();
    let text = match (name, next(), next(), next(), next(), next()) {
        ("upper", Some(text), None, ..) => text.into_text().to_uppercase(),
        ("lower", Some(text), None, ..) => text.into_text().to_lowercase(),
        (ESCAPE_LATER, Some(text), None, ..) => json::escaped(&text.into_text()),
        // The name that it had before Packer 1.4.
        ("clean_resource_name" | "clean_ami_name", Some(text), None, ..) => clean_resource_name(&text.into_text()),
        ("replace_all", Some(old), Some(new), Some(text), None, _) => {
            text.into_text().replace(&old.into_text(), &new.into_text())
        }
        ("replace", Some(old), Some(new), Some(Literal::Integer(count)), Some(text), None) => {
            let (text, old, new) = (text.into_text(), old.into_text(), new.into_text());
            // As in Go, a negative count is no limit.
            usize::try_from(count).map_or_else(|_| text.replace(&old, &new), |count| text.replacen(&old, &new, count))
        }
        ("split", Some(text), Some(separator), Some(Literal::Integer(index)), None, _) => {
            return split(&text.into_text(), &separator.into_text(), index);
        }
        ("upper" | "lower" | "clean_resource_name" | "clean_ami_name", ..) => return wrong(&format!("{name} TEXT")),
        ("replace_all", ..) => return wrong("replace_all OLD NEW TEXT"),
        ("replace", ..) => return wrong("replace OLD NEW COUNT TEXT"),
        ("split", ..) => return wrong("split TEXT SEPARATOR INDEX"),
        _ => return Err(unknown(name)),
    };
    Ok(Literal::Text(text))
}

fn one(name: &str, arguments: Vec<Literal>) -> Result<String, Refusal> {
    let count = arguments.len();
    match arguments.into_iter().next() {
        Some(only) if count == 1 => Ok(only.into_text()),
        _ => Err((format!("`{name}` takes one value, not {count}"), None)),
    }
}

fn none(name: &str, arguments: &[Literal], text: impl FnOnce() -> String) -> Result<String, Refusal> {
    if arguments.is_empty() { Ok(text()) } else { Err((format!("`{name}` takes no value"), None)) }
}

/// Whether Packer would take an empty text for a variable that is not there. What looks like a slip of the fingers is an error
/// here.
pub(super) fn is_taken_for_empty(name: &str, found: &Found) -> bool {
    let Found::Missing(near) = found else { return false };
    !near.as_ref().is_some_and(|near| is_slip(name, near))
}

fn user(name: &str, scope: &Scope<'_>) -> Answer {
    match (scope.user)(name) {
        Found::Value(value) => Ok(Literal::Text(value)),
        Found::Failed => Err((String::new(), None)),
        Found::NotInHcl => {
            let help = format!("write ${{var.{name}}}");
            Err(("`user` asks for the variables of JSON templates".to_owned(), Some(help)))
        }
        Found::Circle => Err((format!("the variable `{name}` needs its own value"), None)),
        // As in Packer; whoever reads the option notes it.
        found if is_taken_for_empty(name, &found) => Ok(Literal::Text(String::new())),
        Found::Missing(near) => {
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| format!("declare it: \"variables\": {{ \"{name}\": \"…\" }}"));
            Err((format!("there is no variable `{name}`"), Some(help)))
        }
    }
}

/// The conversions that mean the same everywhere. Packer 1.6.6 knows fewer and writes the others as they stand.
const STRFTIME_CONVERSIONS: &str = "aAbBdDeFHIjmMpRSTyYzZ%";

fn strftime(format: &str, scope: &Scope<'_>) -> Result<String, Refusal> {
    let mut conversions = format.split('%').skip(1);
    while let Some(conversion) = conversions.next() {
        match conversion.chars().next() {
            // An empty part is `%%`: what follows it is text.
            None => drop(conversions.next()),
            Some(letter) if STRFTIME_CONVERSIONS.contains(letter) => {}
            Some(letter) => {
                let help = format!("use one of %{}, or isotime", STRFTIME_CONVERSIONS.replace('%', ""));
                return Err((format!("`strftime` has no `%{letter}`"), Some(help)));
            }
        }
    }
    let time = scope.context.instant.to_zoned(jiff::tz::TimeZone::UTC);
    let refused = |error| (format!("`{format}` is no strftime format: {error}"), None);
    jiff::fmt::strtime::format(format, &time).map_err(refused)
}

/// Packer's time-ordered UUID: the second of the instant, then bits that differ with every call.
fn uuid(scope: &Scope<'_>) -> String {
    let call = scope.uuids.get();
    scope.uuids.set(call + 1);
    let second = u32::try_from(scope.context.instant.as_second()).unwrap_or_default();
    let mut bits = [0; 16];
    bits[..8].copy_from_slice(&scope.context.seed.to_be_bytes());
    bits[8..].copy_from_slice(&call.to_be_bytes());
    let bits = Digest::of(&bits).hex();
    format!("{second:08x}-{}-{}-{}-{}", &bits[..4], &bits[4..8], &bits[8..12], &bits[12..24])
}

fn split(text: &str, separator: &str, index: i64) -> Answer {
    let parts: Vec<&str> = match separator {
        // Go splits at characters then; Rust's `split` would add empty ends.
        "" => text.split("").filter(|part| !part.is_empty()).collect(),
        _ => text.split(separator).collect(),
    };
    let part = usize::try_from(index).ok().and_then(|index| parts.get(index));
    let refused = || {
        (
            format!("`split` gives {} parts here, so there is no part {index}", parts.len()),
            Some("the first part is 0".to_owned()),
        )
    };
    part.map(|part| Literal::Text((*part).to_owned())).ok_or_else(refused)
}

/// Replaces what an image's name may not have by `-`.
fn clean_resource_name(text: &str) -> String {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "()[] ./-'@_".contains(char);
    text.chars().map(|char| if is_allowed(char) { char } else { '-' }).collect()
}
