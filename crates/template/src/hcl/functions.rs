//! Packer's functions. (github.com/hashicorp/packer, hcl2template/functions.go; meanings as in the language's documentation at
//! developer.hashicorp.com/packer/docs/templates/hcl_templates/functions)

mod arguments;
mod collections;
mod dates;
mod decimal;
mod encodings;
mod files;
mod format;
mod hashes;
mod networks;
mod numbers;
mod patterns;
mod sets;
mod surroundings;
mod texts;
mod yaml;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;

use self::arguments::Arguments;
pub(super) use self::encodings::json;
use super::config::Written;
use super::eval::Base;
use super::eval::Eval;
use super::eval::Worked;
use super::late;
use super::types;
use crate::go;
use crate::go::Fault;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;

/// What a function answers; an error is a sentence.
type Answer = Result<Value, String>;

/// A function of its arguments alone: its name, how it is called, and the least and most arguments.
type Row = (&'static str, &'static str, usize, usize, fn(&Arguments<'_>) -> Answer);

/// As many arguments as one likes.
const MANY: usize = usize::MAX;

const TABLES: [&[Row]; 10] = [
    texts::FUNCTIONS,
    patterns::FUNCTIONS,
    format::FUNCTIONS,
    numbers::FUNCTIONS,
    collections::FUNCTIONS,
    sets::FUNCTIONS,
    encodings::FUNCTIONS,
    hashes::FUNCTIONS,
    networks::FUNCTIONS,
    dates::FUNCTIONS,
];

/// Functions that need more than their arguments' values.
const OTHERS: [&str; 27] = [
    "try",
    "can",
    "convert",
    "env",
    "timestamp",
    "legacy_isotime",
    "legacy_strftime",
    "uuidv4",
    "uuid",
    "file",
    "filebase64",
    "fileexists",
    "fileset",
    "templatefile",
    "pathexpand",
    "abspath",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "filebase64sha256",
    "filebase64sha512",
    "consul_key",
    "vault",
    "aws_secretsmanager",
    "basename",
    "dirname",
];

/// Calls a function whose arguments are not all worked out first; `None`: it is no such function.
pub(super) fn lazy(eval: &Eval<'_>, name: &str, arguments: &[&Expression], span: &Span) -> Option<Worked> {
    match name {
        "try" => Some(attempt(eval, arguments, span)),
        "can" => {
            let is_possible = matches!(arguments, [one] if eval.expression(one).is_ok());
            Some(Ok(Value::Boolean(is_possible).into()))
        }
        "convert" => Some(convert(eval, arguments, span)),
        _ => None,
    }
}

fn attempt(eval: &Eval<'_>, arguments: &[&Expression], span: &Span) -> Worked {
    let mut last = Fault::new(span, "`try` is called as `try(EXPRESSION, …)`");
    for argument in arguments {
        match eval.expression(argument) {
            Ok(node) => return Ok(node),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

fn convert(eval: &Eval<'_>, arguments: &[&Expression], span: &Span) -> Worked {
    let [value, kind] = arguments else {
        return Err(Fault::new(span, "`convert` is called as `convert(VALUE, TYPE)`"));
    };
    let start = if let Base::Start(start) = eval.base { start } else { span.start };
    let kind = types::read(&Written::Native { expression: (*kind).clone(), start })?;
    let node = eval.expression(value)?;
    let at = eval.span(value.span());
    kind.convert(node).map_err(|fault| Fault { span: at, ..fault })
}

/// Calls a function.
pub(super) fn call(eval: &Eval<'_>, name: &str, nodes: &[Node], span: &Span) -> Worked {
    let arguments = Arguments { name, nodes };
    let answer = match TABLES.iter().copied().flatten().find(|row| row.0 == name) {
        Some((_, form, least, most, function)) => {
            if nodes.len() < *least || nodes.len() > *most {
                return Err(Fault::new(span, format!("`{name}` is called as `{form}`")));
            }
            if is_open(name, nodes) {
                return Ok(Value::unknown().into());
            }
            late::call(name, nodes).unwrap_or_else(|| function(&arguments))
        }
        None if !OTHERS.contains(&name) => return Err(unknown(name, span)),
        None if is_open(name, nodes) && go::instead_of(name).is_none() => return Ok(Value::unknown().into()),
        None if OTHERS.contains(&name) && nodes.iter().any(late::is_late) => Err(late::refusal(name)),
        None => surroundings::call(eval, &arguments, span).unwrap_or_else(|| Err(String::new())),
    };
    match answer {
        Ok(value) => Ok(value.into()),
        // What is not known before AWS is asked may have any form.
        Err(message) if !message.is_empty() && nodes.iter().any(Node::is_unknown) => Ok(Value::unknown().into()),
        Err(message) if message.is_empty() => Err(unknown(name, span)),
        Err(message) => Err(Fault::new(span, message)),
    }
}

/// Whether what a function answers is not known before AWS is asked.
fn is_open(name: &str, nodes: &[Node]) -> bool {
    let is_known = match (name, nodes) {
        // A list is as long as it is, whatever its elements turn out to be.
        ("length", [node]) => node.to_text().is_none(),
        ("formatlist", _) if nodes.iter().any(Node::is_wholly_unknown) => false,
        ("templatefile", _) => true,
        _ => late::hands_on(name, nodes, Node::is_unknown),
    };
    !is_known && nodes.iter().any(Node::is_unknown)
}

/// Why there is no such function here.
fn unknown(name: &str, span: &Span) -> Fault {
    if let Some(help) = go::instead_of(name) {
        return Fault::new(span, format!("the function `{name}` is not supported")).with_help(Some(help.to_owned()));
    }
    let message = match name {
        "bcrypt" | "rsadecrypt" => {
            let help = format!(
                "work it out beforehand and give it with -var, such as -var \"NAME=$(…)\"; `{name}` of a secret would be in every copy of the image"
            );
            return Fault::new(span, format!("the function `{name}` is not supported")).with_help(Some(help));
        }
        _ => format!("there is no function `{name}`"),
    };
    let names = TABLES.iter().copied().flatten().map(|row| row.0).chain(OTHERS);
    Fault::new(span, message).with_help(did_you_mean(name, names))
}
