//! What expressions do with values.

use std::cmp::Ordering;

use crate::place::Span;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;
use crate::variables;

/// Stands for what only AWS knows, where it was not asked: a template can then be checked, not baked.
pub(crate) const PLACEHOLDER: &str = "ami-unknown-until-baked";

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number without exponent, and without a fraction where it is whole.
    pub(crate) fn number(number: f64) -> Self {
        Self::Number(number.to_string())
    }

    pub(crate) fn integer(number: i128) -> Self {
        Self::Number(number.to_string())
    }

    /// What is not known before AWS is asked.
    pub(crate) fn unknown() -> Self {
        Self::text(PLACEHOLDER)
    }

    pub(crate) fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(values.into_iter().map(Node::from).collect())
    }

    pub(crate) fn object(members: impl IntoIterator<Item = (String, Self)>) -> Self {
        let member = |(key, value)| Member { key, key_span: 0..0, node: Node::from(value) };
        Self::Object(members.into_iter().map(member).collect())
    }
}

/// A set of these: sorted where they can be compared, and without what is there twice. Strings and others become strings.
pub(super) fn set(elements: impl IntoIterator<Item = Node>) -> Value {
    let mut elements: Vec<Node> = elements.into_iter().collect();
    if elements.iter().any(|node| matches!(node.value, Value::Text(_))) {
        let texts =
            elements.iter().map(|node| Some(Node { span: node.span.clone(), value: Value::Text(node.to_text()?) }));
        elements = texts.collect::<Option<Vec<_>>>().unwrap_or(elements);
    }
    elements.sort_by(|one, other| match (&one.value, &other.value) {
        (Value::Number(_), Value::Number(_)) => {
            one.to_number().partial_cmp(&other.to_number()).unwrap_or(Ordering::Equal)
        }
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Boolean(one), Value::Boolean(other)) => one.cmp(other),
        _ => Ordering::Equal,
    });
    let mut kept: Vec<Node> = Vec::with_capacity(elements.len());
    for element in elements {
        if !kept.iter().any(|one| one.is_equal(&element)) {
            kept.push(element);
        }
    }
    Value::Set(kept)
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self { span: 0..0, value }
    }
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value of a scalar as HCL converts it to a string.
    pub(crate) fn to_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(variables::number(number)),
            Value::Boolean(value) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Set(_) | Value::Object(_) => None,
        }
    }

    /// A number, or a string that holds one.
    pub(crate) fn to_number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(text) | Value::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// A boolean, or a string that holds one.
    pub(crate) fn to_boolean(&self) -> Option<bool> {
        match &self.value {
            Value::Boolean(value) => Some(*value),
            Value::Text(text) if text == "true" => Some(true),
            Value::Text(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// Whether the values are the same; no type is turned into another one.
    pub(crate) fn is_equal(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(one), Value::Boolean(other)) => one == other,
            (Value::Text(one), Value::Text(other)) => one == other,
            (Value::Number(_), Value::Number(_)) => self.to_number() == other.to_number(),
            (Value::Array(ones), Value::Array(others)) | (Value::Set(ones), Value::Set(others)) => {
                ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| one.is_equal(other))
            }
            (Value::Object(ones), Value::Object(others)) => {
                let is_there = |one: &Member| other.member(&one.key).is_some_and(|other| one.node.is_equal(other));
                ones.len() == others.len() && ones.iter().all(is_there)
            }
            _ => false,
        }
    }

    /// The member of an object.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        let Value::Object(members) = &self.value else { return None };
        members.iter().find(|member| member.key == key).map(|member| &member.node)
    }

    /// The elements of a list or a set.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(elements) | Value::Set(elements) => Some(elements),
            _ => None,
        }
    }

    /// The keys and values of a list, a set or an object, in HCL's order: objects are sorted, and an element of a set is its own key.
    pub(crate) fn entries(&self) -> Option<Vec<(Self, Self)>> {
        match &self.value {
            Value::Array(elements) => {
                let key = |index: usize| Self::from(Value::Number(index.to_string()));
                Some(elements.iter().enumerate().map(|(index, element)| (key(index), element.clone())).collect())
            }
            Value::Set(elements) => Some(elements.iter().map(|element| (element.clone(), element.clone())).collect()),
            Value::Object(members) => {
                let mut members: Vec<&Member> = members.iter().collect();
                members.sort_by(|one, other| one.key.cmp(&other.key));
                let entry = |member: &Member| (Self::from(Value::text(&member.key)), member.node.clone());
                Some(members.into_iter().map(entry).collect())
            }
            _ => None,
        }
    }

    /// The same value, all of which was worked out from `span`.
    pub(crate) fn at(mut self, span: &Span) -> Self {
        self.place_at(span);
        self
    }

    fn place_at(&mut self, span: &Span) {
        self.span = span.clone();
        match &mut self.value {
            Value::Array(elements) | Value::Set(elements) => {
                elements.iter_mut().for_each(|element| element.place_at(span));
            }
            Value::Object(members) => members.iter_mut().for_each(|member| {
                member.key_span = span.clone();
                member.node.place_at(span);
            }),
            _ => {}
        }
    }

    /// Moves all places.
    pub(crate) fn shift(&mut self, by: usize) {
        self.span = self.span.start + by..self.span.end + by;
        match &mut self.value {
            Value::Array(elements) | Value::Set(elements) => elements.iter_mut().for_each(|element| element.shift(by)),
            Value::Object(members) => members.iter_mut().for_each(|member| {
                member.key_span = member.key_span.start + by..member.key_span.end + by;
                member.node.shift(by);
            }),
            _ => {}
        }
    }

    /// Whether nothing of it is known before AWS is asked, not even what kind of value it is.
    pub(crate) fn is_wholly_unknown(&self) -> bool {
        matches!(&self.value, Value::Text(text) if text == PLACEHOLDER)
    }

    /// Whether some of it is not known before AWS is asked.
    pub(crate) fn is_unknown(&self) -> bool {
        match &self.value {
            Value::Text(text) => text.contains(PLACEHOLDER),
            Value::Array(elements) | Value::Set(elements) => elements.iter().any(Self::is_unknown),
            Value::Object(members) => members.iter().any(|member| member.node.is_unknown()),
            _ => false,
        }
    }
}
