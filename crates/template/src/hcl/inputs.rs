//! The variables of a configuration: declarations, and the values that are given for them.

use std::collections::BTreeMap;

use super::config::Attribute;
use super::config::Block;
use super::config::Body;
use super::config::Label;
use super::eval::Base;
use super::eval::Eval;
use super::schema;
use super::syntax;
use super::types;
use super::types::Type;
use super::values::State;
use super::values::Values;
use crate::go::Fault;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::tree::Node;
use crate::tree::Value;
use crate::variables::By;

/// A value that was given, and where its text starts among the template's.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) node: Node,
    pub(super) by: By,
    /// Whether it is of the environment, where other configurations' values are no slip.
    pub(super) is_environment: bool,
}

/// A declared variable.
struct Declaration<'a> {
    name: &'a str,
    span: &'a Span,
    default: Option<&'a Attribute>,
    is_sensitive: bool,
    /// `None`: an attribute of `variables`.
    block: Option<&'a Block>,
}

/// Works out every variable; the last value that is given for one counts.
///
/// What is wrong with a sensitive one is reported without the line that its value stands in.
pub(super) fn declare<'a>(values: &'a Values<'a>, root: &'a Body, given: &[Input]) {
    let declarations = declarations(values, root);
    let open = |declaration: &Declaration<'_>| (declaration.name.to_owned(), State::Open);
    values.variables.borrow_mut().extend(declarations.values().map(open));
    for declaration in declarations.values() {
        let state = match value(values, declaration, given) {
            Ok(node) => State::Known(node),
            Err(fault) => {
                if declaration.is_sensitive {
                    values.report_unseen(fault);
                } else {
                    values.report(fault);
                }
                State::Failed
            }
        };
        values.variables.borrow_mut().insert(declaration.name.to_owned(), state);
    }
    for block in declarations.values().filter_map(|declaration| declaration.block) {
        validate(values, block);
    }
    report_undeclared(values, &declarations, given);
}

fn declarations<'a>(values: &'a Values<'a>, root: &'a Body) -> BTreeMap<&'a str, Declaration<'a>> {
    let mut declarations: BTreeMap<&'a str, Declaration<'a>> = BTreeMap::new();
    let single = root.blocks_of("variable").filter_map(|block| {
        let label: Option<&Label> = block.labels.first();
        if label.is_none() {
            values.report(Fault::new(&block.kind_span, "a variable needs a name: variable \"name\" { … }"));
        }
        let default = block.body.find("default");
        // Better hidden for nothing than shown where `sensitive` is misspelt.
        let is_sensitive = is_sensitive(&block.body).unwrap_or_else(|fault| {
            values.report(fault);
            true
        });
        label.map(|label| Declaration {
            name: &label.text,
            span: &label.span,
            default,
            is_sensitive,
            block: Some(block),
        })
    });
    let listed = root.blocks_of("variables").flat_map(|block| &block.body.attributes).map(|attribute| Declaration {
        name: &attribute.key,
        span: &attribute.key_span,
        default: Some(attribute),
        is_sensitive: false,
        block: None,
    });
    for declaration in single.chain(listed) {
        if declarations.contains_key(declaration.name) {
            let message = format!("the variable `{}` is declared twice", declaration.name);
            values.report(Fault::new(declaration.span, message));
            continue;
        }
        declarations.insert(declaration.name, declaration);
    }
    declarations
}

/// Whether a variable or local says that it is sensitive.
pub(super) fn is_sensitive(body: &Body) -> Result<bool, Fault> {
    let Some(attribute) = body.find("sensitive") else { return Ok(false) };
    let node = Eval::literals(0).written(&attribute.expression)?;
    node.to_boolean()
        .ok_or_else(|| Fault::new(&node.span, format!("`sensitive` must be true or false, this is {}", node.kind())))
}

