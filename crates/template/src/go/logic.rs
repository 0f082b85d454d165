//! Go's own functions of conditions. (golang.org/pkg/text/template, Functions)

use super::Literal;
use super::functions::Refusal;

/// Calls `eq`, `ne`, `and`, `or` or `not`.
pub(super) fn apply(name: &str, arguments: &[Literal]) -> Result<Literal, Refusal> {
    let wrong = |form: &str| (format!("`{name}` is called as `{form}`"), None);
    match (name, arguments) {
        ("not", [only]) => Ok(Literal::Boolean(!only.is_true())),
        ("not", _) => Err(wrong("not VALUE")),
        ("ne", [one, other]) => is_same(one, other).map(|is_same| Literal::Boolean(!is_same)),
        ("ne", _) => Err(wrong("ne VALUE VALUE")),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            let same = others.iter().map(|other| is_same(first, other)).collect::<Result<Vec<_>, _>>()?;
            Ok(Literal::Boolean(same.contains(&true)))
        }
        ("eq", _) => Err(wrong("eq VALUE VALUE")),
        // As in Go, the answer is the argument that decides.
        (_, []) => Err(wrong(&format!("{name} VALUE VALUE"))),
        (_, [.., last]) => {
            let decides = |literal: &&Literal| literal.is_true() == (name == "or");
            Ok(arguments.iter().find(decides).unwrap_or(last).clone())
        }
    }
}

fn is_same(one: &Literal, other: &Literal) -> Result<bool, Refusal> {
    match (one, other) {
        (Literal::Text(one), Literal::Text(other)) => Ok(one == other),
        (Literal::Integer(one), Literal::Integer(other)) => Ok(one == other),
        (Literal::Boolean(one), Literal::Boolean(other)) => Ok(one == other),
        _ => Err(("a text and a number cannot be compared".to_owned(), Some("write the number as a text".to_owned()))),
    }
}
