//! Template strings that are rendered when the source image is known.

use std::collections::BTreeMap;

use crate::go;
use crate::go::Expression;
use crate::go::Literal;
use crate::go::Part;
use crate::go::apply_text;

/// A text with values of the source image in it, such as `based on {{.SourceAMIName}}`. All else was worked out already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred(Vec<Part>);

/// The values that a [`Deferred`] may ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceAmi {
    /// `ami-…`: `.SourceAMI`.
    pub id: String,
    /// `.SourceAMIName`.
    pub name: String,
    /// As the API writes it: `.SourceAMICreationDate`.
    pub creation_date: String,
    /// Account: `.SourceAMIOwner`.
    pub owner: String,
    /// Alias such as `amazon`, or empty: `.SourceAMIOwnerName`.
    pub owner_name: String,
    /// `.SourceAMITags.KEY`.
    pub tags: BTreeMap<String, String>,
    /// Region of the bake: `.BuildRegion`.
    pub region: String,
    /// Values of the bake itself by Packer's name, such as `User`, `ConnType`, and, of a launched instance, `ID` and `Host`.
    pub instance: BTreeMap<String, String>,
}

/// Why a text cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The source image has no such tag.
    #[error(
        "the source image {image} has no tag `{tag}`; remove {{{{.SourceAMITags.{tag}}}}} from the template or choose an image that has it"
    )]
    NoTag {
        /// `ami-…`.
        image: String,
        /// The tag's key.
        tag: String,
    },
    /// The bake has no such value: a direct bake has no instance.
    #[error("this bake has no value `{0}`, since no instance was launched for it; remove it from the template")]
    NoValue(String),
    /// A function of the text refuses its arguments.
    #[error("{0}")]
    Refused(String),
}

impl Deferred {
    /// A text without values of the source image.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(if text.is_empty() { Vec::new() } else { vec![Part::Text(text.to_owned())] })
    }

    /// A text of our own with fields in it, which is known to be right.
    pub(crate) fn of_fields(text: &'static str) -> Self {
        go::parse(text).map_or_else(|_| Self::literal(text), Self)
    }

    pub(crate) fn new(parts: Vec<Part>) -> Self {
        Self(parts)
    }

    /// The text, if it needs nothing of the source image.
    #[must_use]
    pub fn find_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The parts of a list that is joined by `separator`, trimmed and without empty ones.
    pub(crate) fn split(self, separator: char) -> Vec<Self> {
        let mut parts = vec![Vec::new()];
        for part in self.0 {
            let Part::Text(text) = part else {
                parts.last_mut().into_iter().for_each(|last| last.push(part.clone()));
                continue;
            };
            for (index, piece) in text.split(separator).enumerate() {
                if index > 0 {
                    parts.push(Vec::new());
                }
                let piece = piece.trim();
                if let (false, Some(last)) = (piece.is_empty(), parts.last_mut()) {
                    last.push(Part::Text(piece.to_owned()));
                }
            }
        }
        parts.into_iter().filter(|part| !part.is_empty()).map(Self).collect()
    }

    /// The text in two, at the first `separator` that is in its plain text.
    pub(crate) fn split_once(&self, separator: char) -> Option<(String, Self)> {
        let Some(Part::Text(first)) = self.0.first() else { return None };
        let (before, after) = first.split_once(separator)?;
        let after = Some(after).filter(|text| !text.is_empty()).map(|text| Part::Text(text.to_owned()));
        Some((before.to_owned(), Self(after.into_iter().chain(self.0.iter().skip(1).cloned()).collect())))
    }

    /// The text with the values of `image`.
    ///
    /// # Errors
    /// When the image lacks a tag, the bake a value, or a function refuses what it is given.
    pub fn render(&self, image: &SourceAmi) -> Result<String, RenderError> {
        self.render_with(image, &BTreeMap::new())
    }

    /// The text with the values of `image` and further ones by their name, such as `Path` and `Vars` of an
    /// `execute_command`.
    ///
    /// # Errors
    /// When the image lacks a tag, the bake a value, or a function refuses what it is given.
    pub fn render_with(&self, image: &SourceAmi, further: &BTreeMap<&str, &str>) -> Result<String, RenderError> {
        Values { image, further }.text(&self.0)
    }
}

struct Values<'a> {
    image: &'a SourceAmi,
    further: &'a BTreeMap<&'a str, &'a str>,
}

impl Values<'_> {
    fn text(&self, parts: &[Part]) -> Result<String, RenderError> {
        let text = |part: &Part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Action(expression) => self.value(expression).map(Literal::into_text),
            Part::Choice { condition, then, otherwise } => {
                self.text(if self.value(condition)?.is_true() { then } else { otherwise })
            }
        };
        parts.iter().map(text).collect()
    }

    fn value(&self, expression: &Expression) -> Result<Literal, RenderError> {
        match expression {
            Expression::Literal(literal) => Ok(literal.clone()),
            Expression::Field { path, .. } => {
                let further = path.first().and_then(|name| self.further.get(name.as_str()));
                further.map_or_else(|| field(path, self.image), |value| Ok((*value).to_owned())).map(Literal::Text)
            }
            Expression::Call { name, arguments, .. } => {
                let arguments = arguments.iter().map(|argument| self.value(argument)).collect::<Result<_, _>>()?;
                apply_text(name, arguments).map_err(|(message, _)| RenderError::Refused(message))
            }
        }
    }
}

fn field(path: &[String], image: &SourceAmi) -> Result<String, RenderError> {
    let name = path.first().map_or("", String::as_str);
    let text = match name {
        "SourceAMI" => &image.id,
        "SourceAMIName" => &image.name,
        "SourceAMICreationDate" => &image.creation_date,
        "SourceAMIOwner" => &image.owner,
        "SourceAMIOwnerName" => &image.owner_name,
        "BuildRegion" => &image.region,
        "SourceAMITags" => {
            let tag = path.get(1).map_or("", String::as_str);
            let missing = || RenderError::NoTag { image: image.id.clone(), tag: tag.to_owned() };
            image.tags.get(tag).ok_or_else(missing)?
        }
        other => image.instance.get(other).ok_or_else(|| RenderError::NoValue(other.to_owned()))?,
    };
    Ok(text.clone())
}
