//! Reads a whole configuration in Packer's HCL2: a file, or a folder's files as one. (packer.md 2.2)
//!
//! Its expressions are worked out to the values that JSON is read to, and then the same readers make the recipe of them.

mod body;
mod build;
mod config;
mod data;
mod eval;
mod functions;
mod inputs;
mod json_syntax;
mod late;
mod operators;
mod outside;
mod schema;
mod syntax;
mod template;
mod traverse;
mod types;
mod value;
mod values;
mod version;

use std::cell::Cell;
use std::collections::BTreeMap;

pub use self::data::Answer;
pub use self::data::Query;
pub use self::outside::Answers;
pub use self::outside::Files;
pub use self::outside::Outside;

use self::config::Body;
use self::inputs::Input;
use self::value::PLACEHOLDER;
use self::values::Local;
use self::values::Values;
use crate::context::Context;
use crate::fault::TemplateError;
use crate::fault::TemplateErrors;
use crate::fields::Findings;
use crate::go::Fault;
use crate::place::Source;
use crate::place::Sources;
use crate::post_processor::PostProcessor;
use crate::recipe::Build;
use crate::recipe::Recipe;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;
use crate::variables::By;
use crate::variables::Variables;

/// What a configuration gives.
#[derive(Clone, Debug)]
pub enum Parsed {
    /// Its recipe.
    Recipe(Box<Recipe>),
    /// Questions that AWS must answer first. Never empty.
    Wants(Vec<Query>),
}

/// Environment variables that set variables of a configuration begin with this.
const ENVIRONMENT: &str = "PKR_VAR_";

/// Reads a configuration: `files` are `*.pkr.hcl` and `*.pkr.json`, in the order of their names.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse_hcl(
    files: &[Source],
    variables: &Variables,
    context: &Context,
    outside: &Outside<'_>,
) -> Result<Parsed, TemplateErrors> {
    let mut sources = Sources::default();
    let root = read_files(files, &mut sources)?;
    let given = given(variables, context, &mut sources);
    let findings = Findings::new(sources);
    let uuids = Cell::new(0);
    let mut values = Values::new(context, outside, &findings, &uuids);
    declare(&mut values, &root);
    let values = values;
    inputs::declare(&values, &root, &given);
    values.work_out_all();
    version::check(&values, &root);
    schema::check_root(&values, &root);
    let builds: Vec<build::Read> =
        root.blocks_of("build").flat_map(|block| build::read(&values, &root, block)).collect();
    if root.blocks_of("build").next().is_none() {
        findings.error(
            &(0..0),
            "there is no build",
            Some("such as build { sources = [\"source.amazon-ebs.web\"] }".to_owned()),
        );
    }
    let description = root.blocks_of("build").find_map(|block| build::text(&values, block, "description"));
    let wanted: Vec<Query> = values.wanted.borrow().iter().cloned().collect();
    let recipe = recipe(&values, description, builds);
    drop(values);
    finish(findings, recipe, wanted)
}

