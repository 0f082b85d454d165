//! The query form: `Filter.1.Name=state&Filter.1.Value.1=available`.

use super::error::DecodeError;
use super::node::Node;

/// Deepest nesting of dotted names that is read; the model's deepest is 6.
const MAX_DEPTH: usize = 12;

/// Writes a structure as form fields.
pub(super) fn encode_fields(node: &Node) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    push_fields(&mut fields, "", node);
    fields
}

fn push_fields(fields: &mut Vec<(String, String)>, prefix: &str, node: &Node) {
    let join = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    match node {
        Node::Struct(members) => members.iter().for_each(|(name, node)| push_fields(fields, &join(name), node)),
        Node::List(items) => {
            items.iter().enumerate().for_each(|(at, node)| push_fields(fields, &join(&(at + 1).to_string()), node));
        }
        scalar => fields.push((prefix.to_owned(), scalar.text().unwrap_or_default())),
    }
}

/// Reads form fields into a tree of structures.
pub(super) fn decode_fields(fields: Vec<(String, String)>) -> Result<Node, DecodeError> {
    let mut root = Node::Struct(Vec::new());
    for (name, value) in fields {
        let steps: Vec<&str> = name.split('.').collect();
        if steps.len() > MAX_DEPTH {
            return Err(DecodeError::unexpected("a name of at most 12 parts", name));
        }
        put(&mut root, &steps, value).map_err(|error| error.inside(&name))?;
    }
    Ok(root)
}

fn put(node: &mut Node, steps: &[&str], value: String) -> Result<(), DecodeError> {
    let Node::Struct(members) = node else {
        return Err(DecodeError::unexpected("one value", "a value and members of it"));
    };
    let Some((first, rest)) = steps.split_first() else { return Ok(()) };
    if rest.is_empty() {
        if members.iter().any(|(name, _)| name == first) {
            return Err(DecodeError::unexpected("each parameter once", "it twice"));
        }
        members.push(((*first).to_owned(), Node::Text(value)));
        return Ok(());
    }
    let at = members.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
        members.push(((*first).to_owned(), Node::Struct(Vec::new())));
        members.len() - 1
    });
    put(&mut members[at].1, rest, value)
}

/// Writes `application/x-www-form-urlencoded`.
pub(super) fn encode_form(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            other => {
                escaped.push('%');
                escaped.push_str(&data_encoding::HEXUPPER.encode(&[other]));
            }
        }
    }
    escaped
}

/// Reads `application/x-www-form-urlencoded`; also a URL's query string.
///
/// # Errors
/// Bytes that are not UTF-8 after decoding.
pub fn decode_form(form: &str) -> Result<Vec<(String, String)>, DecodeError> {
    form.split('&')
        .filter(|field| !field.is_empty())
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            Ok((unescape(name)?, unescape(value)?))
        })
        .collect()
}

/// Takes percent-encoding and `+` back.
pub(super) fn unescape(text: &str) -> Result<String, DecodeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex = tail.get(..2).and_then(|pair| data_encoding::HEXLOWER_PERMISSIVE.decode(pair).ok());
                match hex {
                    Some(decoded) => {
                        bytes.extend(decoded);
                        rest = &tail[2..];
                    }
                    None => bytes.push(b'%'),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| DecodeError::unexpected("UTF-8", "other bytes"))
}
