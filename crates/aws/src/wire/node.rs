//! The tree between a shape and its text.

use bytes::Bytes;
use jiff::Timestamp;

/// A value on its way to or from the wire. Query forms and XML know only text; JSON knows more.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text, and every scalar that came from a form or XML.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// An instant; each protocol has its own way to write one.
    Instant(Timestamp),
    /// Bytes; base64 in text, as they are where they are a REST-JSON payload.
    Bytes(Bytes),
    /// A list, in order.
    List(Vec<Self>),
    /// Named members, in order.
    Struct(Vec<(String, Self)>),
}

impl Node {
    /// The member called `name`, taken out; `None` where this is not a structure or has no such member.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Struct(members) = self else { return None };
        let at = members.iter().position(|(key, _)| key == name)?;
        Some(members.swap_remove(at).1)
    }

    /// The same tree without empty lists. Requests leave them out; answers write them, because callers of the SDKs read
    /// `answer['Images']` where nothing was found, too.
    #[must_use]
    pub fn without_empty_lists(self) -> Self {
        let has_content = |node: &Self| !matches!(node, Self::List(items) if items.is_empty());
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::without_empty_lists).collect()),
            Self::Struct(members) => Self::Struct(
                members
                    .into_iter()
                    .filter(|(_, node)| has_content(node))
                    .map(|(name, node)| (name, node.without_empty_lists()))
                    .collect(),
            ),
            scalar => scalar,
        }
    }

    /// What this is, for error messages.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Instant(_) => "an instant",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Struct(_) => "a structure",
        }
    }

    /// The scalar as a form or XML writes it; `None` for lists and structures.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Instant(instant) => Some(instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
            Self::Bytes(bytes) => Some(data_encoding::BASE64.encode(bytes)),
            Self::List(_) | Self::Struct(_) => None,
        }
    }
}
