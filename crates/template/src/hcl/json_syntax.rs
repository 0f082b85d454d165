//! HCL written as JSON: which members are blocks is known from the kind of the block that they stand in.
//! (github.com/hashicorp/hcl/blob/main/json/spec.md)

use super::config::Attribute;
use super::config::Block;
use super::config::Body;
use super::config::Label;
use super::config::Written;
use crate::fault::TemplateError;
use crate::json;
use crate::place::Source;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// The kinds of blocks within `parent` (empty: the file), and how many labels each has. All else are attributes; a nested
/// block of a source is read like an attribute that is an object.
fn kinds(parent: &str) -> &'static [(&'static str, usize)] {
    match parent {
        "" => &[
            ("packer", 0),
            ("variable", 1),
            ("variables", 0),
            ("local", 1),
            ("locals", 0),
            ("source", 2),
            ("data", 2),
            ("build", 0),
            ("communicator", 2),
            ("hcp_packer_registry", 0),
        ],
        "packer" => &[("required_plugins", 0)],
        "variable" => &[("validation", 0)],
        "build" => &[
            ("source", 1),
            ("provisioner", 1),
            ("error-cleanup-provisioner", 1),
            ("post-processor", 1),
            ("post-processors", 0),
            ("dynamic", 1),
            ("hcp_packer_registry", 0),
        ],
        "post-processors" => &[("post-processor", 1), ("dynamic", 1)],
        "source" | "data" | "provisioner" | "error-cleanup-provisioner" | "post-processor" => &[("dynamic", 1)],
        "dynamic" => &[("content", 0)],
        // Of any kind of block; one of them alone has blocks that are not attributes too.
        "content" => &[("post-processor", 1), ("dynamic", 1)],
        _ => &[],
    }
}

/// Reads `source`, whose text starts at `start`.
pub(crate) fn parse(source: &Source, start: usize) -> Result<Body, TemplateError> {
    let root = json::parse(source)?;
    let wrong = |node: &Node, message: String| TemplateError::new(source, node.span.clone(), message);
    let mut body = body("", &root, &wrong)?;
    body.shift(start);
    Ok(body)
}

type Wrong<'a> = &'a dyn Fn(&Node, String) -> TemplateError;

fn body(kind: &str, node: &Node, wrong: Wrong<'_>) -> Result<Body, TemplateError> {
    let title = if kind.is_empty() { "a template" } else { kind };
    let Value::Object(members) = &node.value else {
        return Err(wrong(node, format!("{title} must be an object, this is {}", node.kind())));
    };
    let mut body = Body::default();
    // `//` is a comment of HCL's JSON, `_…` one of Packer's.
    for member in members.iter().filter(|member| member.key != "//" && !member.key.starts_with('_')) {
        match kinds(kind).iter().find(|(kind, _)| *kind == member.key) {
            Some((_, labels)) => blocks(member, &member.node, *labels, &mut Vec::new(), &mut body, wrong)?,
            None => body.attributes.push(Attribute {
                key: member.key.clone(),
                key_span: member.key_span.clone(),
                expression: Written::Json(member.node.clone()),
            }),
        }
    }
    Ok(body)
}

/// One block, or a list of blocks; each label is a level of objects.
fn blocks(
    head: &Member,
    node: &Node,
    missing_labels: usize,
    labels: &mut Vec<Label>,
    into: &mut Body,
    wrong: Wrong<'_>,
) -> Result<(), TemplateError> {
    match &node.value {
        Value::Array(elements) => {
            elements.iter().try_for_each(|element| blocks(head, element, missing_labels, labels, into, wrong))
        }
        Value::Object(members) if missing_labels > 0 => {
            for member in members {
                labels.push(Label { text: member.key.clone(), span: member.key_span.clone() });
                blocks(head, &member.node, missing_labels - 1, labels, into, wrong)?;
                labels.pop();
            }
            Ok(())
        }
        _ => {
            into.blocks.push(Block {
                kind: head.key.clone(),
                kind_span: head.key_span.clone(),
                labels: labels.clone(),
                body: body(&head.key, node, wrong)?,
            });
            Ok(())
        }
    }
}

impl Body {
    fn shift(&mut self, by: usize) {
        for attribute in &mut self.attributes {
            shift(&mut attribute.key_span, by);
            if let Written::Json(node) = &mut attribute.expression {
                node.shift(by);
            }
        }
        for block in &mut self.blocks {
            shift(&mut block.kind_span, by);
            block.labels.iter_mut().for_each(|label| shift(&mut label.span, by));
            block.body.shift(by);
        }
    }
}

fn shift(span: &mut crate::place::Span, by: usize) {
    *span = span.start + by..span.end + by;
}
