//! A strict JSON reader: objects keep no duplicate, numbers no rounding, and nothing is larger than its limit.
//!
//! `serde_json` alone lets the last duplicate win and rounds long integers (boot.md, section 6, "serde_json facts").

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de;
use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Value;

use super::MAX_BYTES;
use super::fault::Looks;
use super::fault::MetadataError;
use super::fault::shown;

const MAX_DEPTH: usize = 8;
const MAX_KEYS: usize = 256;
const MAX_TEXT: usize = 4096;
const MAX_INTEGER: u64 = 1 << 53;

/// Reads one object and nothing after it.
pub(super) fn read_object(bytes: &[u8]) -> Result<BTreeMap<String, Value>, MetadataError> {
    if bytes.len() > MAX_BYTES {
        return Err(MetadataError::TooLong);
    }
    let found = match bytes.trim_ascii_start().first() {
        None => return Err(MetadataError::Empty),
        Some(b'{') => return read(bytes),
        Some(b'[') => "a JSON array",
        Some(b'"') => "a JSON string",
        Some(b't' | b'f') => "a JSON boolean",
        Some(b'n') => "JSON null",
        Some(_) => "a JSON number",
    };
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(IgnoredAny) => Err(MetadataError::NotAnObject { found }),
        Err(_) => Err(MetadataError::Foreign(Looks::at(bytes))),
    }
}

fn read(bytes: &[u8]) -> Result<BTreeMap<String, Value>, MetadataError> {
    let reading = Reading::default();
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let node = Node { reading: &reading, depth: 0, path: None };
    let read = node.deserialize(&mut source).and_then(|value| source.end().map(|()| value));
    match read {
        Ok(Value::Object(members)) => Ok(members.into_iter().collect()),
        Ok(_) => Err(MetadataError::NotAnObject { found: "no JSON object" }),
        Err(error) => Err(reading.fault.take().unwrap_or_else(|| syntax(&error))),
    }
}

fn syntax(error: &serde_json::Error) -> MetadataError {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what).to_owned();
    MetadataError::Syntax { what, line: error.line(), column: error.column() }
}

/// What one reading has seen so far. The fault is kept here because a deserializer's error can only carry text.
#[derive(Default)]
struct Reading {
    keys: Cell<usize>,
    fault: RefCell<Option<MetadataError>>,
}

impl Reading {
    fn refuse<E: de::Error>(&self, fault: MetadataError) -> E {
        self.fault.replace(Some(fault));
        E::custom("refused")
    }
}

/// The way from the top to a value.
#[derive(Clone, Copy)]
struct Path<'a> {
    above: Option<&'a Self>,
    name: &'a str,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            write!(f, "{above}.")?;
        }
        f.write_str(&shown(self.name))
    }
}

/// One value to be read, and where it stands.
#[derive(Clone, Copy)]
struct Node<'a> {
    reading: &'a Reading,
    depth: usize,
    path: Option<&'a Path<'a>>,
}

impl Node<'_> {
    fn name(&self) -> String {
        self.path.map_or_else(|| "the whole".to_owned(), ToString::to_string)
    }

    fn enter<E: de::Error>(&self) -> Result<usize, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH { Err(self.reading.refuse(MetadataError::TooDeep)) } else { Ok(depth) }
    }

    fn check_text<E: de::Error>(&self, text: &str) -> Result<(), E> {
        if text.len() > MAX_TEXT {
            return Err(self.reading.refuse(MetadataError::TextTooLong { name: self.name() }));
        }
        if text.chars().any(char::is_control) {
            return Err(self.reading.refuse(MetadataError::ControlCharacter { name: self.name() }));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER { self.visit_f64(0.0) } else { Ok(Value::from(value)) }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER { self.visit_f64(0.0) } else { Ok(Value::from(value)) }
    }

    /// Fractions, exponents and integers of more than 64 bits all arrive here, already rounded.
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
        Err(self.reading.refuse(MetadataError::Number { name: self.name() }))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.check_text(text)?;
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.enter()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Node { depth, ..self })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.enter()?;
        let mut map = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path { above: self.path, name: &name };
            let child = Node { reading: self.reading, depth, path: Some(&path) };
            self.reading.keys.set(self.reading.keys.get() + 1);
            if self.reading.keys.get() > MAX_KEYS {
                return Err(self.reading.refuse(MetadataError::TooManyKeys));
            }
            if map.contains_key(&name) {
                return Err(self.reading.refuse(MetadataError::DuplicateKey { name: path.to_string() }));
            }
            let value = members.next_value_seed(child)?;
            map.insert(name, value);
        }
        Ok(object(map))
    }
}

/// A map as a JSON object, in the map's order.
pub(super) fn object(members: BTreeMap<String, Value>) -> Value {
    Value::Object(members.into_iter().collect())
}

/// The same value with the members of every object in the order of their names.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(members) => object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect()),
        plain => plain,
    }
}

/// The path of the first key, at any level, that `asked` says yes to.
pub(super) fn find_name<'a>(
    members: impl IntoIterator<Item = (&'a String, &'a Value)>,
    asked: &dyn Fn(&str) -> bool,
) -> Option<String> {
    members.into_iter().find_map(|(name, value)| {
        if asked(name) {
            return Some(shown(name));
        }
        Some(format!("{}.{}", shown(name), find_name_below(value, asked)?))
    })
}

fn find_name_below(value: &Value, asked: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Object(members) => find_name(members, asked),
        Value::Array(items) => items.iter().find_map(|item| find_name_below(item, asked)),
        _ => None,
    }
}
