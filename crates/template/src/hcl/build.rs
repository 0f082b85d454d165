//! The blocks `source` and `build`: one build for each source that a `build` names.

use super::body;
use super::config::Block;
use super::config::Body;
use super::eval::BuildNames;
use super::eval::Eval;
use super::eval::Frame;
use super::values::Values;
use crate::builder;
use crate::go::Fault;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::post_processor;
use crate::post_processor::PostProcessor;
use crate::provisioner;
use crate::recipe::Build;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// A source as a build uses it.
struct Use<'a> {
    source: &'a Block,
    /// Its own name, or the one that the build gives it.
    name: String,
    /// What the build adds to it.
    further: Option<Body>,
}

/// A build with the sequences of post-processors that are for it.
pub(super) type Read = (Build, Vec<Vec<PostProcessor>>);

const ATTRIBUTES: [&str; 3] = ["name", "description", "sources"];

/// Reads one `build` block.
pub(super) fn read<'a>(values: &'a Values<'a>, root: &'a Body, block: &'a Block) -> Vec<Read> {
    for attribute in block.body.attributes.iter().filter(|attribute| !ATTRIBUTES.contains(&attribute.key.as_str())) {
        let help = did_you_mean(&attribute.key, ATTRIBUTES);
        values.report(Fault::new(&attribute.key_span, format!("a build has no `{}`", attribute.key)).with_help(help));
    }
    let title = text(values, block, "name").unwrap_or_default();
    let uses = uses(values, root, block);
    let names: Vec<String> = uses.iter().map(|one| one.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let known: Vec<String> = uses.iter().map(|one| format!("{}.{}", one.source.label(0), one.name)).collect();
    uses.iter().filter_map(|one| build(values, block, one, &title, &names, &known)).collect()
}

/// An attribute of a build that is a string.
pub(super) fn text<'a>(values: &'a Values<'a>, block: &'a Block, name: &str) -> Option<String> {
    let attribute = block.body.find(name)?;
    match values.eval().written(&attribute.expression) {
        Ok(node) => node.to_text().filter(|text| !text.is_empty()),
        Err(fault) => {
            values.report(fault);
            None
        }
    }
}

/// The sources that a build names, in order.
fn uses<'a>(values: &'a Values<'a>, root: &'a Body, block: &'a Block) -> Vec<Use<'a>> {
    let mut uses = Vec::new();
    let listed = block.body.find("sources").map(|attribute| values.eval().written(&attribute.expression));
    match listed.transpose() {
        Ok(None) => {}
        Ok(Some(Node { value: Value::Array(elements), .. })) => {
            for element in elements {
                uses.extend(find(values, root, &element.to_text().unwrap_or_default(), &element.span, None));
            }
        }
        Ok(Some(node)) => {
            values.report(Fault::new(&node.span, format!("`sources` must be a list, this is {}", node.kind())));
        }
        Err(fault) => values.report(fault),
    }
    for nested in block.body.blocks_of("source") {
        let span = nested.labels.first().map_or(&nested.kind_span, |label| &label.span);
        let reference: Vec<&str> = nested.labels.iter().map(|label| label.text.as_str()).collect();
        uses.extend(find(values, root, &reference.join("."), span, Some(nested)));
    }
    if uses.is_empty() && block.body.find("sources").is_none() && block.body.blocks_of("source").next().is_none() {
        let help = "such as sources = [\"source.amazon-ebs.web\"]".to_owned();
        values.report(Fault::new(&block.kind_span, "a build needs at least one source").with_help(Some(help)));
    }
    uses
}

