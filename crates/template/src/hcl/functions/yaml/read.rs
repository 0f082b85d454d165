//! A document of YAML as a value, from the parser's events: anchors and merged mappings are values of their own by then.

use std::collections::BTreeMap;

use saphyr_parser::Event;
use saphyr_parser::Parser;
use saphyr_parser::StrInput;
use saphyr_parser::Tag;

use super::super::Answer;
use super::scalars;
use crate::tree::Member;
use crate::tree::Node;
use crate::tree::Value;

/// How deep values may stand within each other: each level takes some of the stack.
const DEEPEST: usize = 100;

/// How many values aliases may stand for: a few lines that double them fill any memory.
const MOST: usize = 100_000;

/// One document; an empty one is `null`.
pub(in crate::hcl::functions) fn read(text: &str) -> Answer {
    let mut reading =
        Reading { parser: Parser::new_from_str(text), line: 1, anchors: BTreeMap::new(), left: MOST, depth: 0 };
    reading.document().map_err(|message| format!("line {} of the YAML: {message}", reading.line))
}

struct Reading<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// The line of the last event.
    line: usize,
    anchors: BTreeMap<usize, Value>,
    /// How many values aliases may still stand for.
    left: usize,
    depth: usize,
}

impl<'a> Reading<'a> {
    /// The next event that says something.
    fn next(&mut self) -> Result<Event<'a>, String> {
        loop {
            let next = self.parser.next().ok_or("it ends early")?;
            let (event, span) = next.map_err(|error| {
                self.line = error.marker().line();
                error.info().to_owned()
            })?;
            self.line = span.start.line();
            if !matches!(event, Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd) {
                return Ok(event);
            }
        }
    }

    fn document(&mut self) -> Answer {
        let value = match self.next()? {
            Event::StreamEnd => return Ok(Value::Null),
            event => self.value(event)?,
        };
        match self.next()? {
            Event::StreamEnd => Ok(value),
            _ => Err("there is a second document; only one can be read".to_owned()),
        }
    }

    fn value(&mut self, event: Event<'a>) -> Answer {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalars::value(&text, style, tag.as_deref())?;
                Ok(self.anchored(anchor, value))
            }
            Event::SequenceStart(anchor, tag) => {
                verify(tag.as_deref(), "seq")?;
                let value = self.deeper(Self::sequence)?;
                Ok(self.anchored(anchor, value))
            }
            Event::MappingStart(anchor, tag) => {
                verify(tag.as_deref(), "map")?;
                let value = self.deeper(Self::mapping)?;
                Ok(self.anchored(anchor, value))
            }
            Event::Alias(anchor) => self.alias(anchor),
            _ => Err("a value is missing".to_owned()),
        }
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Answer) -> Answer {
        if self.depth == DEEPEST {
            return Err(format!("values are nested more than {DEEPEST} levels deep"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn sequence(&mut self) -> Answer {
        let mut values = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::list(values)),
                event => values.push(self.value(event)?),
            }
        }
    }

    fn mapping(&mut self) -> Answer {
        let mut members = Members::default();
        loop {
            let Event::Scalar(text, style, _, tag) = (match self.next()? {
                Event::MappingEnd => return Ok(Value::object(members.0)),
                event => event,
            }) else {
                return Err("a key of a mapping must be a string".to_owned());
            };
            let event = self.next()?;
            let value = self.value(event)?;
            if scalars::is_merge(&text, tag.as_deref()) {
                members.merge(value)?;
                continue;
            }
            let key = Node::from(scalars::value(&text, style, tag.as_deref())?);
            members.put(key.to_text().ok_or("a key of a mapping cannot be null")?, value);
        }
    }

    fn anchored(&mut self, anchor: usize, value: Value) -> Value {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        value
    }

    fn alias(&mut self, anchor: usize) -> Answer {
        let value = self.anchors.get(&anchor).ok_or("an alias stands within its own anchor")?;
        self.left =
            self.left.checked_sub(count(value)).ok_or(format!("its aliases stand for more than {MOST} values"))?;
        Ok(value.clone())
    }
}

/// The members of a mapping. A key that is there twice has its last value, merged ones too.
#[derive(Default)]
struct Members(BTreeMap<String, Value>);

impl Members {
    fn put(&mut self, key: String, value: Value) {
        self.0.insert(key, value);
    }

    /// `<<`, with a mapping or a sequence of mappings.
    fn merge(&mut self, value: Value) -> Result<(), String> {
        match value {
            Value::Object(members) => {
                members.into_iter().for_each(|Member { key, node, .. }| self.put(key, node.value));
                Ok(())
            }
            Value::Array(elements) => elements.into_iter().try_for_each(|element| match element.value {
                value @ Value::Object(_) => self.merge(value),
                _ => Err(format!("`<<` can merge mappings only, one of these is {}", element.kind())),
            }),
            other => Err(format!("`<<` can merge a mapping only, this is {}", Node::from(other).kind())),
        }
    }
}

/// Sequences and mappings have no other tag than their own.
fn verify(tag: Option<&Tag>, own: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == own) => {
            Err(format!("the tag `{tag}` is not supported here"))
        }
        _ => Ok(()),
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.iter().map(|element| count(&element.value)).sum::<usize>() + 1,
        Value::Object(members) => members.iter().map(|member| count(&member.node.value)).sum::<usize>() + 1,
        _ => 1,
    }
}