/// The blocks of all files as one body.
fn read_files(files: &[Source], sources: &mut Sources) -> Result<Body, TemplateErrors> {
    let mut root = Body::default();
    let mut errors = Vec::new();
    for file in files {
        let start = sources.add(file);
        let is_json = file.name().ends_with(".json");
        match if is_json { json_syntax::parse(file, start) } else { config::parse(file, start) } {
            Ok(body) => {
                root.attributes.extend(body.attributes);
                root.blocks.extend(body.blocks);
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(root) } else { Err(TemplateErrors::new(errors)) }
}

/// The values for variables, the environment's first: a later one counts.
fn given(variables: &Variables, context: &Context, sources: &mut Sources) -> Vec<Input> {
    let environment =
        context.environment.iter().filter_map(|(key, value)| Some((key, key.strip_prefix(ENVIRONMENT)?, value)));
    let mut given: Vec<Input> = environment
        .map(|(key, name, value)| {
            // Its value may be a secret, and is not shown.
            let start = sources.add(&Source::new(key, ""));
            let node = Node { span: start..start, value: Value::text(value) };
            Input { name: name.to_owned(), node, by: By::Argument, is_environment: true }
        })
        .collect();
    let mut starts: BTreeMap<String, usize> = BTreeMap::new();
    for one in variables.all() {
        let start = match (one.by, starts.get(one.source.name())) {
            (By::File, Some(start)) => *start,
            _ => sources.add(&one.source),
        };
        starts.insert(one.source.name().to_owned(), start);
        let mut node = one.node.clone();
        node.shift(start);
        given.push(Input { name: one.name.clone(), node, by: one.by, is_environment: false });
    }
    given
}

/// Finds the locals and data sources; they are worked out when they are asked for.
fn declare<'a>(values: &mut Values<'a>, root: &'a Body) {
    let listed = root.blocks_of("locals").flat_map(|block| &block.body.attributes).map(|attribute| {
        (attribute.key.as_str(), &attribute.key_span, Local { written: &attribute.expression, is_sensitive: false })
    });
    let single = root.blocks_of("local").filter_map(|block| {
        let label = block.labels.first()?;
        let expression = &block.body.find("expression")?.expression;
        let is_sensitive = inputs::is_sensitive(&block.body).unwrap_or(true);
        Some((label.text.as_str(), &label.span, Local { written: expression, is_sensitive }))
    });
    for (name, span, local) in listed.chain(single) {
        if values.locals.insert(name.to_owned(), local).is_some() {
            values.report(Fault::new(span, format!("the local `{name}` is there twice")));
        }
    }
    for block in root.blocks_of("data") {
        let key = (block.label(0).to_owned(), block.label(1).to_owned());
        if values.data.insert(key, block).is_some() {
            values.report(Fault::new(&block.kind_span, format!("{} is there twice", block.title())));
        }
    }
}

fn recipe(values: &Values<'_>, description: Option<String>, read: Vec<build::Read>) -> Recipe {
    let several = read.len() > 1;
    let mut builds: Vec<Build> = Vec::new();
    let mut post_processors: Vec<Vec<PostProcessor>> = Vec::new();
    for build::Read { build, post_processors: sequences, span } in read {
        if builds.iter().any(|other| other.name == build.name) {
            let help = "give a build a `name`, or the source another one: source \"TYPE.NAME\" { name = \"other\" }"
                .to_owned();
            values.findings.error(&span, format!("two builds are called `{}`", build.name), Some(help));
        }
        for mut sequence in sequences {
            if several {
                sequence.iter_mut().for_each(|one| one.only = vec![build.name.clone()]);
            }
            post_processors.push(sequence);
        }
        builds.push(build);
    }
    let known = |(name, state): (&String, &values::State)| match state {
        values::State::Known(node) => Some((name.clone(), node.to_text().unwrap_or_else(|| functions::json(node)))),
        _ => None,
    };
    Recipe {
        description,
        variables: values.variables.borrow().iter().filter_map(known).collect(),
        sensitive: values.sensitive.borrow().clone(),
        builds,
        post_processors,
        notes: Vec::new(),
    }
}

fn finish(findings: Findings, recipe: Recipe, wanted: Vec<Query>) -> Result<Parsed, TemplateErrors> {
    // What is wrong may be so only because AWS was not asked yet.
    if !wanted.is_empty() {
        return Ok(Parsed::Wants(wanted));
    }
    let errors = findings.errors.into_inner();
    if !errors.is_empty() {
        return Err(TemplateErrors::new(errors.into_iter().map(|error| error.masked(&recipe)).collect()));
    }
    Ok(Parsed::Recipe(Box::new(recipe.with_notes(findings.notes.into_inner()))))
}

/// Whether a text holds a value that AWS was not asked for.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    text.contains(PLACEHOLDER)
}

/// Reads a `*.pkrvars.hcl`: literal values alone.
pub(crate) fn read_variables(file: &Source) -> Result<Vec<Member>, TemplateErrors> {
    let body = config::parse(file, 0).map_err(|error| TemplateErrors::new(vec![error]))?;
    let mut members = Vec::new();
    let mut errors = Vec::new();
    for block in &body.blocks {
        let message = "a variables file has no blocks; write name = value";
        errors.push(TemplateError::new(file, block.kind_span.clone(), message));
    }
    for attribute in body.attributes {
        match eval::Eval::literals(0).written(&attribute.expression) {
            Ok(node) => members.push(Member { key: attribute.key, key_span: attribute.key_span, node }),
            Err(fault) => errors.push(TemplateError::new(file, fault.span, fault.message).with_help(fault.help)),
        }
    }
    if errors.is_empty() { Ok(members) } else { Err(TemplateErrors::new(errors)) }
}

#[cfg(test)]
mod tests;
