//! Functions of lists and objects.

use super::Answer;
use super::MANY;
use super::Row;
use super::arguments::Arguments;
use super::arguments::list;
use super::arguments::texts;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("length", "length(VALUE)", 1, 1, |a| {
        let length = match &a.node(0)?.value {
            Value::Array(elements) | Value::Set(elements) => elements.len(),
            Value::Object(members) => members.len(),
            Value::Text(text) => text.chars().count(),
            _ => return a.wrong(0, "a list, an object or a string"),
        };
        Ok(Value::Number(length.to_string()))
    }),
    ("keys", "keys(OBJECT)", 1, 1, |a| Ok(texts(a.object(0)?.iter().map(|member| member.key.as_str())))),
    ("values", "values(OBJECT)", 1, 1, |a| Ok(list(a.object(0)?.iter().map(|member| member.node.clone())))),
    ("lookup", "lookup(OBJECT, KEY, DEFAULT)", 2, 3, |a| {
        let key = a.text(1)?;
        let found = a.object(0)?.into_iter().find(|member| member.key == key).map(|member| &member.node);
        match (found, a.nodes.get(2)) {
            (Some(node), _) | (None, Some(node)) => Ok(node.value.clone()),
            (None, None) => Err(format!("the object has no `{key}`, and `lookup` is given no default")),
        }
    }),
    ("merge", "merge(OBJECT, …)", 0, MANY, merge),
    ("zipmap", "zipmap(KEYS, VALUES)", 2, 2, |a| {
        let (keys, values) = (a.texts(0)?, a.list(1)?);
        if keys.len() != values.len() {
            return Err(format!("`zipmap` is given {} keys and {} values", keys.len(), values.len()));
        }
        Ok(Value::object(keys.into_iter().zip(values.iter().map(|node| node.value.clone()))))
    }),
    ("transpose", "transpose(OBJECT OF LISTS)", 1, 1, transpose),
    ("concat", "concat(LIST, …)", 1, MANY, |a| {
        let lists = (0..a.len()).map(|index| a.list(index)).collect::<Result<Vec<_>, _>>()?;
        Ok(list(lists.concat()))
    }),
    ("flatten", "flatten(LIST)", 1, 1, |a| Ok(list(flat(a.list(0)?)))),
    ("compact", "compact(LIST)", 1, 1, |a| {
        let keep = |node: &&Node| node.to_text().is_some_and(|text| !text.is_empty());
        Ok(list(a.list(0)?.iter().filter(keep).cloned()))
    }),
    ("contains", "contains(LIST, VALUE)", 2, 2, |a| {
        let wanted = a.node(1)?;
        Ok(Value::Boolean(a.list(0)?.iter().any(|node| node.is_equal(wanted))))
    }),
    ("index", "index(LIST, VALUE)", 2, 2, |a| {
        let wanted = a.node(1)?;
        let position = a.list(0)?.iter().position(|node| node.is_equal(wanted));
        position
            .map(|position| Value::Number(position.to_string()))
            .ok_or_else(|| "the value is not in the list".to_owned())
    }),
    ("element", "element(LIST, INDEX)", 2, 2, |a| {
        let (elements, index) = (a.list(0)?, a.count(1)?);
        let length = elements.len().max(1);
        elements.get(index % length).map(|node| node.value.clone()).ok_or_else(|| "the list is empty".to_owned())
    }),
    ("slice", "slice(LIST, START, END)", 3, 3, |a| {
        let elements = a.list(0)?;
        let part = elements.get(a.count(1)?..a.count(2)?);
        part.map(|part| list(part.to_vec())).ok_or_else(|| format!("the list has {} elements only", elements.len()))
    }),
    ("chunklist", "chunklist(LIST, SIZE)", 2, 2, |a| {
        let (elements, size) = (a.list(0)?, a.count(1)?);
        let size = if size == 0 { elements.len().max(1) } else { size };
        Ok(Value::list(elements.chunks(size).map(|chunk| list(chunk.to_vec()))))
    }),
    ("reverse", "reverse(LIST)", 1, 1, |a| Ok(list(a.list(0)?.iter().rev().cloned()))),
    ("sort", "sort(LIST)", 1, 1, |a| {
        let mut sorted = a.texts(0)?;
        sorted.sort();
        Ok(texts(sorted))
    }),
    ("range", "range(START, LIMIT, STEP)", 1, 3, range),
    ("coalesce", "coalesce(VALUE, …)", 1, MANY, |a| {
        let is_empty = |node: &Node| node.is_null() || matches!(&node.value, Value::Text(text) if text.is_empty());
        let found = a.nodes.iter().find(|node| !is_empty(node));
        found.map(|node| node.value.clone()).ok_or_else(|| "every value of `coalesce` is empty".to_owned())
    }),
    ("coalescelist", "coalescelist(LIST, …)", 1, MANY, |a| {
        let lists = (0..a.len()).map(|index| a.list(index)).collect::<Result<Vec<_>, _>>()?;
        let found = lists.into_iter().find(|list| !list.is_empty());
        found.map(|found| list(found.to_vec())).ok_or_else(|| "every list of `coalescelist` is empty".to_owned())
    }),
    ("alltrue", "alltrue(LIST)", 1, 1, |a| {
        Ok(Value::Boolean(a.list(0)?.iter().all(|node| node.to_boolean() == Some(true))))
    }),
    ("anytrue", "anytrue(LIST)", 1, 1, |a| {
        Ok(Value::Boolean(a.list(0)?.iter().any(|node| node.to_boolean() == Some(true))))
    }),
    ("matchkeys", "matchkeys(VALUES, KEYS, WANTED)", 3, 3, |a| {
        let (values, keys, wanted) = (a.list(0)?, a.list(1)?, a.list(2)?);
        let pairs = values.iter().zip(keys);
        Ok(list(pairs.filter(|(_, key)| wanted.iter().any(|one| one.is_equal(key))).map(|(value, _)| value.clone())))
    }),
    ("tolist", "tolist(LIST)", 1, 1, |a| Ok(list(a.list(0)?.to_vec()))),
    ("tomap", "tomap(OBJECT)", 1, 1, |a| Ok(Value::Object(a.object(0)?.into_iter().cloned().collect()))),
];

