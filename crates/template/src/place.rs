//! Texts, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::NamedSource;

/// Says that a text is in UTF-8, where anything has to.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file that is no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line} is not encoded in UTF-8; save the file in that encoding")]
pub struct NotUtf8 {
    /// Name of the file.
    pub name: String,
    /// The first line that is not.
    pub line: usize,
}

/// A text with the name that people know it by. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source(pub(crate) Arc<NamedSource<String>>);

impl Source {
    /// A text and its name, which is usually its path.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self(Arc::new(NamedSource::new(name, text.to_owned())))
    }

    /// A file's content. A byte order mark, which some editors put before it, is no part of the text.
    ///
    /// # Errors
    /// When it is not in UTF-8.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, NotUtf8> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            NotUtf8 { name: name.to_owned(), line: before.iter().filter(|byte| **byte == b'\n').count() + 1 }
        })?;
        Ok(Self::new(name, text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)))
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

/// The texts of one template, laid end to end: a [`Span`] counts from the start of the first one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources(Vec<(usize, Source)>);

impl Sources {
    /// Puts a text behind the others, and answers where it starts.
    pub(crate) fn add(&mut self, source: &Source) -> usize {
        // One byte lies between two texts, so that the end of one is not the start of the next.
        let start = self.0.last().map_or(0, |(start, last)| start + last.text().len() + 1);
        self.0.push((start, source.clone()));
        start
    }

    /// The text that `span` starts in, and the span within it.
    pub(crate) fn find(&self, span: &Span) -> (Source, Span) {
        let after = self.0.partition_point(|(start, _)| *start <= span.start);
        let (start, source) = after
            .checked_sub(1)
            .and_then(|index| self.0.get(index))
            .map_or_else(|| (0, Source::new("", "")), |(start, source)| (*start, source.clone()));
        let end = span.end.saturating_sub(start).min(source.text().len());
        (source, (span.start - start).min(end)..end)
    }

    /// The bytes of `span`.
    pub(crate) fn text(&self, span: &Span) -> String {
        let (source, span) = self.find(span);
        source.text().get(span).unwrap_or("").to_owned()
    }

    /// Where the byte at `offset` is.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let (source, span) = self.find(&(offset..offset));
        source.place(span.start)
    }
}

impl From<&Source> for Sources {
    fn from(source: &Source) -> Self {
        Self(vec![(0, source.clone())])
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

/// Bytes of a text, or of a template's texts, `start..end`.
pub(crate) type Span = Range<usize>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_behind_its_byte_order_mark() {
        let source = Source::from_bytes("a.pkr.hcl", b"\xef\xbb\xbflocals {}\n").expect("UTF-8");
        assert_eq!(source.text(), "locals {}\n");
        assert_eq!(Source::from_bytes("a", "é".as_bytes()).expect("UTF-8").text(), "é");
    }

    #[test]
    fn a_file_in_another_encoding_is_refused_at_its_line() {
        let error = Source::from_bytes("a.pkr.hcl", b"locals {\n  a = \"caf\xe9\"\n}\n").expect_err("Latin-1");
        assert_eq!(error.to_string(), "a.pkr.hcl:2 is not encoded in UTF-8; save the file in that encoding");
    }
}
