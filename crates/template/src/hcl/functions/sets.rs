//! Functions of sets.

use super::MANY;
use super::Row;
use super::arguments::Arguments;
use super::arguments::list;
use crate::hcl::value::set;
use crate::tree::Node;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("toset", "toset(LIST)", 1, 1, |a| Ok(set(a.list(0)?.to_vec()))),
    ("distinct", "distinct(LIST)", 1, 1, |a| {
        let mut kept: Vec<Node> = Vec::new();
        for node in a.list(0)? {
            if !has(&kept, node) {
                kept.push(node.clone());
            }
        }
        Ok(list(kept))
    }),
    ("setunion", "setunion(SET, …)", 1, MANY, |a| Ok(set(lists(a)?.concat()))),
    ("setintersection", "setintersection(SET, …)", 1, MANY, |a| {
        let lists = lists(a)?;
        let in_all = |node: &&Node| lists.iter().all(|list| has(list, node));
        Ok(set(lists.first().map_or_else(Vec::new, |first| first.iter().filter(in_all).cloned().collect())))
    }),
    ("setsubtract", "setsubtract(SET, SET)", 2, 2, |a| {
        let without = a.list(1)?;
        Ok(set(a.list(0)?.iter().filter(|node| !has(without, node)).cloned()))
    }),
    ("setproduct", "setproduct(SET, …)", 1, MANY, |a| {
        let mut rows: Vec<Vec<Node>> = vec![Vec::new()];
        for elements in lists(a)? {
            if rows.len().saturating_mul(elements.len()) > 10_000 {
                return Err("`setproduct` gives more than 10000 combinations".to_owned());
            }
            let longer = |row: &Vec<Node>| {
                let row = row.clone();
                elements.iter().map(move |element| [row.clone(), vec![element.clone()]].concat()).collect::<Vec<_>>()
            };
            rows = rows.iter().flat_map(longer).collect();
        }
        let rows = rows.into_iter().map(|row| Node::from(list(row)));
        let are_lists = a.nodes.iter().all(|node| matches!(node.value, Value::Array(_)));
        // Of sets, the result is one too.
        Ok(if are_lists { list(rows) } else { set(rows) })
    }),
    ("sethaselement", "sethaselement(SET, VALUE)", 2, 2, |a| Ok(Value::Boolean(has(a.list(0)?, a.node(1)?)))),
];

fn lists<'a>(arguments: &Arguments<'a>) -> Result<Vec<&'a [Node]>, String> {
    (0..arguments.len()).map(|index| arguments.list(index)).collect()
}

fn has(elements: &[Node], wanted: &Node) -> bool {
    elements.iter().any(|node| node.is_equal(wanted))
}
