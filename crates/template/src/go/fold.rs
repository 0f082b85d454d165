//! Works out expressions as far as they can be worked out before the source image is known.

use super::BUILD_VALUES;
use super::Expression;
use super::Fault;
use super::Literal;
use super::Part;
use super::functions;
use crate::nearest::did_you_mean;
use crate::place::Span;
use crate::scope::Position;
use crate::scope::Scope;

/// Replaces everything that is known by its value and joins neighbouring text. What is left are expressions over values
/// of the source image, and only where `scope` allows for them.
pub(crate) fn fold(parts: Vec<Part>, scope: &Scope<'_>) -> Result<Vec<Part>, Fault> {
    let mut folded: Vec<Part> = Vec::new();
    for part in parts {
        match part {
            Part::Text(_) => join(&mut folded, [part]),
            Part::Action(expression) => match expression_of(expression, scope)? {
                Expression::Literal(literal) => join(&mut folded, [Part::Text(literal.into_text())]),
                later => join(&mut folded, [Part::Action(later)]),
            },
            Part::Choice { condition, then, otherwise } => match expression_of(condition, scope)? {
                Expression::Literal(literal) => {
                    join(&mut folded, fold(if literal.is_true() { then } else { otherwise }, scope)?);
                }
                condition => {
                    let (then, otherwise) = (fold(then, scope)?, fold(otherwise, scope)?);
                    join(&mut folded, [Part::Choice { condition, then, otherwise }]);
                }
            },
        }
    }
    Ok(folded)
}

/// Puts parts behind others, so that no two texts are neighbours.
fn join(folded: &mut Vec<Part>, parts: impl IntoIterator<Item = Part>) {
    for part in parts {
        match (folded.last_mut(), part) {
            (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
            (_, part) => folded.push(part),
        }
    }
}

/// The user variables that `parts` name and nobody has declared, with the places of their calls.
pub(crate) fn undeclared(parts: &[Part], scope: &Scope<'_>) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    expressions(parts, &mut open);
    while let Some(expression) = open.pop() {
        let Expression::Call { name, arguments, span } = expression else { continue };
        if let ("user", [Expression::Literal(Literal::Text(variable))]) = (name.as_str(), arguments.as_slice())
            && functions::is_taken_for_empty(variable, &(scope.user)(variable))
        {
            found.push((variable.clone(), span.clone()));
        }
        open.extend(arguments);
    }
    found
}

/// All expressions of `parts`, those of branches too.
fn expressions<'a>(parts: &'a [Part], found: &mut Vec<&'a Expression>) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Action(expression) => found.push(expression),
            Part::Choice { condition, then, otherwise } => {
                found.push(condition);
                expressions(then, found);
                expressions(otherwise, found);
            }
        }
    }
}

fn expression_of(expression: Expression, scope: &Scope<'_>) -> Result<Expression, Fault> {
    let (name, arguments, span) = match expression {
        Expression::Literal(_) => return Ok(expression),
        Expression::Field { path, span } => return build_value(path, span, scope),
        Expression::Call { name, arguments, span } => (name, arguments, span),
    };
    let refused = |(message, help): functions::Refusal| Fault::new(&span, message).with_help(help);
    if !functions::is_known(&name) {
        return Err(refused(functions::unknown(&name)));
    }
    let arguments =
        arguments.into_iter().map(|argument| expression_of(argument, scope)).collect::<Result<Vec<_>, _>>()?;
    if arguments.iter().any(|argument| !matches!(argument, Expression::Literal(_))) {
        if functions::is_text_function(&name) {
            return Ok(Expression::Call { name, arguments, span });
        }
        return Err(Fault::new(&span, format!("`{name}` is worked out before the source image is known")));
    }
    let literals: Vec<Literal> = arguments
        .into_iter()
        .filter_map(|argument| if let Expression::Literal(literal) = argument { Some(literal) } else { None })
        .collect();
    if name == "build" {
        let [Literal::Text(value)] = literals.as_slice() else {
            return Err(Fault::new(&span, "`build` is called as build `NAME`"));
        };
        return build_value(vec![value.clone()], span, scope);
    }
    let value = if functions::is_text_function(&name) {
        functions::apply_text(&name, literals)
    } else {
        functions::apply_scope(&name, literals, scope)
    };
    value.map(Expression::Literal).map_err(refused)
}

/// A value that is only known when the source image is: it stays as it is.
fn build_value(path: Vec<String>, span: Span, scope: &Scope<'_>) -> Result<Expression, Fault> {
    let name = path.first().map_or("", String::as_str);
    if scope.further.contains(&name) && path.len() == 1 {
        return Ok(Expression::Field { path, span });
    }
    if !BUILD_VALUES.contains(&name) {
        let help = did_you_mean(name, BUILD_VALUES).unwrap_or_else(|| format!("there are {}", BUILD_VALUES.join(", ")));
        return Err(Fault::new(&span, format!("there is no value `{name}` of a build")).with_help(Some(help)));
    }
    let tag_form = (name == "SourceAMITags", path.len());
    if !matches!(tag_form, (false, 1) | (true, 2)) {
        let message = format!("`.{}` has no such value", path.join("."));
        let help = "a tag of the source image is .SourceAMITags.KEY".to_owned();
        return Err(Fault::new(&span, message).with_help(Some(help)));
    }
    if scope.position != Position::Deferred {
        let message = format!("`{name}` is not known yet when this option is read");
        let help = "it can be used in ami_description and tags, in scripts, files and arguments of provisioners, and in post-processors";
        return Err(Fault::new(&span, message).with_help(Some(help.to_owned())));
    }
    Ok(Expression::Field { path, span })
}
