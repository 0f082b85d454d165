//! Values of a build that are known when it runs, such as `build.ID`: in an expression they are the template of Go that asks for them.

use crate::tree::Node;
use crate::tree::Value;

const START: &str = "{{build `";
const END: &str = "}}";

/// Functions that hand on what they are given without a look into it.
const CARRIERS: [&str; 19] = [
    "chunklist",
    "coalesce",
    "coalescelist",
    "concat",
    "element",
    "flatten",
    "format",
    "formatlist",
    "join",
    "jsonencode",
    "keys",
    "lookup",
    "merge",
    "reverse",
    "slice",
    "tolist",
    "tomap",
    "values",
    "zipmap",
];

/// The text that stands for the value called `name`.
pub(super) fn text(name: &str) -> String {
    format!("{START}{name}`{END}")
}

/// Whether some of it is known when the build runs only.
pub(super) fn is_late(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => text.contains(START),
        Value::Array(elements) | Value::Set(elements) => elements.iter().any(is_late),
        Value::Object(members) => members.iter().any(|member| is_late(&member.node)),
        _ => false,
    }
}

/// What a function makes of late values; `None`: it may be called as if they were known.
pub(super) fn call(name: &str, arguments: &[Node]) -> Option<Result<Value, String>> {
    if !arguments.iter().any(is_late) {
        return None;
    }
    if CARRIERS.contains(&name) {
        return looks_into(name, arguments, is_late).then(|| Err(refusal(name)));
    }
    match (name, arguments) {
        ("upper", [Node { value: Value::Text(text), .. }]) => {
            Some(Ok(Value::Text(each(name, text, str::to_uppercase))))
        }
        ("lower", [Node { value: Value::Text(text), .. }]) => {
            Some(Ok(Value::Text(each(name, text, str::to_lowercase))))
        }
        // The length of a list is known, that of a text is not.
        ("length", [Node { value: Value::Array(_) | Value::Set(_) | Value::Object(_), .. }]) => None,
        _ => Some(Err(refusal(name))),
    }
}

/// Whether a function hands on what it is given, whatever the values are that are open yet.
pub(super) fn hands_on(name: &str, arguments: &[Node], is_open: fn(&Node) -> bool) -> bool {
    CARRIERS.contains(&name) && !looks_into(name, arguments, is_open)
}

/// Whether what a function hands on depends on an open value: on a format, a key, a text that may turn out to be empty.
fn looks_into(name: &str, arguments: &[Node], is_open: fn(&Node) -> bool) -> bool {
    match (name, arguments) {
        ("format" | "formatlist", [form, ..]) => is_open(form),
        ("lookup", [_, key, ..]) => is_open(key),
        ("coalesce", [others @ .., _]) => others.iter().any(is_open),
        _ => false,
    }
}

/// Why a function or an operator cannot be used.
pub(super) fn refusal(name: &str) -> String {
    format!(
        "`{name}` cannot be used on a value of the build, which is known when it runs: `upper`, `lower`, `jsonencode`, `join` and \
         `format` with `%s` can; for all else, give the value to a script and work it out there"
    )
}

/// The plain text with `function` applied, and late values with the function `name` of Go's templates, which does the same.
pub(super) fn each(name: &str, text: &str, function: fn(&str) -> String) -> String {
    let mut pieces = text.split(START);
    let mut made = pieces.next().map(function).unwrap_or_default();
    for piece in pieces {
        let (asked, plain) = piece.split_once(END).unwrap_or((piece, ""));
        made += &format!("{START}{asked} | {name}{END}{}", function(plain));
    }
    made
}
