//! XML as EC2 and STS answer it: lists wrapped around `item`s, everything else text.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

use super::error::DecodeError;
use super::node::Node;

/// Deepest nesting that is read; the model's deepest answer has 12.
const MAX_DEPTH: usize = 40;

/// Writes `<name>…</name>`.
pub(super) fn encode_element(xml: &mut String, name: &str, node: &Node) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    encode_content(xml, node);
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

/// Writes what stands between the tags.
pub(super) fn encode_content(xml: &mut String, node: &Node) {
    match node {
        Node::Struct(members) => members.iter().for_each(|(name, node)| encode_element(xml, name, node)),
        Node::List(items) => items.iter().for_each(|node| encode_element(xml, "item", node)),
        scalar => xml.push_str(&escape(without_control(&scalar.text().unwrap_or_default()))),
    }
}

/// XML 1.0 has no way to write most control characters, not even escaped.
fn without_control(text: &str) -> Cow<'_, str> {
    let is_bad = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    if text.chars().any(is_bad) { Cow::Owned(text.replace(is_bad, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Reads a document; the root's own name is dropped, its content returned.
pub(super) fn decode(xml: &str) -> Result<Node, DecodeError> {
    let mut reader = Reader::from_str(xml);
    let broken = |error: &dyn std::fmt::Display| DecodeError::unexpected("XML", error.to_string());
    // Each open element: its name, its members, its text.
    let mut open: Vec<(String, Vec<(String, Node)>, String)> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(DecodeError::unexpected("XML of at most 40 levels", "more"));
                }
                open.push((start.local_name().as_ref().to_owned(), Vec::new(), String::new()));
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                match open.last_mut() {
                    Some((_, members, _)) => members.push((name, Node::Text(String::new()))),
                    None => return Ok(Node::Struct(Vec::new())),
                }
            }
            Event::Text(text) => {
                if let Some((_, _, content)) = open.last_mut() {
                    content.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some((_, _, content)) = open.last_mut() {
                    content.push_str(&resolve(&reference).ok_or_else(|| broken(&"an unknown entity"))?);
                }
            }
            Event::CData(data) => {
                if let Some((_, _, content)) = open.last_mut() {
                    content.push_str(&data.xml10_content());
                }
            }
            Event::End(_) => {
                let Some((name, members, text)) = open.pop() else { return Err(broken(&"an end without a start")) };
                let node = close(members, text);
                match open.last_mut() {
                    Some((_, outer, _)) => outer.push((name, node)),
                    None => return Ok(node),
                }
            }
            Event::Eof => return Err(DecodeError::unexpected("XML", "its end in the middle")),
            _ => {}
        }
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return Some(letter.to_string());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}

/// An element's content: members where it has any, else text. Repeated `item` or `member` elements are a list.
fn close(members: Vec<(String, Node)>, text: String) -> Node {
    if members.is_empty() {
        return Node::Text(text);
    }
    if members.iter().all(|(name, _)| name == "item" || name == "member") {
        return Node::List(members.into_iter().map(|(_, node)| node).collect());
    }
    Node::Struct(members)
}
