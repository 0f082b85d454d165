//! Texts, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::NamedSource;

/// A text with the name that people know it by. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source(pub(crate) Arc<NamedSource<String>>);

impl Source {
    /// A text and its name, which is usually its path.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self(Arc::new(NamedSource::new(name, text.to_owned())))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.inner()
    }

    /// Where the byte at `offset` is. An offset past the end is the end.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        let before = &self.text()[..floor(self.text(), offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            file: self.name().to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The nearest start of a character at or before `offset`.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or(0)
}

/// A line and column for people, both from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the text.
    pub file: String,
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Bytes of a text, `start..end`.
pub(crate) type Span = Range<usize>;
