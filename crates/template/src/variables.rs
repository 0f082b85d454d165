//! Values that are given to a template from outside: `-var` and `-var-file`.

use std::collections::BTreeMap;

use crate::fault::TemplateError;
use crate::fault::TemplateErrors;
use crate::json;
use crate::json::Node;
use crate::json::Value;
use crate::place::Source;
use crate::place::Span;

/// Values for a template's user variables. A later file beats an earlier one, and `-var` beats every file whatever the
/// order, as in Packer's JSON templates.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    files: BTreeMap<String, Given>,
    arguments: BTreeMap<String, Given>,
}

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// The place of a value: all of a text of its own, or a JSON string.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) source: Source,
    /// `None`: the value is the text.
    pub(crate) node: Option<Node>,
}

impl Origin {
    /// The bytes of the source that a part of the value stands in.
    pub(crate) fn span(&self, part: &Span) -> Span {
        match &self.node {
            Some(node) if matches!(node.value, Value::Text(_)) => node.inner_span(&self.source, part),
            Some(node) => node.span.clone(),
            None => part.clone(),
        }
    }
}

/// A `-var` that is no `name=value`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the variable `{0}` has no value; write it as name=value")]
pub struct BadVariable(pub String);

impl Variables {
    /// Takes a value, as `-var name=value` does.
    pub fn set(&mut self, name: &str, value: &str) {
        let origin = Origin { source: Source::new(&format!("-var {name}"), value), node: None };
        self.arguments.insert(name.to_owned(), Given { value: value.to_owned(), origin });
    }

    /// Takes a `name=value`.
    ///
    /// # Errors
    /// When there is no `=`, or nothing before it.
    pub fn add_argument(&mut self, argument: &str) -> Result<(), BadVariable> {
        match argument.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                self.set(name, value);
                Ok(())
            }
            _ => Err(BadVariable(argument.to_owned())),
        }
    }

    /// Takes the values of a `-var-file`: a JSON object of strings, numbers and booleans.
    ///
    /// # Errors
    /// When it is something else; says where.
    pub fn add_file(&mut self, file: &Source) -> Result<(), TemplateErrors> {
        let root = json::parse(file).map_err(|error| TemplateErrors::new(vec![error]))?;
        let Value::Object(members) = root.value else {
            let error = TemplateError::new(
                file,
                root.span.clone(),
                format!("a variables file is an object, this is {}", root.kind()),
            );
            return Err(TemplateErrors::new(vec![error]));
        };
        let mut errors = Vec::new();
        for member in members {
            match scalar(&member.node) {
                Some(value) => {
                    let origin = Origin { source: file.clone(), node: Some(member.node) };
                    self.files.insert(member.key, Given { value, origin });
                }
                None => errors.push(not_scalar(file, &member.key, &member.node)),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(TemplateErrors::new(errors)) }
    }

    /// The value that was given for a variable.
    pub(crate) fn find(&self, name: &str) -> Option<&Given> {
        self.arguments.get(name).or_else(|| self.files.get(name))
    }

    /// The names of all values that were given.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().chain(self.arguments.keys()).map(String::as_str)
    }

    /// The names of values that were given by `-var`.
    pub(crate) fn argument_names(&self) -> impl Iterator<Item = &str> {
        self.arguments.keys().map(String::as_str)
    }
}

/// A scalar as Packer turns an option into a string: a boolean becomes `1` or `0` (mapstructure's weak decoding). Packer
/// 1.6.6 wants strings in `variables`; here both are read alike.
pub(crate) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(text) => Some(number(text)),
        Value::Boolean(value) => Some(u8::from(*value).to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number without exponent, as Go's `FormatFloat(…, 'f', -1, 64)` writes it. Whole numbers stay as they are.
pub(crate) fn number(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return text.to_owned();
    }
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

pub(crate) fn not_scalar(source: &Source, name: &str, node: &Node) -> TemplateError {
    let message = format!("the variable `{name}` is {}, but values of variables are strings", node.kind());
    TemplateError::new(source, node.span.clone(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(variables: &Variables, name: &str) -> Option<String> {
        variables.find(name).map(|given| given.value.clone())
    }

    #[test]
    fn arguments_beat_files_and_later_files_beat_earlier_ones() {
        let mut variables = Variables::default();
        variables.add_argument("a=argument=1").expect("name=value");
        variables.add_file(&Source::new("1.json", r#"{"a": "1", "b": "1", "c": "1"}"#)).expect("valid");
        variables.add_file(&Source::new("2.json", r#"{"a": "2", "b": "2"}"#)).expect("valid");
        assert_eq!(value(&variables, "a").as_deref(), Some("argument=1"));
        assert_eq!(value(&variables, "b").as_deref(), Some("2"));
        assert_eq!(value(&variables, "c").as_deref(), Some("1"));
        assert_eq!(value(&variables, "d"), None);
    }

    #[test]
    fn scalars_become_strings_as_in_packer() {
        let mut variables = Variables::default();
        variables
            .add_file(&Source::new("v", r#"{"n": 8, "f": 1.50, "e": 1e3, "t": true, "x": false}"#))
            .expect("valid");
        let all = ["n", "f", "e", "t", "x"].map(|name| value(&variables, name).expect(name));
        assert_eq!(all, ["8", "1.5", "1000", "1", "0"]);
    }

    #[test]
    fn refuses_other_values_and_says_where() {
        let errors =
            Variables::default().add_file(&Source::new("v.json", "{\"a\": [1],\n \"b\": null}")).expect_err("list");
        let places: Vec<String> = errors.errors().iter().map(|error| error.place().to_string()).collect();
        assert_eq!(places, ["v.json:1:7", "v.json:2:7"]);
        assert!(Variables::default().add_file(&Source::new("v", "[]")).is_err());
        assert_eq!(Variables::default().add_argument("novalue"), Err(BadVariable("novalue".to_owned())));
        assert_eq!(Variables::default().add_argument("=x"), Err(BadVariable("=x".to_owned())));
    }
}
