//! The sources that a build names.

use super::each::each;
use super::text_of;
use crate::go::Fault;
use crate::hcl::config::Block;
use crate::hcl::config::Body;
use crate::hcl::eval::Eval;
use crate::hcl::values::Values;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;

/// A source as a build uses it.
pub(super) struct Use<'a> {
    pub(super) source: &'a Block,
    /// Its own name, or the one that the build gives it.
    pub(super) name: String,
    /// What the build adds to it.
    pub(super) further: Option<Body>,
    /// Where the build names it.
    pub(super) span: Span,
}

/// The sources that a build names, in order.
pub(super) fn uses<'a>(values: &'a Values<'a>, root: &'a Body, block: &'a Block) -> Vec<Use<'a>> {
    let mut uses = Vec::new();
    let mut is_named = false;
    let listed = block.body.find("sources").map(|attribute| values.eval().written(&attribute.expression));
    match listed.transpose() {
        Ok(None) => {}
        Ok(Some(Node { value: Value::Array(elements) | Value::Set(elements), .. })) => {
            is_named |= !elements.is_empty();
            for element in elements {
                uses.extend(find(values, root, &element.to_text().unwrap_or_default(), &element.span));
            }
        }
        Ok(Some(node)) => {
            is_named = true;
            values.report(Fault::new(&node.span, format!("`sources` must be a list, this is {}", node.kind())));
        }
        Err(fault) => {
            is_named = true;
            values.report(fault);
        }
    }
    // Other dynamic blocks may ask for the source.
    let is_source = |block: &&Block| block.kind == "source" || (block.kind == "dynamic" && block.label(0) == "source");
    let nested = block.body.blocks.iter().filter(is_source).cloned().collect();
    let nested = Body { attributes: Vec::new(), blocks: nested };
    each(&values.eval(), &nested, &["source"], &mut |eval, _, nested| {
        is_named = true;
        uses.extend(nested_use(values, root, eval, nested));
    });
    if !is_named {
        let help = "such as sources = [\"source.amazon-ebs.web\"]".to_owned();
        values.report(Fault::new(&block.kind_span, "a build needs at least one source").with_help(Some(help)));
    }
    uses
}

/// A block `source` of a build.
fn nested_use<'a>(values: &'a Values<'a>, root: &'a Body, eval: &Eval<'_>, nested: &Block) -> Option<Use<'a>> {
    let [label] = nested.labels.as_slice() else {
        let help = "such as source \"amazon-ebs.web\" { … }".to_owned();
        values.report(Fault::new(&nested.kind_span, "a source of a build has one label").with_help(Some(help)));
        return None;
    };
    let mut one = find(values, root, &label.text, &label.span)?;
    one.name = text_of(values, eval, nested, "name").unwrap_or(one.name);
    // The name that a build gives a source is no option of the builder.
    let attributes = nested.body.attributes.iter().filter(|attribute| attribute.key != "name");
    one.further = Some(Body { attributes: attributes.cloned().collect(), blocks: nested.body.blocks.clone() });
    Some(one)
}

/// The source that a build names: `source.TYPE.NAME`, or without the first word, which Packer does not read either.
fn find<'a>(values: &'a Values<'a>, root: &'a Body, reference: &str, span: &Span) -> Option<Use<'a>> {
    let words: Vec<&str> = reference.split('.').collect();
    let wanted = match words.as_slice() {
        [_, kind, name, ..] => format!("{kind}.{name}"),
        _ => reference.to_owned(),
    };
    let full = |block: &Block| format!("{}.{}", block.label(0), block.label(1));
    let Some(source) = root.blocks_of("source").find(|block| full(block) == wanted) else {
        let known: Vec<String> = root.blocks_of("source").map(full).collect();
        let help = did_you_mean(&wanted, known.iter().map(String::as_str))
            .or_else(|| Some(format!("there are {}", known.join(", "))).filter(|_| !known.is_empty()));
        values.report(Fault::new(span, format!("there is no source `{wanted}`")).with_help(help));
        return None;
    };
    Some(Use { source, name: source.label(1).to_owned(), further: None, span: span.clone() })
}
