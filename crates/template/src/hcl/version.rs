//! The block `packer`: which Packer a configuration needs.

use std::cmp::Ordering;

use super::config::Body;
use super::values::Values;
use crate::context::PACKER_VERSION;
use crate::go::Fault;

/// Checks `required_version`; plugins are noted.
pub(super) fn check<'a>(values: &'a Values<'a>, root: &'a Body) {
    for block in root.blocks_of("packer") {
        for attribute in &block.body.attributes {
            let result = match attribute.key.as_str() {
                "required_version" => values.eval().written(&attribute.expression).and_then(|node| {
                    let text = node.to_text().unwrap_or_default();
                    verify(&text).map_err(|message| Fault::new(&node.span, message))
                }),
                other => Err(Fault::new(&attribute.key_span, format!("the block packer has no `{other}`"))),
            };
            if let Err(fault) = result {
                values.report(fault);
            }
        }
        for nested in &block.body.blocks {
            if nested.kind == "required_plugins" {
                let note = "Ovenbird needs no plugins: what it knows of them is part of it";
                values.findings.note(&nested.kind_span, &nested.kind, note);
            } else {
                values
                    .report(Fault::new(&nested.kind_span, format!("the block packer has no block `{}`", nested.kind)));
            }
        }
    }
}

/// Whether the Packer that is followed meets every constraint, such as `>= 1.7.0, < 2`.
fn verify(constraints: &str) -> Result<(), String> {
    for constraint in constraints.split(',').map(str::trim) {
        let number = constraint.trim_start_matches(['<', '>', '=', '!', '~', ' ']);
        let operator = constraint.strip_suffix(number).unwrap_or("").trim();
        let wanted = version(number).ok_or_else(|| format!("`{constraint}` is no version, such as >= 1.8.0"))?;
        let ours = version(PACKER_VERSION).unwrap_or_default();
        let order = compare(&ours, &wanted);
        let is_met = match operator {
            "" | "=" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            // All but the last part stay the same.
            "~>" => {
                let fixed = wanted.len().saturating_sub(1).max(1);
                order != Ordering::Less && ours.iter().zip(&wanted).take(fixed).all(|(one, other)| one == other)
            }
            _ => return Err(format!("`{constraint}` is no version, such as >= 1.8.0")),
        };
        if !is_met {
            return Err(format!(
                "this template needs Packer {constraint}; Ovenbird does what Packer {PACKER_VERSION} does"
            ));
        }
    }
    Ok(())
}

fn version(text: &str) -> Option<Vec<u64>> {
    let text = text.trim().trim_start_matches('v');
    let release = text.split(['-', '+']).next()?;
    release.split('.').map(|part| part.parse().ok()).collect()
}

fn compare(one: &[u64], other: &[u64]) -> Ordering {
    let length = one.len().max(other.len());
    let part = |parts: &[u64], index: usize| parts.get(index).copied().unwrap_or(0);
    (0..length)
        .map(|index| part(one, index).cmp(&part(other, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_those_of_go_version() {
        for met in [">= 1.7.0", "~> 1.8", "~> 1.16.0", "< 2, >= 1", "!= 1.2.3", ">1.10.0", "= 1.16.0", "1.16"] {
            assert_eq!(verify(met), Ok(()), "{met}");
        }
        for unmet in ["< 1.9", "~> 1.15.0", "~> 2", "> 1.16.0", "1.15.3", ">= 1.7, < 1.8", "next", "=> 1.0"] {
            assert!(verify(unmet).is_err(), "{unmet}");
        }
    }
}
