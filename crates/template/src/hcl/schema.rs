//! What may stand in which block. All else is an error where it stands, as in Packer: what is left out in silence is missed when
//! the image runs.

use super::config::Block;
use super::config::Body;
use super::inputs;
use super::values::Values;
use crate::go::Fault;
use crate::nearest::did_you_mean;

const BLOCKS: [&str; 9] =
    ["packer", "variable", "variables", "local", "locals", "source", "data", "build", "communicator"];

/// What is in `body` and is none of these.
pub(super) fn strangers(owner: &str, body: &Body, attributes: &[&str], blocks: &[&str]) -> Vec<Fault> {
    let attribute = |key: &str| (!attributes.contains(&key)).then(|| did_you_mean(key, attributes.iter().copied()));
    let block = |kind: &str| (!blocks.contains(&kind)).then(|| did_you_mean(kind, blocks.iter().copied()));
    let strange_attributes = body.attributes.iter().filter_map(|one| {
        let message = format!("{owner} has no `{}`", one.key);
        Some(Fault::new(&one.key_span, message).with_help(attribute(&one.key)?))
    });
    let strange_blocks = body.blocks.iter().filter_map(|one| {
        let message = format!("{owner} has no block `{}`", one.kind);
        Some(Fault::new(&one.kind_span, message).with_help(block(&one.kind)?))
    });
    strange_attributes.chain(strange_blocks).collect()
}

/// Reports what is no part of a block.
pub(super) fn check(values: &Values<'_>, owner: &str, body: &Body, attributes: &[&str], blocks: &[&str]) {
    strangers(owner, body, attributes, blocks).into_iter().for_each(|fault| values.report(fault));
}

/// How many labels a block has, and what they are.
fn labels(kind: &str) -> (usize, &'static str) {
    match kind {
        "source" | "data" | "communicator" => (2, "\"TYPE\" \"NAME\""),
        "variable" | "local" => (1, "\"NAME\""),
        _ => (0, ""),
    }
}

/// Checks the blocks of the whole configuration.
pub(super) fn check_root(values: &Values<'_>, root: &Body) {
    for attribute in &root.attributes {
        let help = "a template is made of blocks; a value of its own stands in locals { … }".to_owned();
        let message = format!("`{}` stands in no block", attribute.key);
        values.report(Fault::new(&attribute.key_span, message).with_help(Some(help)));
    }
    let mut sources: Vec<&Block> = Vec::new();
    for block in &root.blocks {
        let (count, form) = labels(&block.kind);
        if block.kind == "hcp_packer_registry" {
            note_registry(values, block);
        } else if !BLOCKS.contains(&block.kind.as_str()) {
            let help = did_you_mean(&block.kind, BLOCKS).or_else(|| Some(format!("there are {}", BLOCKS.join(", "))));
            values.report(Fault::new(&block.kind_span, format!("there is no block `{}`", block.kind)).with_help(help));
        } else if block.labels.len() != count {
            values.report(Fault::new(&block.kind_span, format!("it is written as {} {form} {{ … }}", block.kind)));
        } else {
            check_block(values, block, &mut sources);
        }
    }
}

pub(super) fn note_registry(values: &Values<'_>, block: &Block) {
    let note = "images are found by their tags; `ovenbird promote` moves pointers";
    values.findings.note(&block.kind_span, &block.kind, note);
}

fn check_block<'a>(values: &Values<'_>, block: &'a Block, sources: &mut Vec<&'a Block>) {
    match block.kind.as_str() {
        "communicator" => {
            values.findings.note(&block.kind_span, &block.kind, "Packer reads it too, and nothing uses it");
        }
        "source" => {
            if sources.iter().any(|other| other.title() == block.title()) {
                values.report(Fault::new(&block.kind_span, format!("{} is there twice", block.title())));
            }
            if let Some(name) = block.body.find("name") {
                let help = "its name is its second label".to_owned();
                values.report(Fault::new(&name.key_span, "a source has no `name`").with_help(Some(help)));
            }
            sources.push(block);
        }
        "variables" | "locals" => {
            let owner = format!("`{}`", block.kind);
            let names: Vec<&str> = block.body.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
            check(values, &owner, &block.body, &names, &[]);
        }
        "local" => check_local(values, block),
        _ => {}
    }
}

fn check_local(values: &Values<'_>, block: &Block) {
    check(values, "a local", &block.body, &["expression", "sensitive"], &[]);
    if block.body.find("expression").is_none() {
        values.report(Fault::new(&block.kind_span, format!("{} needs `expression`", block.title())));
    }
    if let Err(fault) = inputs::is_sensitive(&block.body) {
        values.report(fault);
    }
}
