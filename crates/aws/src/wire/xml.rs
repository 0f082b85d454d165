//! XML as EC2 answers it (lists wrapped around `item`s), and STS and IAM (around `member`s); everything else is text.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::error::DecodeError;
use super::node::Node;

/// Deepest nesting that is read; the model's deepest answer has 12.
const MAX_DEPTH: usize = 40;

/// What wraps each item of a list in EC2's answers.
pub(super) const ITEM: &str = "item";
/// The same in the answers of the Query protocol.
pub(super) const MEMBER: &str = "member";

/// Writes `<name>…</name>`; `wrapper` is [`ITEM`] or [`MEMBER`].
pub(super) fn encode_element(xml: &mut String, name: &str, node: &Node, wrapper: &str) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    encode_content(xml, node, wrapper);
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

/// Writes what stands between the tags.
pub(super) fn encode_content(xml: &mut String, node: &Node, wrapper: &str) {
    match node {
        Node::Struct(members) => members.iter().for_each(|(name, node)| encode_element(xml, name, node, wrapper)),
        Node::List(items) => items.iter().for_each(|node| encode_element(xml, wrapper, node, wrapper)),
        scalar => encode_text(xml, &scalar.text().unwrap_or_default()),
    }
}

/// Escapes what XML takes for itself; also the carriage return, which every reader turns into a line feed otherwise.
/// XML 1.0 has no way to write most control characters, not even escaped: they become U+FFFD.
fn encode_text(xml: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' => xml.push(letter),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
}

/// An element whose end has not come yet.
#[derive(Default)]
struct Element {
    name: String,
    members: Vec<(String, Node)>,
    text: String,
}

/// Reads a document; the root's own name is dropped, its content returned.
pub(super) fn decode(xml: &str) -> Result<Node, DecodeError> {
    let mut reader = Reader::from_str(xml);
    let broken = |error: &dyn std::fmt::Display| DecodeError::unexpected("XML", error.to_string());
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(DecodeError::unexpected("XML of at most 40 levels", "more"));
                }
                open.push(Element { name: start.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                match open.last_mut() {
                    Some(outer) => outer.members.push((name, Node::Text(String::new()))),
                    None => return Ok(Node::Struct(Vec::new())),
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&resolve(&reference).ok_or_else(|| broken(&"an unknown entity"))?);
                }
            }
            Event::CData(data) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&data.xml10_content());
                }
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { return Err(broken(&"an end without a start")) };
                let name = element.name.clone();
                let node = element.close();
                match open.last_mut() {
                    Some(outer) => outer.members.push((name, node)),
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

impl Element {
    /// Its content: members where it has any, else text. Repeated `item` or `member` elements are a list.
    fn close(self) -> Node {
        if self.members.is_empty() {
            return Node::Text(self.text);
        }
        if self.members.iter().all(|(name, _)| name == "item" || name == "member") {
            return Node::List(self.members.into_iter().map(|(_, node)| node).collect());
        }
        Node::Struct(self.members)
    }
}
