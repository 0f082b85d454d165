//! The arguments of a function.

use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

pub(super) struct Arguments<'a> {
    pub(super) name: &'a str,
    pub(super) nodes: &'a [Node],
}

impl<'a> Arguments<'a> {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, index: usize) -> Result<&'a Node, String> {
        self.nodes.get(index).ok_or_else(|| format!("`{}` needs another value", self.name))
    }

    pub(super) fn wrong<T>(&self, index: usize, wanted: &str) -> Result<T, String> {
        self.wrong_as(index, wanted, self.node(index)?.kind())
    }

    /// A number of the wrong kind.
    fn wrong_number<T>(&self, index: usize, wanted: &str) -> Result<T, String> {
        self.wrong_as(index, wanted, &self.text(index)?)
    }

    fn wrong_as<T>(&self, index: usize, wanted: &str, seen: &str) -> Result<T, String> {
        let which = match (index, self.nodes.len()) {
            (_, 1) => "the value".to_owned(),
            (0, _) => "the first value".to_owned(),
            (1, _) => "the second value".to_owned(),
            (2, _) => "the third value".to_owned(),
            _ => format!("value {}", index + 1),
        };
        Err(format!("{which} of `{}` must be {wanted}, it is {seen}", self.name))
    }

    pub(super) fn text(&self, index: usize) -> Result<String, String> {
        self.node(index)?.to_text().map_or_else(|| self.wrong(index, "a string"), Ok)
    }

    pub(super) fn number(&self, index: usize) -> Result<f64, String> {
        self.node(index)?.to_number().map_or_else(|| self.wrong(index, "a number"), Ok)
    }

    pub(super) fn integer(&self, index: usize) -> Result<i64, String> {
        let number = self.number(index)?;
        // Whole numbers of an f64 are exact up to here, and no length or index is larger.
        if number.fract() == 0.0 && number.abs() < 9e15 {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
            return Ok(number as i64);
        }
        self.wrong_number(index, "a whole number")
    }

    pub(super) fn count(&self, index: usize) -> Result<usize, String> {
        usize::try_from(self.integer(index)?).or_else(|_| self.wrong_number(index, "a number from 0 up"))
    }

    pub(super) fn boolean(&self, index: usize) -> Result<bool, String> {
        self.node(index)?.to_boolean().map_or_else(|| self.wrong(index, "true or false"), Ok)
    }

    pub(super) fn list(&self, index: usize) -> Result<&'a [Node], String> {
        self.node(index)?.elements().map_or_else(|| self.wrong(index, "a list"), Ok)
    }

    pub(super) fn texts(&self, index: usize) -> Result<Vec<String>, String> {
        let texts: Option<Vec<String>> = self.list(index)?.iter().map(Node::to_text).collect();
        texts.map_or_else(|| self.wrong(index, "a list of strings"), Ok)
    }

    /// The members of an object, sorted by key.
    pub(super) fn object(&self, index: usize) -> Result<Vec<&'a Member>, String> {
        match &self.node(index)?.value {
            Value::Object(members) => {
                let mut members: Vec<&Member> = members.iter().collect();
                members.sort_by(|one, other| one.key.cmp(&other.key));
                Ok(members)
            }
            _ => self.wrong(index, "an object"),
        }
    }
}

/// A list of these nodes.
pub(super) fn list(nodes: impl IntoIterator<Item = Node>) -> Value {
    Value::Array(nodes.into_iter().collect())
}

/// A list of these strings.
pub(super) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Value {
    Value::list(texts.into_iter().map(Value::text))
}
