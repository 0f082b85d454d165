//! Functions that write values as text and read them.

use std::io::Write as _;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::late;
use super::Answer;
use super::Row;
use super::arguments::Arguments;
use super::yaml;
use crate::go::ESCAPE_LATER;
use crate::json;
use crate::place::Source;
use crate::tree::Node;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("jsonencode", "jsonencode(VALUE)", 1, 1, |a| Ok(Value::Text(json(a.node(0)?)))),
    ("jsondecode", "jsondecode(TEXT)", 1, 1, |a| {
        let source = Source::new("jsondecode", &a.text(0)?);
        json::decode(&source).map(|node| node.value).map_err(|error| error.to_string())
    }),
    ("yamlencode", "yamlencode(VALUE)", 1, 1, |a| Ok(Value::Text(yaml::write(a.node(0)?)))),
    ("yamldecode", "yamldecode(TEXT)", 1, 1, |a| yaml::read(&a.text(0)?)),
    ("csvdecode", "csvdecode(TEXT)", 1, 1, |a| csv(&a.text(0)?)),
    ("base64encode", "base64encode(TEXT)", 1, 1, |a| Ok(Value::Text(BASE64.encode(a.text(0)?.as_bytes())))),
    ("base64decode", "base64decode(TEXT)", 1, 1, |a| utf_8(bytes(a)?)),
    ("base64gzip", "base64gzip(TEXT)", 1, 1, |a| Ok(Value::Text(BASE64.encode(&packed(&a.text(0)?)?)))),
    ("urlencode", "urlencode(TEXT)", 1, 1, |a| Ok(Value::Text(url(&a.text(0)?)))),
    ("textencodebase64", "textencodebase64(TEXT, ENCODING)", 2, 2, |a| Ok(Value::Text(BASE64.encode(&encoded(a)?)))),
    ("textdecodebase64", "textdecodebase64(TEXT, ENCODING)", 2, 2, decoded),
];

/// The bytes of a text in UTF-8 or UTF-16LE, which is all that scripts ask for (PowerShell the second).
fn encoded(arguments: &Arguments<'_>) -> Result<Vec<u8>, String> {
    let (text, encoding) = (arguments.text(0)?, arguments.text(1)?);
    match encoding.to_uppercase().as_str() {
        "UTF-8" => Ok(text.into_bytes()),
        "UTF-16LE" => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        _ => Err(unknown_encoding(&encoding)),
    }
}

/// The text of bytes in one of the same encodings.
fn decoded(arguments: &Arguments<'_>) -> Answer {
    let (bytes, encoding) = (bytes(arguments)?, arguments.text(1)?);
    match encoding.to_uppercase().as_str() {
        "UTF-8" => utf_8(bytes),
        "UTF-16LE" => {
            let (pairs, odd) = bytes.as_chunks();
            let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            let text = text.ok().filter(|_| odd.is_empty());
            text.map(Value::Text).ok_or_else(|| "what is decoded is no text in UTF-16LE".to_owned())
        }
        _ => Err(unknown_encoding(&encoding)),
    }
}

fn unknown_encoding(encoding: &str) -> String {
    format!("the encoding `{encoding}` is not supported; there are UTF-8 and UTF-16LE")
}

/// The bytes of the first argument, which is in base64.
fn bytes(arguments: &Arguments<'_>) -> Result<Vec<u8>, String> {
    BASE64.decode(arguments.text(0)?.as_bytes()).map_err(|error| format!("this is no base64: {error}"))
}

fn utf_8(bytes: Vec<u8>) -> Answer {
    String::from_utf8(bytes).map(Value::Text).map_err(|_| "what is decoded is no text".to_owned())
}

/// A text as gzip packs it: cloud-init unpacks user data itself. Neither a time nor a name is in it, so that it is always the same.
fn packed(text: &str) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).map_err(|error| error.to_string())
}

/// A value as JSON in one line with sorted keys; `<`, `>` and `&` are escaped, as Go does it.
pub(in crate::hcl) fn json(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("\"{}\"", late::each(ESCAPE_LATER, text, json::escaped)),
        Value::Array(elements) | Value::Set(elements) => {
            let elements: Vec<String> = elements.iter().map(json).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(_) => {
            let member = |(key, node): (Node, Node)| format!("{}:{}", json(&key), json(&node));
            let members: Vec<String> = node.entries().unwrap_or_default().into_iter().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Number(_) | Value::Boolean(_) => node.to_text().unwrap_or_default(),
    }
}

/// Form encoding, as Go's `url.QueryEscape`: a blank is a `+`.
fn url(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// One object for each line, with the keys of the first line. (RFC 4180)
fn csv(text: &str) -> Answer {
    let mut rows = rows(text)?.into_iter();
    let head = rows.next().ok_or("the first line must name the columns")?;
    let object = |row: Vec<String>| {
        if row.len() != head.len() {
            return Err(format!("a line has {} values, but there are {} columns", row.len(), head.len()));
        }
        Ok(Value::object(head.iter().cloned().zip(row.into_iter().map(Value::Text))))
    };
    Ok(Value::list(rows.map(object).collect::<Result<Vec<_>, _>>()?))
}

/// Where in a value of a line the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Plain,
    Quoted,
    /// Behind the closing quote.
    Closed,
}

fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut state = Cell::Plain;
    while let Some(char) = chars.next() {
        match (state, char) {
            (Cell::Quoted, '"') if chars.next_if_eq(&'"').is_some() => cell.push('"'),
            (Cell::Quoted, '"') => state = Cell::Closed,
            (Cell::Quoted, char) => cell.push(char),
            (Cell::Plain, '"') if cell.is_empty() => state = Cell::Quoted,
            (_, '"') => return Err("a value with a quote in it must be in quotes, and the quote doubled".to_owned()),
            (_, ',') => {
                row.push(std::mem::take(&mut cell));
                state = Cell::Plain;
            }
            (_, '\r') if chars.peek().is_none_or(|next| *next == '\n') => {}
            (_, '\n') => {
                if !row.is_empty() || !cell.is_empty() || state == Cell::Closed {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                state = Cell::Plain;
            }
            (Cell::Closed, _) => return Err("something stands between a closing quote and the comma".to_owned()),
            (Cell::Plain, char) => cell.push(char),
        }
    }
    if state == Cell::Quoted {
        return Err("a quote is not closed".to_owned());
    }
    if !row.is_empty() || !cell.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}
