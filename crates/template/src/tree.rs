//! The values of a template, each of which knows its place: what JSON is read to, and HCL is worked out to.

use crate::place::Span;

/// A value of a template.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The value's bytes in the text, with quotes and braces.
    pub(crate) span: Span,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Node>),
    /// A set of HCL, sorted and without repetition. Options have none: for them it is a list.
    Set(Vec<Node>),
    Object(Vec<Member>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) key: String,
    /// The key's bytes, with quotes.
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Node {
    /// What the value is, for messages: `a number`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::Array(_) => "a list",
            Value::Set(_) => "a set",
            Value::Object(_) => "an object",
        }
    }

    /// The bytes that `part` of this string's value was read from, where `raw` is the text of the whole. Escapes make the two
    /// differ. A string that was not written as it is, but worked out, has the whole span.
    pub(crate) fn inner_span(&self, raw: &str, part: &Span) -> Span {
        let inside = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let Some(inside) = inside.filter(|inside| self.is_written_as(inside)) else { return self.span.clone() };
        let offset = |wanted: usize| self.span.start + 1 + raw_offset(inside, wanted);
        offset(part.start)..offset(part.end)
    }

    /// Whether `inside`, a text between quotes, gives this string. Only lengths are compared: that is enough for a place.
    fn is_written_as(&self, inside: &str) -> bool {
        let Value::Text(text) = &self.value else { return false };
        let is_template = inside.contains("${") || inside.contains("%{");
        !(is_template && text.as_str() != inside) && raw_offset(inside, text.len()) == inside.len()
    }
}

/// The offset in `raw`, the inside of a string of JSON or HCL, of the byte at `wanted` of its decoded value.
fn raw_offset(raw: &str, wanted: usize) -> usize {
    let mut decoded = 0;
    let mut rest = raw.char_indices();
    while let Some((offset, char)) = rest.next() {
        if decoded >= wanted {
            return offset;
        }
        decoded += match char {
            '\\' => match rest.next() {
                Some((escape, 'u')) => {
                    rest.by_ref().take(4).for_each(drop);
                    let digits = raw.get(escape + 1..escape + 5).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                    // Each half of a surrogate pair gives two of the four bytes of its character.
                    digits.map_or(1, |code| char::from_u32(code).map_or(2, char::len_utf8))
                }
                _ => 1,
            },
            char => char.len_utf8(),
        };
    }
    raw.len()
}
