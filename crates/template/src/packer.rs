//! Reads a whole template in Packer's JSON. (packer.md 2.1)

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::builder;
use crate::context::Context;
use crate::context::PACKER_VERSION;
use crate::fault::TemplateErrors;
use crate::fields::Fields;
use crate::fields::Findings;
use crate::json;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::Noted;
use crate::place::Source;
use crate::post_processor;
use crate::provisioner;
use crate::recipe::Build;
use crate::recipe::Recipe;
use crate::scope::Position;
use crate::scope::Scope;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;
use crate::user_variables::UserVariables;
use crate::variables::Variables;

pub(crate) const OPTIONS: &[Row] = &[
    (&["description", "min_packer_version", "variables", "sensitive-variables"], Honoured),
    (&["builders", "provisioners", "error-cleanup-provisioner", "post-processors"], Honoured),
    (&["push"], Noted("Packer ignores it too")),
];

/// Reads a template.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse(source: &Source, variables: &Variables, context: &Context) -> Result<Recipe, TemplateErrors> {
    let root = json::parse(source).map_err(|error| TemplateErrors::new(vec![error]))?;
    let findings = Findings::new(source);
    let uuids = Cell::new(0);
    let declared = declarations(&root, &findings);
    let users = UserVariables::new(declared, sensitive_names(&root), variables, context, &findings, &uuids);
    let user = |name: &str| users.find(name);
    let scope = Scope { context, user: &user, build: None, position: Position::Option, further: &[], uuids: &uuids };
    let recipe = Fields::of("a template", &root, &findings, scope).map(|fields| read(&fields, &users));

    let errors = findings.errors.into_inner();
    match recipe {
        Some(recipe) if errors.is_empty() => Ok(recipe.with_notes(findings.notes.into_inner())),
        Some(recipe) => Err(TemplateErrors::new(errors.into_iter().map(|error| error.masked(&recipe)).collect())),
        None => Err(TemplateErrors::new(errors)),
    }
}

/// The members of `variables`.
fn declarations<'a>(root: &'a Node, findings: &Findings) -> &'a [Member] {
    let Value::Object(members) = &root.value else { return &[] };
    match members.iter().find(|member| member.key == "variables").map(|member| &member.node) {
        Some(Node { value: Value::Object(variables), .. }) => variables,
        None | Some(Node { value: Value::Null, .. }) => &[],
        Some(node) => {
            findings.error(&node.span, format!("`variables` must be an object, this is {}", node.kind()), None);
            &[]
        }
    }
}

/// The elements of `sensitive-variables`; what is wrong with them is reported where they are read.
fn sensitive_names(root: &Node) -> &[Node] {
    match root.member("sensitive-variables") {
        Some(Node { value: Value::Array(names), .. }) => names,
        _ => &[],
    }
}

fn read(fields: &Fields<'_>, users: &UserVariables<'_>) -> Recipe {
    options::check(fields, OPTIONS);
    check_version(fields);
    let heads = heads(fields);
    let names: Vec<&str> = heads.iter().map(|head| head.name.as_str()).collect();
    let builds = heads.iter().filter_map(|head| build(head, fields, &names)).collect();
    let post_processors = fields.find("post-processors");
    let post_processors =
        post_processors.map(|node| post_processor::read_all(node, fields.findings, fields.scope, &names));
    let variables = users.all();
    Recipe {
        description: fields.text("description"),
        sensitive: sensitive(fields, users, &variables),
        variables,
        builds,
        post_processors: post_processors.unwrap_or_default(),
        notes: Vec::new(),
    }
}

/// A builder's name and type, which the names in provisioners are checked against before any builder is read.
struct Head<'a> {
    name: String,
    kind: String,
    node: &'a Node,
}

fn heads<'a>(fields: &Fields<'a>) -> Vec<Head<'a>> {
    let nodes = list(fields, "builders");
    if nodes.is_empty() {
        fields.missing("builders", "at least one, such as { \"type\": \"amazon-ebs\", … }");
    }
    let mut heads: Vec<Head<'a>> = Vec::new();
    for node in nodes {
        let Some(builder) = Fields::of("a builder", node, fields.findings, fields.scope) else { continue };
        let Some(kind) = builder.required_text("type", "such as \"amazon-ebs\"") else { continue };
        let name = builder.text("name").unwrap_or_else(|| kind.clone());
        if heads.iter().any(|head| head.name == name) {
            let help = "give each a `name` of its own".to_owned();
            fields.findings.error(&builder.span, format!("two builders are called `{name}`"), Some(help));
        }
        heads.push(Head { name, kind, node });
    }
    heads
}

fn build(head: &Head<'_>, fields: &Fields<'_>, names: &[&str]) -> Option<Build> {
    let scope = fields.scope.within(&head.name, &head.kind);
    let place = fields.findings.source.place(head.node.span.start);
    let provisioners = list(fields, "provisioners");
    let provisioners =
        provisioners.iter().filter_map(|node| provisioner::read(node, fields.findings, scope, names)).collect();
    let error_cleanup = fields.find("error-cleanup-provisioner");
    let error_cleanup = error_cleanup.and_then(|node| provisioner::read(node, fields.findings, scope, names));
    let builder = builder::read(&head.kind, head.node, fields.findings, scope, &place)?;
    Some(Build { name: head.name.clone(), kind: head.kind.clone(), builder, provisioners, error_cleanup, place })
}

/// The elements of a list; what is no list is reported.
fn list<'a>(fields: &Fields<'a>, name: &str) -> &'a [Node] {
    match fields.find(name) {
        None => &[],
        Some(Node { value: Value::Array(elements), .. }) => elements,
        Some(node) => {
            fields.findings.error(&node.span, format!("`{name}` must be a list, this is {}", node.kind()), None);
            &[]
        }
    }
}

fn sensitive(fields: &Fields<'_>, users: &UserVariables<'_>, values: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for name in fields.texts("sensitive-variables") {
        // What could not be worked out is shown as it was given.
        secrets.extend(users.given(&name).filter(|text| !values.contains_key(&name) && !text.is_empty()));
        match (values.get(&name), fields.find("sensitive-variables")) {
            (Some(value), _) if value.is_empty() => {}
            (Some(value), _) => drop(secrets.insert(value.clone())),
            (None, Some(node)) if users.find(&name) != crate::scope::Found::Failed => {
                let help = users.nearest(&name).map(|near| format!("did you mean `{near}`?"));
                fields.findings.error(&node.span, format!("there is no variable `{name}`"), help);
            }
            (None, _) => {}
        }
    }
    secrets
}

fn check_version(fields: &Fields<'_>) {
    let (Some(node), Some(wanted)) = (fields.find("min_packer_version"), fields.text("min_packer_version")) else {
        return;
    };
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    // What comes before a release, such as 1.7.0-dev, asks for no more than the release.
    let version = |text: &str| numbers(text.split(['-', '+']).next().unwrap_or_default());
    match (version(wanted.trim_start_matches('v')), version(PACKER_VERSION)) {
        (Some(wanted_parts), Some(ours)) if wanted_parts <= ours => {}
        (Some(_), _) => {
            let message =
                format!("this template needs Packer {wanted}; Ovenbird does what Packer {PACKER_VERSION} does");
            fields.findings.error(&node.span, message, None);
        }
        (None, _) => fields.findings.error(&node.span, format!("`{wanted}` is no version, such as 1.8.0"), None),
    }
}

#[cfg(test)]
mod tests;
