//! What is wrong with a template, and where.

use std::error::Error;
use std::fmt;

use miette::Diagnostic;
use miette::LabeledSpan;
use miette::SourceCode;

use crate::place::Place;
use crate::place::Source;
use crate::place::Span;
use crate::recipe::Recipe;
use crate::snippet;

/// One thing that is wrong with a template.
#[derive(Clone, Debug)]
pub struct TemplateError {
    message: String,
    help: Option<String>,
    span: Span,
    text: Source,
    /// Whether the line that it is in stays unseen, since it may hold a secret.
    is_unseen: bool,
}

impl TemplateError {
    pub(crate) fn new(text: &Source, span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span, text: text.clone(), is_unseen: false }
    }

    #[must_use]
    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The same, of which the place is shown and not the line.
    #[must_use]
    pub(crate) fn without_line(self) -> Self {
        Self { is_unseen: true, ..self }
    }

    /// The same, with nothing in its sentences or the line under them that must never be shown.
    pub(crate) fn masked(self, recipe: &Recipe) -> Self {
        // As many bytes as there were, so that the carets stay under what they point at.
        let hide = |text: String, secret: &String| text.replace(secret.as_str(), &"*".repeat(secret.len()));
        let text = recipe.longest_secrets_first().into_iter().fold(self.text.text().to_owned(), hide);
        Self {
            message: recipe.masked(&self.message),
            help: self.help.map(|help| recipe.masked(&help)),
            text: Source::new(self.text.name(), &text),
            ..self
        }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Place {
        self.text.place(self.span.start)
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.message == other.message && self.span == other.span && self.text.name() == other.text.name()
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for TemplateError {}

impl Diagnostic for TemplateError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.is_unseen).then_some(&*self.text.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.is_unseen).then(|| -> Box<dyn Iterator<Item = LabeledSpan>> {
            Box::new(std::iter::once(LabeledSpan::underline(self.span.clone())))
        })
    }
}

/// Everything that is wrong with a template, by file and in the order of its text. Never empty.
///
/// `Display` shows each error with its file, line and a caret under the spot.
#[derive(Clone, Debug)]
pub struct TemplateErrors(Vec<TemplateError>);

impl TemplateErrors {
    /// Sorts the errors and drops those that say the same of the same spot.
    pub(crate) fn new(mut errors: Vec<TemplateError>) -> Self {
        let order = |error: &TemplateError| (error.text.name().to_owned(), error.span.start, error.message.clone());
        errors.sort_by_cached_key(order);
        errors.dedup_by(|one, other| one.is_same(other));
        Self(errors)
    }

    /// The same, of which places are shown and no lines.
    pub(crate) fn without_lines(self) -> Self {
        Self(self.0.into_iter().map(TemplateError::without_line).collect())
    }

    /// The errors.
    #[must_use]
    pub fn errors(&self) -> &[TemplateError] {
        &self.0
    }
}

impl fmt::Display for TemplateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            writeln!(f, "error: {error}")?;
            if error.is_unseen {
                snippet::write_place(f, &error.text, &error.span)?;
            } else {
                snippet::write(f, &error.text, &error.span)?;
            }
            if let Some(help) = &error.help {
                writeln!(f, "  = help: {help}")?;
            }
        }
        Ok(())
    }
}

impl Error for TemplateErrors {}

impl Diagnostic for TemplateErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|error| error as &dyn Diagnostic)))
    }
}
