//! The blocks `source` and `build`: one build for each source that a `build` names.

mod each;
mod selection;
mod sources;

use self::each::each;
use self::selection::Selection;
use self::sources::Use;
use self::sources::uses;
use super::body;
use super::config::Block;
use super::config::Body;
use super::eval::BuildNames;
use super::eval::Eval;
use super::schema;
use super::values::Values;
use crate::builder;
use crate::go::Fault;
use crate::place::Span;
use crate::post_processor;
use crate::post_processor::PostProcessor;
use crate::provisioner;
use crate::recipe::Build;
use crate::scope::Found;
use crate::scope::Position;
use crate::scope::Scope;
use crate::tree::Node;
use crate::tree::Value;

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
