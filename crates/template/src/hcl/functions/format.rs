//! `format` and `formatlist`: verbs of Go's `Printf`. (github.com/zclconf/go-cty, cty/function/stdlib/format.go)

use super::super::late;
use super::Answer;
use super::MANY;
use super::Row;
use super::arguments::Arguments;
use super::arguments::list;
use super::decimal::Decimal;
use super::encodings::json;
use crate::tree::Node;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("format", "format(FORMAT, VALUE, …)", 1, MANY, |a| {
        format(&a.text(0)?, a.nodes.get(1..).unwrap_or(&[])).map(Value::Text)
    }),
    ("formatlist", "formatlist(FORMAT, LIST, …)", 1, MANY, formatlist),
];

/// A wider field than this is a slip.
const WIDEST: usize = 1000;

/// `%-8.3[2]f`
#[derive(Default)]
struct Verb {
    /// As it is written, for messages.
    written: String,
    flags: String,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

impl Verb {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// What stands before a number that is not negative.
    fn sign(&self, is_negative: bool) -> &'static str {
        match (is_negative, self.has('+'), self.has(' ')) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }
}

/// The text of `form`, which must use all values.
fn format(form: &str, values: &[Node]) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = form;
    let (mut next, mut used) = (1, 0);
    while let Some((plain, verb)) = rest.split_once('%') {
        text.push_str(plain);
        if let Some(behind) = verb.strip_prefix('%') {
            text.push('%');
            rest = behind;
            continue;
        }
        let (verb, index, behind) =
            read(verb).ok_or_else(|| format!("`{form}` has no verb behind its `%`; `%%` is a plain `%`"))?;
        let index = index.unwrap_or(next);
        let value = index.checked_sub(1).and_then(|index| values.get(index));
        let value = value.ok_or_else(|| format!("`{form}` asks for value {index} of {}", values.len()))?;
        text.push_str(&shown(&verb, value)?);
        (next, used, rest) = (index + 1, used.max(index), behind);
    }
    if used < values.len() {
        return Err(format!("`{form}` uses {used} of {} values; take the others out", values.len()));
    }
    Ok(text + rest)
}

/// A verb, the number of the value that it names, and what stands behind it.
fn read(text: &str) -> Option<(Verb, Option<usize>, &str)> {
    let until = |text: &str, is_part: fn(char) -> bool| text.find(|char| !is_part(char)).unwrap_or(text.len());
    let digits = |text| until(text, |char: char| char.is_ascii_digit());
    let (flags, rest) = text.split_at(until(text, |char| "-+0 #".contains(char)));
    let (width, mut rest) = rest.split_at(digits(rest));
    let mut precision = None;
    if let Some(behind) = rest.strip_prefix('.') {
        let (number, behind) = behind.split_at(digits(behind));
        precision = Some(if number.is_empty() { 0 } else { number.parse().ok()? });
        rest = behind;
    }
    let mut index = None;
    if let Some(behind) = rest.strip_prefix('[') {
        let (number, behind) = behind.split_once(']')?;
        index = Some(number.parse().ok()?);
        rest = behind;
    }
    let letter = rest.chars().next().filter(char::is_ascii_alphabetic)?;
    let behind = &rest[1..];
    let written = format!("%{}", &text[..text.len() - behind.len()]);
    let width = if width.is_empty() { 0 } else { width.parse().ok()? };
    let bounded = |number: usize| number.min(WIDEST);
    let verb =
        Verb { written, flags: flags.to_owned(), width: bounded(width), precision: precision.map(bounded), letter };
    Some((verb, index, behind))
}

