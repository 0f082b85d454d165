//! The tree between a shape and its text.

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
    /// A list, in order.
    List(Vec<Node>),
    /// Named members, in order.
    Struct(Vec<(String, Node)>),
}

impl Node {
    /// The member called `name`, taken out; `None` where this is not a structure or has no such member.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Struct(members) = self else { return None };
        let at = members.iter().position(|(key, _)| key == name)?;
        Some(members.swap_remove(at).1)
    }

    /// What this is, for error messages.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Instant(_) => "an instant",
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
            Self::List(_) | Self::Struct(_) => None,
        }
    }
}
