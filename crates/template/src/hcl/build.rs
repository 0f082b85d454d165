//! The blocks `source` and `build`: one build for each source that a `build` names.

use super::body;
use super::config::Block;
use super::config::Body;
use super::eval::BuildNames;
use super::eval::Eval;
use super::eval::Frame;
use super::schema;
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
    /// Where the build names it.
    span: Span,
}

/// A build with the sequences of post-processors that are for it.
pub(super) struct Read {
    pub(super) build: Build,
    pub(super) post_processors: Vec<Vec<PostProcessor>>,
    /// Where the source is named.
    pub(super) span: Span,
}

const BLOCKS: [&str; 6] =
    ["source", "provisioner", "post-processor", "post-processors", "error-cleanup-provisioner", "hcp_packer_registry"];

/// Reads one `build` block.
pub(super) fn read<'a>(values: &'a Values<'a>, root: &'a Body, block: &'a Block) -> Vec<Read> {
    let blocks = [&BLOCKS[..], &["dynamic"]].concat();
    schema::check(values, "a build", &block.body, &["name", "description", "sources"], &blocks);
    let title = text(values, block, "name").unwrap_or_default();
    let uses = uses(values, root, block);
    let names: Vec<String> = uses.iter().map(|one| one.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let known: Vec<String> = uses.iter().map(|one| format!("{}.{}", one.source.label(0), one.name)).collect();
    uses.iter().filter_map(|one| build(values, block, one, &title, &names, &known)).collect()
}

/// An attribute of a build that is a string.
pub(super) fn text<'a>(values: &'a Values<'a>, block: &Block, name: &str) -> Option<String> {
    text_of(values, &values.eval(), block, name)
}

fn text_of(values: &Values<'_>, eval: &Eval<'_>, block: &Block, name: &str) -> Option<String> {
    match eval.written(&block.body.find(name)?.expression) {
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

/// The source that a build names.
fn find<'a>(values: &'a Values<'a>, root: &'a Body, reference: &str, span: &Span) -> Option<Use<'a>> {
    let wanted = reference.strip_prefix("source.").unwrap_or(reference);
    let full = |block: &Block| format!("{}.{}", block.label(0), block.label(1));
    let Some(source) = root.blocks_of("source").find(|block| full(block) == wanted) else {
        let known: Vec<String> = root.blocks_of("source").map(full).collect();
        let help = did_you_mean(wanted, known.iter().map(String::as_str))
            .or_else(|| Some(format!("there are {}", known.join(", "))).filter(|_| !known.is_empty()));
        values.report(Fault::new(span, format!("there is no source `{wanted}`")).with_help(help));
        return None;
    };
    Some(Use { source, name: source.label(1).to_owned(), further: None, span: span.clone() })
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
    let selection = Selection { values, own: &own, known, names: locals };
    each(&eval, &block.body, &BLOCKS, &mut |eval, kind, block| match kind {
        "provisioner" => {
            let node = selection.member(eval, block);
            let read = |node: Node| provisioner::read(&node, values.findings, scope, locals);
            provisioners.extend(node.and_then(read));
        }
        "post-processor" => sequences.push(vec![selection.member(eval, block)]),
        "post-processors" => sequences.push(selection.sequence(eval, block)),
        "error-cleanup-provisioner" => {
            let node = selection.member(eval, block);
            let read = |node: Node| provisioner::read(&node, values.findings, scope, locals);
            if error_cleanup.is_some() {
                values.report(Fault::new(&block.kind_span, "a build has one error-cleanup-provisioner at most"));
            }
            error_cleanup = node.and_then(read).or_else(|| error_cleanup.take());
        }
        "hcp_packer_registry" => schema::note_registry(values, block),
        _ => {}
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
    let build = Build { name, kind: kind.to_owned(), builder: builder?, provisioners, error_cleanup, place };
    Some(Read { build, post_processors, span: one.span.clone() })
}

/// Which blocks are for a build.
struct Selection<'a> {
    values: &'a Values<'a>,
    /// `amazon-ebs.web`
    own: &'a str,
    /// The sources of the whole `build`.
    known: &'a [String],
    /// Their names alone: `web`.
    names: &'a [&'a str],
}

