//! Functions of the bake's surroundings: its time, its environment, its random bits, its files.

use ovenbird_core::block::Digest;

use super::Answer;
use super::arguments::Arguments;
use super::dates;
use super::files;
use super::hashes;
use crate::go;
use crate::hcl::eval::Eval;
use crate::hcl::values::Values;
use crate::place::Span;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;
use crate::tree::Value;

/// `None`: it is no such function.
pub(super) fn call(eval: &Eval<'_>, arguments: &Arguments<'_>, span: &Span) -> Option<Answer> {
    let Some(values) = eval.values else {
        return Some(Err("only literal values may stand here".to_owned()));
    };
    let context = values.context;
    Some(match arguments.name {
        "timestamp" => none(arguments).map(|()| Value::Text(dates::shown(context.instant))),
        "legacy_isotime" => legacy("isotime", arguments, values),
        "legacy_strftime" => legacy("strftime", arguments, values),
        "uuidv4" | "uuid" => none(arguments).map(|()| Value::Text(uuid(values))),
        "env" if eval.is_default => {
            arguments.text(0).map(|name| Value::text(context.environment.get(&name).cloned().unwrap_or_default()))
        }
        "env" => Err("`env` works in the default of a variable only; declare a variable, and use that here".to_owned()),
        "packer_version" => Ok(Value::text(crate::context::PACKER_VERSION)),
        _ => return files::call(eval, values, arguments, span),
    })
}

fn none(arguments: &Arguments<'_>) -> Result<(), String> {
    if arguments.len() == 0 { Ok(()) } else { Err(format!("`{}` takes no value", arguments.name)) }
}

/// A function of the JSON templates.
fn legacy(name: &str, arguments: &Arguments<'_>, values: &Values<'_>) -> Answer {
    let user = |_: &str| Found::NotInHcl;
    let scope = Scope {
        context: values.context,
        user: &user,
        build: None,
        position: Position::Option,
        further: &[],
        uuids: values.uuids,
    };
    let texts = (0..arguments.len()).map(|index| arguments.text(index)).collect::<Result<Vec<_>, _>>()?;
    go::call(name, texts, &scope).map(Value::Text)
}

fn uuid(values: &Values<'_>) -> String {
    let call = values.uuids.get();
    values.uuids.set(call + 1);
    let mut bits = [0; 16];
    bits[..8].copy_from_slice(&values.context.seed.to_be_bytes());
    bits[8..].copy_from_slice(&call.to_be_bytes());
    let hex = Digest::of(&bits).hex();
    hashes::uuid(hex.as_bytes().get(..16).unwrap_or(&[]), 4)
}
