//! A block's body as the object that the readers of options take.

use hcl_edit::expr::Expression;

use super::config::Attribute;
use super::config::Block;
use super::config::Body;
use super::config::Label;
use super::config::Written;
use super::eval::Eval;
use super::eval::Frame;
use super::schema;
use crate::go::Fault;
use crate::place::Span;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// The attributes and nested blocks of `block`; what is wrong is reported. A nested block is a member that is an object, or a
/// list of objects where there are several of its kind.
pub(super) fn object(eval: &Eval<'_>, block: &Block) -> Node {
    let members = members(eval, &block.body);
    Node { span: block.kind_span.clone(), value: Value::Object(members) }
}

/// As [`object`], with what `further` adds. An attribute can be set once only, as in Packer. (hcl.MergeBodies)
pub(super) fn merged(eval: &Eval<'_>, block: &Block, further: Option<&Body>) -> Node {
    let mut block = block.clone();
    if let Some(further) = further {
        block.body.blocks.extend(further.blocks.iter().cloned());
    }
    for attribute in further.into_iter().flat_map(|further| &further.attributes) {
        match block.body.attributes.iter_mut().find(|known| known.key == attribute.key) {
            None => block.body.attributes.push(attribute.clone()),
            Some(known) => {
                if !append(&mut known.expression, &attribute.expression) {
                    let message = format!(
                        "`{}` is set by the source already: a build adds to it, and changes nothing",
                        known.key
                    );
                    let help = "set it in the source by a variable, or make a second source".to_owned();
                    report(eval, Fault::new(&attribute.key_span, message).with_help(Some(help)));
                }
            }
        }
    }
    object(eval, &block)
}

/// Puts lists of objects together: in JSON, they are blocks.
fn append(known: &mut Written, further: &Written) -> bool {
    let (
        Written::Json(Node { value: Value::Array(known), .. }),
        Written::Json(Node { value: Value::Array(further), .. }),
    ) = (known, further)
    else {
        return false;
    };
    let are_blocks = known.iter().chain(further).all(|node| matches!(node.value, Value::Object(_)));
    if are_blocks {
        known.extend(further.iter().cloned());
    }
    are_blocks
}

fn report(eval: &Eval<'_>, fault: Fault) {
    if let Some(values) = eval.values {
        values.report(fault);
    }
}

fn members(eval: &Eval<'_>, body: &Body) -> Vec<Member> {
    let mut members = Vec::new();
    for attribute in &body.attributes {
        match eval.written(&attribute.expression) {
            Ok(node) => members.push(member(attribute, in_words(node))),
            Err(fault) => {
                report(eval, fault);
                // It is there, so that nobody misses it too, and fits whatever it is for.
                let node = Node { span: attribute.expression.span(), value: Value::unknown() };
                members.push(member(attribute, node));
            }
        }
    }
    for block in &body.blocks {
        if block.kind == "dynamic" {
            if let Err(fault) = dynamic(eval, block, &mut members) {
                report(eval, fault);
            }
            continue;
        }
        if let Some(label) = block.labels.first() {
            report(eval, Fault::new(&label.span, format!("the block `{}` has no label here", block.kind)));
            continue;
        }
        add(&mut members, &block.kind, &block.kind_span, object(eval, block));
    }
    members
}

fn member(attribute: &Attribute, node: Node) -> Member {
    Member { key: attribute.key.clone(), key_span: attribute.key_span.clone(), node }
}

/// The same value with booleans as HCL turns them into strings: `true`, where JSON's readers would have `1`.
fn in_words(mut node: Node) -> Node {
    if let Value::Set(elements) = node.value {
        node.value = Value::Array(elements);
    }
    match &mut node.value {
        Value::Boolean(value) => node.value = Value::Text(value.to_string()),
        Value::Array(elements) => {
            for element in elements {
                let inner = std::mem::replace(element, Node::from(Value::Null));
                *element = in_words(inner);
            }
        }
        Value::Object(members) => {
            for member in members {
                let inner = std::mem::replace(&mut member.node, Node::from(Value::Null));
                member.node = in_words(inner);
            }
        }
        _ => {}
    }
    node
}