fn value<'a>(values: &'a Values<'a>, declaration: &Declaration<'a>, given: &[Input]) -> Result<Node, Fault> {
    let block = declaration.block;
    if let Some(block) = block {
        verify_members(values, block);
    }
    let attribute = |name: &str| block.and_then(|block| block.body.find(name));
    let input = given.iter().rev().find(|input| input.name == declaration.name);
    if let (true, Some(input)) = (declaration.is_sensitive, input) {
        // Before anything can be wrong with it.
        values.hide(&input.node);
    }
    let default =
        declaration.default.map(|attribute| Eval { is_default: true, ..values.eval() }.written(&attribute.expression));
    let default = default.transpose()?;
    let kind = match (attribute("type"), &default) {
        (Some(attribute), _) => types::read(&attribute.expression)?,
        (None, Some(default)) => Type::of_value(default),
        (None, None) => Type::Any,
    };
    let node = match (input, default) {
        (Some(input), _) => outside(&kind, input)?,
        (None, Some(default)) => default,
        (None, None) => {
            let help = format!("give it with -var {}=…, in a -var-file, or as PKR_VAR_{0}", declaration.name);
            let message = format!("the variable `{}` needs a value", declaration.name);
            return Err(Fault::new(declaration.span, message).with_help(Some(help)));
        }
    };
    let node = kind.convert(node).map_err(|fault| Fault {
        message: format!("the variable `{}`: {}", declaration.name, fault.message),
        ..fault
    })?;
    if declaration.is_sensitive {
        values.hide(&node);
    }
    Ok(node)
}

fn verify_members(values: &Values<'_>, block: &Block) {
    schema::check(values, "a variable", &block.body, &["type", "default", "description", "sensitive"], &["validation"]);
    for validation in block.body.blocks_of("validation") {
        schema::check(values, "a validation", &validation.body, &["condition", "error_message"], &[]);
    }
}

/// A value of the command line or the environment is a string, but an expression where the variable is a list or the like.
fn outside(kind: &Type, input: &Input) -> Result<Node, Fault> {
    let (By::Argument, false, Value::Text(text)) = (input.by, kind.is_literal(), &input.node.value) else {
        return Ok(input.node.clone());
    };
    if matches!(kind, Type::Boolean) {
        return Ok(input.node.clone());
    }
    let expression = syntax::expression(text.trim()).map_err(|invalid| {
        let message =
            format!("the variable `{}` is {kind}, but this is no expression: {}", input.name, invalid.message);
        Fault::new(&input.node.span, message)
    })?;
    let eval = Eval { base: Base::Within(&input.node.span), ..Eval::literals(0) };
    eval.expression(&expression).map_err(|fault| {
        let message = format!("the variable `{}` is {kind}, written as an expression: {}", input.name, fault.message);
        Fault { message, ..fault }.with_help(Some("strings stand in quotes, such as [\"a\", \"b\"]".to_owned()))
    })
}

/// The validation blocks of a variable.
fn validate<'a>(values: &'a Values<'a>, block: &'a Block) {
    for validation in block.body.blocks_of("validation") {
        if let Err(fault) = check(values, block, validation) {
            values.report(fault);
        }
    }
}

fn check<'a>(values: &'a Values<'a>, block: &Block, validation: &'a Block) -> Result<(), Fault> {
    let missing = |name: &str| Fault::new(&validation.kind_span, format!("a validation needs `{name}`"));
    let condition = validation.body.find("condition").ok_or_else(|| missing("condition"))?;
    let message = validation.body.find("error_message").ok_or_else(|| missing("error_message"))?;
    let node = values.eval().written(&condition.expression)?;
    match node.to_boolean() {
        Some(true) => Ok(()),
        None => Err(Fault::new(&node.span, format!("a condition must be true or false, this is {}", node.kind()))),
        Some(false) => {
            let message = values.eval().written(&message.expression)?.to_text().unwrap_or_default();
            let span = block.labels.first().map_or(&block.kind_span, |label| &label.span);
            let place = values.findings.source.place(condition.key_span.start);
            Err(Fault::new(span, message).with_help(Some(format!("the condition stands at {place}"))))
        }
    }
}

fn report_undeclared(values: &Values<'_>, declarations: &BTreeMap<&str, Declaration<'_>>, given: &[Input]) {
    let unknown = |input: &&Input| !input.is_environment && !declarations.contains_key(input.name.as_str());
    for input in given.iter().filter(unknown) {
        let message = format!("the template has no variable `{}`", input.name);
        let help = did_you_mean(&input.name, declarations.keys().copied());
        match input.by {
            By::Argument => values.report(Fault::new(&input.node.span, message).with_help(help)),
            By::File => {
                let near = help.map(|help| format!("; {help}")).unwrap_or_default();
                values.findings.note(&input.node.span, &input.name, &format!("{message}{near}"));
            }
        }
    }
}
