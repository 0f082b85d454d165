//! What a scalar of YAML is: with the booleans of YAML 1.1, and numbers of either version.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use regex::Captures;
use regex::Regex;
use saphyr_parser::ScalarStyle;
use saphyr_parser::Tag;

use super::super::Answer;
use crate::tree::Node;
use crate::tree::Value;

const TAGS: [&str; 7] = ["str", "bool", "int", "float", "null", "timestamp", "binary"];

/// Whether a key is `<<`, which takes over the members of its value.
pub(super) fn is_merge(text: &str, tag: Option<&Tag>) -> bool {
    tag.map_or(text == "<<", |tag| tag.is_yaml_core_schema() && tag.suffix == "merge")
}

/// The value of a scalar. One in a block is a string, but, as in Packer, one that is made of what a plain one would be.
pub(super) fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Answer {
    let value = resolved(text, style, tag)?;
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    let made = Node::from(value);
    Ok(match made.to_text().filter(|_| is_block && tag.is_none()) {
        Some(text) => Value::Text(text),
        None => made.value,
    })
}

fn resolved(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Answer {
    let tag = match tag {
        None => "",
        Some(tag) if tag.is_yaml_core_schema() && TAGS.contains(&tag.suffix.as_str()) => tag.suffix.as_str(),
        Some(tag) => return Err(format!("the tag `{tag}` is not supported")),
    };
    let is_quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    match tag {
        "str" | "binary" => return Ok(Value::text(text)),
        _ if is_quoted && (text.is_empty() || text.starts_with(hints)) => return Ok(Value::text(text)),
        _ => {}
    }
    if let Some(value) = word(text) {
        return Ok(value);
    }
    if is_not_finite(text) {
        return Err(format!("the number `{text}` is not supported"));
    }
    let found = match tag {
        "" | "timestamp" => instant(text).or_else(|| plain_number(text)),
        "int" | "float" => plain_number(text).or_else(|| based_number(text)),
        "null" => Some(Value::Null),
        _ => plain_number(text),
    };
    match found {
        Some(value) => Ok(value),
        None if tag.is_empty() && !text.trim_start_matches('-').starts_with("0b") => Ok(Value::text(text)),
        None if tag.is_empty() => Err(format!("`{text}` is no binary number; a string stands in quotes")),
        None => Err(format!("`{text}` is no `!!{tag}`")),
    }
}

/// What a scalar begins with that may be something else than a string.
fn hints(char: char) -> bool {
    char.is_ascii_digit() || "+-.~yYnNtTfFoO".contains(char)
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Boolean(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Boolean(false),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ => return None,
    })
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// A decimal number, in which `_` may stand, or `0b…`.
fn plain_number(text: &str) -> Option<Value> {
    static DECIMAL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$").ok());
    let is_split = text.starts_with(|char: char| char.is_ascii_digit() || "+-".contains(char));
    let digits = if is_split { text.replace('_', "") } else { text.to_owned() };
    if DECIMAL.as_ref()?.is_match(&digits) {
        let whole: Option<i128> = digits.parse().ok();
        return whole.map(Value::integer).or_else(|| digits.parse().ok().map(Value::number));
    }
    let (sign, rest) = digits.strip_prefix('-').map_or((1, digits.as_str()), |rest| (-1, rest));
    let number = i64::from_str_radix(rest.strip_prefix("0b")?, 2).ok()?;
    Some(Value::integer(i128::from(number) * sign))
}

/// `0x1F` and `0o17`, which are numbers for `!!int` alone.
fn based_number(text: &str) -> Option<Value> {
    let digits = text.replace('_', "").to_lowercase();
    let (sign, rest) = digits.strip_prefix('-').map_or((1, digits.as_str()), |rest| (-1, rest));
    let number = match (rest.strip_prefix("0x"), rest.strip_prefix("0o")) {
        (Some(hex), _) => i64::from_str_radix(hex, 16),
        (_, Some(octal)) => i64::from_str_radix(octal, 8),
        _ => return None,
    };
    number.ok().map(|number| Value::integer(i128::from(number) * sign))
}

/// A date or an instant, as a string of RFC 3339.
fn instant(text: &str) -> Option<Value> {
    static INSTANT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let time = r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?";
        let zone = r"(Z|[-+][0-9]{2}:[0-9]{2})";
        Regex::new(&format!("^([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:[Tt]{time}{zone}| {time})?$")).ok()
    });
    let found = INSTANT.as_ref()?.captures(text)?;
    let zone = found.get(7).map_or("Z", |zone| zone.as_str());
    let time = date_time(&found)?.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    Some(Value::Text(time + zone))
}

fn date_time(found: &Captures<'_>) -> Option<DateTime> {
    let number = |index: usize| found.get(index).map_or(Some(0), |part| part.as_str().parse::<i8>().ok());
    let time = |first: usize| Some((number(first)?, number(first + 1)?, number(first + 2)?));
    let (hour, minute, second) = if found.get(8).is_some() { time(8)? } else { time(4)? };
    let year = found.get(1)?.as_str().parse().ok()?;
    DateTime::new(year, number(2)?, number(3)?, hour, minute, second, 0).ok()
}
