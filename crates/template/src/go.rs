//! The part of Go's `text/template` that Packer templates use: text with `{{ … }}` actions of function calls, strings,
//! numbers, fields, pipes, parentheses, `if` and trim markers. (golang.org/pkg/text/template)

mod fold;
mod functions;
mod layout;
mod lex;
mod logic;
mod parse;
mod strings;

use crate::place::Span;

pub(crate) use fold::fold;
pub(crate) use fold::undeclared;
pub(crate) use functions::BUILD_VALUES;
pub(crate) use functions::ESCAPE_LATER;
pub(crate) use functions::apply_text;
pub(crate) use functions::call;
pub(crate) use functions::instead_of;
pub(crate) use parse::parse;

/// What is wrong with a template string; the span counts in the string's own bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Fault {
    pub(crate) fn new(span: &Span, message: impl Into<String>) -> Self {
        Self { span: span.clone(), message: message.into(), help: None }
    }

    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Whether this only follows from a variable whose own fault was reported; it then has no message.
    pub(crate) fn was_reported(&self) -> bool {
        self.message.is_empty()
    }
}

/// A piece of a template string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Action(Expression),
    /// `{{if …}} … {{else}} … {{end}}`
    Choice {
        condition: Expression,
        then: Vec<Self>,
        otherwise: Vec<Self>,
    },
}

/// A value, or how to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    Literal(Literal),
    /// `.A.B`
    Field {
        path: Vec<String>,
        span: Span,
    },
    /// A function and its arguments; a piped value is the last argument.
    Call {
        name: String,
        arguments: Vec<Self>,
        span: Span,
    },
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

impl Literal {
    /// What `if` makes of it: empty and zero are false.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Integer(number) => *number != 0,
            Self::Boolean(value) => *value,
        }
    }

    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Integer(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