fn merge(arguments: &Arguments<'_>) -> Answer {
    let mut merged: Vec<Member> = Vec::new();
    for index in (0..arguments.len()).filter(|index| !arguments.nodes.get(*index).is_some_and(Node::is_null)) {
        for member in arguments.object(index)? {
            merged.retain(|known| known.key != member.key);
            merged.push(member.clone());
        }
    }
    Ok(Value::Object(merged))
}

fn transpose(arguments: &Arguments<'_>) -> Answer {
    let mut turned: std::collections::BTreeMap<String, Vec<Value>> = std::collections::BTreeMap::new();
    for member in arguments.object(0)? {
        let Some(elements) = member.node.elements() else { return arguments.wrong(0, "an object of lists") };
        for element in elements {
            let Some(text) = element.to_text() else { return arguments.wrong(0, "an object of lists of strings") };
            turned.entry(text).or_default().push(Value::text(&member.key));
        }
    }
    Ok(Value::object(turned.into_iter().map(|(key, values)| (key, Value::list(values)))))
}

fn flat(elements: &[Node]) -> Vec<Node> {
    let each = |node: &Node| match &node.value {
        Value::Array(inner) | Value::Set(inner) => flat(inner),
        _ => vec![node.clone()],
    };
    elements.iter().flat_map(each).collect()
}

/// More numbers than this are a slip.
const RANGE_LIMIT: usize = 1024;

fn range(arguments: &Arguments<'_>) -> Answer {
    let (start, limit) = match arguments.len() {
        1 => (0.0, arguments.number(0)?),
        _ => (arguments.number(0)?, arguments.number(1)?),
    };
    let step = if arguments.len() == 3 { arguments.number(2)? } else { (limit - start).signum() };
    if step == 0.0 {
        return Err("the step of `range` must not be 0".to_owned());
    }
    let mut numbers = Vec::new();
    let mut next = start;
    while (step > 0.0 && next < limit) || (step < 0.0 && next > limit) {
        if numbers.len() == RANGE_LIMIT {
            return Err(format!("`range` gives more than {RANGE_LIMIT} numbers"));
        }
        numbers.push(Value::number(next));
        next += step;
    }
    Ok(Value::list(numbers))
}