/// Puts a nested block to those of its kind.
fn add(members: &mut Vec<Member>, key: &str, key_span: &Span, node: Node) {
    match members.iter_mut().find(|member| member.key == key) {
        None => members.push(Member { key: key.to_owned(), key_span: key_span.clone(), node }),
        Some(Member { node: Node { value: Value::Array(elements), .. }, .. }) => elements.push(node),
        Some(member) => {
            let span = member.node.span.clone();
            let first = std::mem::replace(&mut member.node, Node { span, value: Value::Null });
            member.node.value = Value::Array(vec![first, node]);
        }
    }
}

fn dynamic(eval: &Eval<'_>, block: &Block, into: &mut Vec<Member>) -> Result<(), Fault> {
    let dynamic = Dynamic::read(eval, block)?;
    let is_there = into.iter().any(|member| member.key == block.label(0));
    if dynamic.values.is_empty() && !is_there {
        // Its name is looked at even so.
        let span = block.labels.first().map_or(&block.kind_span, |label| &label.span);
        let none = Node { span: span.clone(), value: Value::Array(Vec::new()) };
        into.push(Member { key: block.label(0).to_owned(), key_span: span.clone(), node: none });
    }
    for value in &dynamic.values {
        let frame = Frame { name: dynamic.iterator, value: value.clone(), outer: eval.frame };
        let inner = Eval { frame: Some(&frame), ..*eval };
        add(into, block.label(0), &block.kind_span, object(&inner, dynamic.content));
    }
    Ok(())
}

/// `dynamic "kind" { for_each = …, iterator = name, labels = […], content { … } }`: one block for each element.
pub(super) struct Dynamic<'a> {
    /// What the content knows each element by.
    pub(super) iterator: &'a str,
    /// `{ key = …, value = … }` of each element.
    pub(super) values: Vec<Node>,
    pub(super) content: &'a Block,
}

impl<'a> Dynamic<'a> {
    pub(super) fn read(eval: &Eval<'_>, block: &'a Block) -> Result<Self, Fault> {
        let missing = |name: &str| Fault::new(&block.kind_span, format!("{} needs `{name}`", block.title()));
        let strangers =
            schema::strangers("a dynamic block", &block.body, &["for_each", "iterator", "labels"], &["content"]);
        if let Some(fault) = strangers.into_iter().next() {
            return Err(fault);
        }
        let each = block.body.find("for_each").ok_or_else(|| missing("for_each"))?;
        let mut contents = block.body.blocks_of("content");
        let content = contents.next().ok_or_else(|| missing("content"))?;
        if let Some(second) = contents.next() {
            return Err(Fault::new(&second.kind_span, "a dynamic block has one `content`"));
        }
        let iterator = match block.body.find("iterator").map(|attribute| &attribute.expression) {
            Some(Written::Native { expression: Expression::Variable(name), .. }) => name.as_str(),
            Some(Written::Json(Node { value: Value::Text(name), .. })) => name,
            Some(other) => return Err(Fault::new(&other.span(), "`iterator` is a bare name")),
            None => block.label(0),
        };
        let node = eval.written(&each.expression)?;
        let entries = node.entries().or(node.is_unknown().then(Vec::new)).ok_or_else(|| {
            Fault::new(&node.span, format!("`for_each` must be a list or an object, this is {}", node.kind()))
        })?;
        let value = |(key, value): (Node, Node)| {
            Value::object([("key".to_owned(), key.value), ("value".to_owned(), value.value)]).into()
        };
        Ok(Self { iterator, values: entries.into_iter().map(value).collect(), content })
    }

    /// The labels of the block for one element.
    pub(super) fn labels(&self, inner: &Eval<'_>, block: &Block) -> Result<Vec<Label>, Fault> {
        let Some(attribute) = block.body.find("labels") else { return Ok(Vec::new()) };
        let node = inner.written(&attribute.expression)?;
        let entries = node.entries().unwrap_or_default();
        let label = |(_, node): (Node, Node)| node.to_text().map(|text| Label { text, span: node.span.clone() });
        Ok(entries.into_iter().filter_map(label).collect())
    }
}