fn shown(verb: &Verb, value: &Node) -> Result<String, String> {
    let is_plain = verb.flags.is_empty() && verb.width == 0 && verb.precision.is_none();
    if late::is_late(value) && !(is_plain && matches!(verb.letter, 's' | 'v' | 'q')) {
        return Err(late::refusal(&verb.written));
    }
    let wrong = || format!("`{}` cannot show {}", verb.written, value.kind());
    Ok(match verb.letter {
        'v' => padded(verb, any(verb, value)),
        's' => padded(verb, cut(verb, value.to_text().ok_or_else(wrong)?)),
        'q' => padded(verb, json(&Value::Text(cut(verb, value.to_text().ok_or_else(wrong)?)).into())),
        't' => value.to_boolean().ok_or_else(wrong)?.to_string(),
        'b' | 'd' | 'o' | 'x' | 'X' => {
            let number = Decimal::of(value).ok_or_else(wrong)?;
            let whole = number.to_whole();
            integer(verb, whole.ok_or_else(|| format!("`{}` shows whole numbers only", verb.written))?)
        }
        'e' | 'E' | 'f' | 'g' | 'G' => fraction(verb, &Decimal::of(value).ok_or_else(wrong)?),
        _ => {
            return Err(format!(
                "there is no verb `{}`; there are %s, %q, %v, %d, %b, %o, %x, %e, %f, %g and %t",
                verb.written
            ));
        }
    })
}

/// `%v`: strings and numbers as they are, all else as JSON.
fn any(verb: &Verb, value: &Node) -> String {
    match (&value.value, Decimal::of(value)) {
        (Value::Text(text), _) if !verb.has('#') => text.clone(),
        (Value::Number(_), Some(number)) if !verb.has('#') => number.general(None),
        _ => json(value),
    }
}

fn cut(verb: &Verb, text: String) -> String {
    match verb.precision {
        Some(precision) if precision > 0 => text.chars().take(precision).collect(),
        _ => text,
    }
}

fn padded(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    let padding = if verb.has('0') { "0" } else { " " }.repeat(missing);
    if verb.has('-') { text + &padding } else { padding + &text }
}

fn integer(verb: &Verb, number: i128) -> String {
    let sign = verb.sign(number < 0);
    let number = number.unsigned_abs();
    let (prefix, digits) = match verb.letter {
        'b' => ("0b", format!("{number:b}")),
        'o' => ("0", format!("{number:o}")),
        'x' => ("0x", format!("{number:x}")),
        'X' => ("0X", format!("{number:X}")),
        _ => ("", number.to_string()),
    };
    let prefix = if verb.has('#') { prefix } else { "" };
    let digits = match verb.precision {
        Some(0) if number == 0 => return String::new(),
        Some(precision) => "0".repeat(precision.saturating_sub(digits.len())) + &digits,
        None => digits,
    };
    filled(verb, &format!("{sign}{prefix}"), &digits, verb.has('0') && verb.precision.is_none())
}

fn fraction(verb: &Verb, number: &Decimal) -> String {
    let sign = verb.sign(number.is_negative);
    let number = number.absolute();
    let digits = match verb.letter {
        'f' => number.fixed(verb.precision.unwrap_or(6)),
        'e' | 'E' => number.scientific(verb.precision.unwrap_or(6)),
        _ => number.general(verb.precision),
    };
    let digits = if verb.letter.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    filled(verb, sign, &digits, verb.has('0'))
}

/// A number in its field; zeros stand behind its sign.
fn filled(verb: &Verb, sign: &str, digits: &str, zeros: bool) -> String {
    let missing = verb.width.saturating_sub(sign.len() + digits.len());
    match (verb.has('-'), zeros) {
        (true, _) => format!("{sign}{digits}{}", " ".repeat(missing)),
        (_, true) => format!("{sign}{}{digits}", "0".repeat(missing)),
        _ => format!("{}{sign}{digits}", " ".repeat(missing)),
    }
}

/// One string for each element of the lists; other values stay the same for all.
fn formatlist(arguments: &Arguments<'_>) -> Answer {
    let form = arguments.text(0)?;
    let values = arguments.nodes.get(1..).unwrap_or(&[]);
    let lengths = values.iter().filter_map(|node| node.elements().map(<[Node]>::len));
    let length = lengths.max().unwrap_or(1);
    let row = |row: usize| {
        let pick = |node: &Node| match &node.value {
            Value::Array(elements) | Value::Set(elements) => {
                elements.get(row).cloned().ok_or_else(|| "the lists of `formatlist` differ in length".to_owned())
            }
            _ => Ok(node.clone()),
        };
        let values = values.iter().map(pick).collect::<Result<Vec<_>, _>>()?;
        format(&form, &values).map(|text| Node::from(Value::Text(text)))
    };
    Ok(list((0..length).map(row).collect::<Result<Vec<_>, _>>()?))
}
