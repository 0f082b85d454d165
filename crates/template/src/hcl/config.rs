//! The blocks and attributes of a configuration, whichever syntax they were written in.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Structure;

use super::syntax;
use super::syntax::Invalid;
use crate::fault::TemplateError;
use crate::place::Source;
use crate::place::Span;
use crate::tree::Node;

/// `kind "label" { … }`.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) kind_span: Span,
    pub(crate) labels: Vec<Label>,
    pub(crate) body: Body,
}

/// A name behind a block's kind.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// What stands between a block's braces, or in a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) blocks: Vec<Block>,
}

/// `key = expression`.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) expression: Written,
}

/// An expression that is not worked out yet.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    /// In HCL's own syntax; spans in it count from `start`.
    Native { expression: Expression, start: usize },
    /// In JSON, whose strings are HCL's templates.
    Json(Node),
}

impl Written {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Native { expression, start } => shifted(expression.span(), *start),
            Self::Json(node) => node.span.clone(),
        }
    }
}

impl Block {
    /// The kind and labels, for messages: `source "amazon-ebs" "web"`.
    pub(crate) fn title(&self) -> String {
        let labels = self.labels.iter().map(|label| format!(" \"{}\"", label.text));
        std::iter::once(self.kind.clone()).chain(labels).collect()
    }

    /// The label at `index`; a missing one is empty.
    pub(crate) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |label| &label.text)
    }
}

impl Body {
    pub(crate) fn find(&self, key: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.key == key)
    }

    pub(crate) fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// A span of hcl-edit, counted from `start`.
pub(crate) fn shifted(span: Option<Span>, start: usize) -> Span {
    let span = span.unwrap_or(0..0);
    span.start + start..span.end + start
}

/// Reads `source`, whose text starts at `start`, in HCL's own syntax.
pub(crate) fn parse(source: &Source, start: usize) -> Result<Body, TemplateError> {
    let body = syntax::body(source.text()).map_err(|invalid| syntax_error(source, &invalid))?;
    Ok(self::body(body, start))
}

/// What is said of a text that is not HCL.
fn syntax_error(source: &Source, invalid: &Invalid) -> TemplateError {
    let start = invalid.offset;
    let length = source.text().get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    TemplateError::new(source, start..start + length, format!("this is no valid HCL: {}", invalid.message))
}

fn body(body: hcl_edit::structure::Body, start: usize) -> Body {
    let mut read = Body::default();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => read.attributes.push(Attribute {
                key: attribute.key.value().to_string(),
                key_span: shifted(attribute.key.span(), start),
                expression: Written::Native { expression: attribute.value, start },
            }),
            Structure::Block(block) => {
                let label = |label: &hcl_edit::structure::BlockLabel| Label {
                    text: label.as_str().to_owned(),
                    span: shifted(label.span(), start),
                };
                read.blocks.push(Block {
                    kind: block.ident.value().to_string(),
                    kind_span: shifted(block.ident.span(), start),
                    labels: block.labels.iter().map(label).collect(),
                    body: self::body(block.body, start),
                });
            }
        }
    }
    read
}