fn find<'a>(
    values: &'a Values<'a>,
    root: &'a Body,
    reference: &str,
    span: &Span,
    nested: Option<&'a Block>,
) -> Option<Use<'a>> {
    let wanted = reference.strip_prefix("source.").unwrap_or(reference);
    let full = |block: &Block| format!("{}.{}", block.label(0), block.label(1));
    let Some(source) = root.blocks_of("source").find(|block| full(block) == wanted) else {
        let known: Vec<String> = root.blocks_of("source").map(full).collect();
        let help = did_you_mean(wanted, known.iter().map(String::as_str))
            .or_else(|| Some(format!("there are {}", known.join(", "))).filter(|_| !known.is_empty()));
        values.report(Fault::new(span, format!("there is no source `{wanted}`")).with_help(help));
        return None;
    };
    let name = nested.and_then(|nested| text(values, nested, "name")).unwrap_or_else(|| source.label(1).to_owned());
    // The name that a build gives a source is no option of the builder.
    let further = nested.map(|nested| Body {
        attributes: nested.body.attributes.iter().filter(|attribute| attribute.key != "name").cloned().collect(),
        blocks: nested.body.blocks.clone(),
    });
    Some(Use { source, name, further })
}

/// Reads the builder and the provisioners of one source.
fn build<'a>(
    values: &'a Values<'a>,
    block: &'a Block,
    one: &Use<'a>,
    title: &str,
    locals: &[&str],
    known: &[String],
) -> Option<Read> {
    let kind = one.source.label(0);
    let names =
        BuildNames { source: one.name.clone(), kind: kind.to_owned(), build: title.to_owned(), is_source: false };
    let eval = Eval { build: Some(&names), ..values.eval() };
    let own = format!("{kind}.{}", one.name);
    let user = |_: &str| Found::NotInHcl;
    let scope = Scope {
        context: values.context,
        user: &user,
        build: Some((&one.name, kind)),
        position: Position::Option,
        further: &[],
        uuids: values.uuids,
    };

    let of_source = BuildNames { is_source: true, ..names.clone() };
    let source = body::merged(&Eval { build: Some(&of_source), ..eval }, one.source, one.further.as_ref());
    let place = values.findings.source.place(one.source.kind_span.start);
    let builder = builder::read(kind, &source, values.findings, scope, &place);

    let mut provisioners = Vec::new();
    let mut error_cleanup = None;
    let mut sequences = Vec::new();
    let selection = Selection { values, own: &own, known };
    each(&eval, &block.body, &mut |eval, kind, block| match kind {
        "provisioner" => {
            let node = selection.member(eval, block);
            let read = |node: Node| provisioner::read(&node, values.findings, scope, locals);
            provisioners.extend(node.and_then(read));
        }
        "post-processor" => sequences.push(vec![selection.member(eval, block)]),
        "post-processors" => {
            sequences.push(block.body.blocks.iter().map(|block| selection.member(eval, block)).collect());
        }
        "error-cleanup-provisioner" => {
            let node = selection.member(eval, block);
            let read = |node: Node| provisioner::read(&node, values.findings, scope, locals);
            if error_cleanup.is_some() {
                values.report(Fault::new(&block.kind_span, "a build has one error-cleanup-provisioner at most"));
            }
            error_cleanup = node.and_then(read).or_else(|| error_cleanup.take());
        }
        "hcp_packer_registry" => {
            values.findings.note(
                &block.kind_span,
                kind,
                "images are found by their tags; `ovenbird promote` moves pointers",
            );
        }
        "source" => {}
        _ => {
            let help = did_you_mean(
                kind,
                ["source", "provisioner", "post-processor", "post-processors", "error-cleanup-provisioner"],
            );
            values.report(Fault::new(&block.kind_span, format!("a build has no block `{kind}`")).with_help(help));
        }
    });
    let sequences: Vec<Vec<Node>> =
        sequences.into_iter().map(|sequence| sequence.into_iter().flatten().collect()).collect();
    let post_processors = sequences.iter().filter(|sequence| !sequence.is_empty()).flat_map(|sequence| {
        let list = Node {
            span: block.kind_span.clone(),
            value: Value::Array(vec![Node { span: block.kind_span.clone(), value: Value::Array(sequence.clone()) }]),
        };
        post_processor::read_all(&list, values.findings, scope, locals)
    });
    let post_processors = post_processors.collect();
    let name = if title.is_empty() { own.clone() } else { format!("{title}.{own}") };
    Some((Build { name, builder: builder?, provisioners, error_cleanup, place }, post_processors))
}

