//! YAML, read and written.

use saphyr::LoadableYamlNode as _;
use saphyr::Scalar;
use saphyr::Yaml;

use super::Answer;
use crate::tree::Node;
use crate::tree::Value;

/// One document.
pub(super) fn read(text: &str) -> Answer {
    let documents = Yaml::load_from_str(text).map_err(|error| format!("this is no valid YAML: {error}"))?;
    match documents.as_slice() {
        [] => Ok(Value::Null),
        [only] => value(only),
        _ => Err("the YAML has several documents".to_owned()),
    }
}

fn value(yaml: &Yaml<'_>) -> Answer {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => Value::Boolean(*value),
        Yaml::Value(Scalar::Integer(number)) => Value::integer(i128::from(*number)),
        Yaml::Value(Scalar::FloatingPoint(number)) => Value::number(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => Value::text(text.as_ref()),
        Yaml::Sequence(elements) => Value::list(elements.iter().map(value).collect::<Result<Vec<_>, _>>()?),
        Yaml::Mapping(members) => {
            let member = |(key, node): (&Yaml<'_>, &Yaml<'_>)| {
                let key = Node::from(value(key)?).to_text().ok_or("a key of the YAML is no string")?;
                Ok((key, value(node)?))
            };
            Value::object(members.iter().map(member).collect::<Result<Vec<_>, String>>()?)
        }
        _ => return Err("the YAML has tags or aliases, which have no value here".to_owned()),
    })
}

/// Block style, with every string in quotes, as `yamlencode` has it.
pub(super) fn write(node: &Node) -> String {
    let mut text = String::new();
    block(node, 0, &mut text);
    text
}

fn block(node: &Node, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match &node.value {
        Value::Array(elements) if !elements.is_empty() => {
            for element in elements {
                text.push_str(&format!("{indent}-"));
                nested(element, depth, text);
            }
        }
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in node.entries().unwrap_or_default() {
                text.push_str(&format!("{indent}{}:", super::encodings::json(&key)));
                nested(&value, depth, text);
            }
        }
        _ => text.push_str(&format!("{indent}{}\n", super::encodings::json(node))),
    }
}

fn nested(node: &Node, depth: usize, text: &mut String) {
    let is_block = match &node.value {
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    if is_block {
        text.push('\n');
        block(node, depth + 1, text);
    } else {
        text.push_str(&format!(" {}\n", super::encodings::json(node)));
    }
}
