//! Values that are given to a template from outside: `-var` and `-var-file`.

use crate::fault::TemplateError;
use crate::fault::TemplateErrors;
use crate::hcl;
use crate::json;
use crate::place::Source;
use crate::place::Span;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// Values for a template's user variables. `-var` beats every file whatever the order; otherwise a later value beats an earlier
/// one. (packer.md 2.1, 2.2)
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<Given>);

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) name: String,
    /// An argument is a string, of which no text is kept: what is wrong with it is shown by its name, not by its value.
    pub(crate) node: Node,
    pub(crate) source: Source,
    pub(crate) by: By,
}

/// How a value was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Argument,
    File,
}

impl Given {
    /// The bytes of the source that a part of the value stands in.
    pub(crate) fn span(&self, part: &Span) -> Span {
        match self.by {
            By::Argument => 0..0,
            By::File => self.node.inner_span(&self.source.text()[self.node.span.clone()], part),
        }
    }
}

/// A `-var` that is no `name=value`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the variable `{0}` has no value or no name; write it as name=value")]
pub struct BadVariable(pub String);

impl Variables {
    /// Takes a value, as `-var name=value` does.
    pub fn set(&mut self, name: &str, value: &str) {
        let node = Node { span: 0..0, value: Value::text(value) };
        let source = Source::new(&format!("-var {name}"), "");
        self.0.push(Given { name: name.to_owned(), node, source, by: By::Argument });
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
            // What stands behind `=` may be a secret.
            Some((name, _)) => Err(BadVariable(name.to_owned())),
            None => Err(BadVariable(argument.to_owned())),
        }
    }

    /// Takes the values of a `-var-file`: HCL where its name ends with `.hcl`, a JSON object otherwise.
    ///
    /// # Errors
    /// When it is something else; says where, and not what stands there: only a template knows which values are secrets.
    pub fn add_file(&mut self, file: &Source) -> Result<(), TemplateErrors> {
        let members = if file.name().ends_with(".hcl") { hcl::read_variables(file) } else { object(file) };
        let members = members.map_err(TemplateErrors::without_lines)?;
        let given = |member: Member| Given { name: member.key, node: member.node, source: file.clone(), by: By::File };
        self.0.extend(members.into_iter().map(given));
        Ok(())
    }

    /// All values: a later one counts.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Given> {
        let of = |by: By| self.0.iter().filter(move |given| given.by == by);
        of(By::File).chain(of(By::Argument))
    }

    /// The value that counts for a variable.
    pub(crate) fn find(&self, name: &str) -> Option<&Given> {
        self.all().rev().find(|given| given.name == name)
    }

    /// The names of all values that were given.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|given| given.name.as_str())
    }

    /// The names of values that were given by `-var`.
    pub(crate) fn argument_names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|given| given.by == By::Argument).map(|given| given.name.as_str())
    }
}

/// The members of a file that is a JSON object.
fn object(file: &Source) -> Result<Vec<Member>, TemplateErrors> {
    let root = json::parse(file).map_err(|error| TemplateErrors::new(vec![error]))?;
    let Value::Object(members) = root.value else {
        let message = format!("a variables file is an object, this is {}", root.kind());
        return Err(TemplateErrors::new(vec![TemplateError::new(file, root.span.clone(), message)]));
    };
    Ok(members)
}

/// A scalar as Packer turns an option into a string: a boolean becomes `1` or `0` (mapstructure's weak decoding). Packer
/// 1.6.6 wants strings in `variables`; here both are read alike.
pub(crate) fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(text) => Some(number(text)),
        Value::Boolean(value) => Some(u8::from(*value).to_string()),
        Value::Null | Value::Array(_) | Value::Set(_) | Value::Object(_) => None,
    }
}

/// A number without exponent, as Go's `FormatFloat(…, 'f', -1, 64)` writes it. Whole numbers stay as they are.
pub(crate) fn number(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return text.to_owned();
    }
    text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(variables: &Variables, name: &str) -> Option<String> {
        variables.find(name).and_then(|given| scalar(&given.node))
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
    fn refuses_what_is_no_object() {
        assert!(Variables::default().add_file(&Source::new("v", "[]")).is_err());
        assert_eq!(Variables::default().add_argument("novalue"), Err(BadVariable("novalue".to_owned())));
        assert_eq!(Variables::default().add_argument("=x"), Err(BadVariable(String::new())));
    }
}
