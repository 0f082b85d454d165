//! JSON of the JSON 1.1 and REST-JSON protocols.

use serde_json::Map;
use serde_json::Number;
use serde_json::Value as Json;

use super::error::DecodeError;
use super::node::Node;

/// Writes a tree. Instants are seconds since 1970, with milliseconds as the fraction.
pub(super) fn encode(node: &Node) -> Json {
    match node {
        Node::Text(text) => Json::String(text.clone()),
        Node::Bool(value) => Json::Bool(*value),
        Node::Integer(value) => Json::Number((*value).into()),
        Node::Float(value) => number(*value),
        #[expect(clippy::cast_precision_loss, reason = "epoch milliseconds fit a double")]
        Node::Instant(instant) => number(instant.as_millisecond() as f64 / 1000.0),
        Node::Bytes(bytes) => Json::String(data_encoding::BASE64.encode(bytes)),
        Node::List(items) => Json::Array(items.iter().map(encode).collect()),
        Node::Struct(members) => {
            Json::Object(members.iter().map(|(name, node)| (name.clone(), encode(node))).collect::<Map<_, _>>())
        }
    }
}

fn number(value: f64) -> Json {
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}

/// Reads a body; an empty one is an empty structure.
pub(super) fn decode_body(body: &[u8]) -> Result<Node, DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Node::Struct(Vec::new()));
    }
    let json: Json =
        serde_json::from_slice(body).map_err(|error| DecodeError::unexpected("JSON", error.to_string()))?;
    Ok(decode(json).unwrap_or(Node::Struct(Vec::new())))
}

fn decode(json: Json) -> Option<Node> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Node::Bool(value),
        Json::Number(value) => {
            value.as_i64().map_or_else(|| Node::Float(value.as_f64().unwrap_or(f64::NAN)), Node::Integer)
        }
        Json::String(text) => Node::Text(text),
        Json::Array(items) => Node::List(items.into_iter().filter_map(decode).collect()),
        Json::Object(members) => {
            Node::Struct(members.into_iter().filter_map(|(name, json)| Some((name, decode(json)?))).collect())
        }
    })
}