impl Selection<'_> {
    /// The post-processors of a `post-processors`.
    fn sequence(&self, eval: &Eval<'_>, block: &Block) -> Vec<Option<Node>> {
        schema::check(self.values, "`post-processors`", &block.body, &[], &["post-processor", "dynamic"]);
        if let Some(label) = block.labels.first() {
            self.values.report(Fault::new(&label.span, "`post-processors` has no label"));
        }
        let mut sequence = Vec::new();
        each(eval, &block.body, &["post-processor"], &mut |eval, kind, block| {
            if kind == "post-processor" {
                sequence.push(self.member(eval, block));
            }
        });
        sequence
    }

    /// The options of a labelled block, if it is for this build.
    fn member(&self, eval: &Eval<'_>, block: &Block) -> Option<Node> {
        let [label] = block.labels.as_slice() else {
            let message = format!("`{}` needs a type: {} \"shell\" {{ … }}", block.kind, block.kind);
            self.values.report(Fault::new(&block.kind_span, message));
            return None;
        };
        let mut node = body::object(eval, block);
        node.span = label.span.clone();
        let only = take(&mut node, "only").map(|node| self.names(&node)).unwrap_or_default();
        let except = take(&mut node, "except").map(|node| self.names(&node)).unwrap_or_default();
        if !only.is_empty() && !except.is_empty() {
            self.values.report(Fault::new(&label.span, "either `only` or `except` may be there, not both"));
        }
        let is_named = |names: &[String]| names.iter().any(|name| name == self.own);
        let is_for_it = (only.is_empty() || is_named(&only)) && !is_named(&except);
        self.overrides(&mut node);
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
            let name = element.to_text().unwrap_or_default();
            let plain = name.strip_prefix("source.").unwrap_or(&name);
            if plain != name && self.known.iter().any(|known| known == plain) {
                let note = format!("as in Packer, it names no source; write `{plain}`");
                self.values.findings.note(&element.span, &name, &note);
            } else if !self.known.contains(&name) {
                let near = did_you_mean(&name, self.known.iter().map(String::as_str));
                let near = near.map(|near| format!("; {near}")).unwrap_or_default();
                self.values.findings.note(&element.span, &name, &format!("the build has no such source{near}"));
            }
            names.push(name);
        }
        names
    }
}

impl Selection<'_> {
    /// Drops the overrides of sources that the build does not use; they may be switched off for a while.
    fn overrides(&self, node: &mut Node) {
        let Value::Object(members) = &mut node.value else { return };
        for member in members.iter_mut().filter(|member| member.key == "override") {
            let Value::Object(overrides) = &mut member.node.value else { continue };
            for one in overrides.iter().filter(|one| !matches!(one.node.value, Value::Object(_))) {
                let message = format!("an override must be an object of options, this is {}", one.node.kind());
                self.values.report(Fault::new(&one.node.span, message));
            }
            overrides.retain(|one| {
                let is_known = self.names.contains(&one.key.as_str());
                if !is_known {
                    let near = did_you_mean(&one.key, self.names.iter().copied());
                    let near = near.map(|near| format!("; {near}")).unwrap_or_default();
                    self.values.findings.note(&one.key_span, &one.key, &format!("the build has no such source{near}"));
                }
                is_known
            });
        }
    }
}

/// Takes a member out of an object.
fn take(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Object(members) = &mut node.value else { return None };
    let index = members.iter().position(|member| member.key == key)?;
    Some(members.remove(index).node)
}

/// Calls `visit` with every nested block in order; `dynamic` ones are unfolded.
fn each(eval: &Eval<'_>, body: &Body, kinds: &[&str], visit: &mut dyn FnMut(&Eval<'_>, &str, &Block)) {
    for block in &body.blocks {
        if block.kind != "dynamic" {
            visit(eval, &block.kind, block);
        } else if let Err(fault) = unfold(eval, block, kinds, visit)
            && let Some(values) = eval.values
        {
            values.report(fault);
        }
    }
}

fn unfold(
    eval: &Eval<'_>,
    block: &Block,
    kinds: &[&str],
    visit: &mut dyn FnMut(&Eval<'_>, &str, &Block),
) -> Result<(), Fault> {
    if !kinds.contains(&block.label(0)) {
        let span = block.labels.first().map_or(&block.kind_span, |label| &label.span);
        let help = did_you_mean(block.label(0), kinds.iter().copied())
            .or_else(|| Some(format!("there are {}", kinds.join(", "))));
        return Err(Fault::new(span, format!("there is no block `{}` here", block.label(0))).with_help(help));
    }
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