/// Which blocks are for a build.
struct Selection<'a> {
    values: &'a Values<'a>,
    /// `amazon-ebs.web`
    own: &'a str,
    /// The sources of the whole `build`.
    known: &'a [String],
}

impl Selection<'_> {
    /// The options of a labelled block, if it is for this build.
    fn member(&self, eval: &Eval<'_>, block: &Block) -> Option<Node> {
        let Some(label) = block.labels.first() else {
            let message = format!("`{}` needs a type: {} \"shell\" {{ … }}", block.kind, block.kind);
            self.values.report(Fault::new(&block.kind_span, message));
            return None;
        };
        let mut node = body::object(eval, block);
        node.span = label.span.clone();
        let only = take(&mut node, "only").map(|node| self.names(&node));
        let except = take(&mut node, "except").map(|node| self.names(&node));
        let is_named = |names: Vec<String>| names.iter().any(|name| name == self.own);
        let is_for_it = only.filter(|only| !only.is_empty()).is_none_or(is_named) && !except.is_some_and(is_named);
        if block.kind != "post-processor" {
            // It is shown by Packer while it runs, and means nothing else.
            take(&mut node, "name");
        }
        let kind = Node { span: label.span.clone(), value: Value::text(&label.text) };
        if let Value::Object(members) = &mut node.value {
            members.push(Member { key: "type".to_owned(), key_span: label.span.clone(), node: kind });
        }
        is_for_it.then_some(node)
    }

    /// Names of sources; one that the build does not use is noted, since it may be switched off for a while.
    fn names(&self, node: &Node) -> Vec<String> {
        let Value::Array(elements) = &node.value else {
            self.values
                .report(Fault::new(&node.span, format!("this must be a list of sources, it is {}", node.kind())));
            return Vec::new();
        };
        let mut names = Vec::new();
        for element in elements {
            let text = element.to_text().unwrap_or_default();
            let name = text.strip_prefix("source.").unwrap_or(&text).to_owned();
            if !self.known.contains(&name) {
                let near = did_you_mean(&name, self.known.iter().map(String::as_str));
                let near = near.map(|near| format!("; {near}")).unwrap_or_default();
                self.values.findings.note(&element.span, &name, &format!("the build has no such source{near}"));
            }
            names.push(name);
        }
        names
    }
}

/// Takes a member out of an object.
fn take(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Object(members) = &mut node.value else { return None };
    let index = members.iter().position(|member| member.key == key)?;
    Some(members.remove(index).node)
}

/// Calls `visit` with every nested block in order; `dynamic` ones are unfolded.
fn each(eval: &Eval<'_>, body: &Body, visit: &mut dyn FnMut(&Eval<'_>, &str, &Block)) {
    for block in &body.blocks {
        if block.kind != "dynamic" {
            visit(eval, &block.kind, block);
        } else if let Err(fault) = unfold(eval, block, visit)
            && let Some(values) = eval.values
        {
            values.report(fault);
        }
    }
}

fn unfold(eval: &Eval<'_>, block: &Block, visit: &mut dyn FnMut(&Eval<'_>, &str, &Block)) -> Result<(), Fault> {
    let dynamic = body::Dynamic::read(eval, block)?;
    for value in &dynamic.values {
        let frame = Frame { name: dynamic.iterator, value: value.clone(), outer: eval.frame };
        let inner = Eval { frame: Some(&frame), ..*eval };
        let mut content = dynamic.content.clone();
        content.kind = block.label(0).to_owned();
        content.labels = dynamic.labels(&inner, block)?;
        visit(&inner, block.label(0), &content);
    }
    Ok(())
}
