//! REST-JSON, the EBS direct APIs' protocol: members in the path, the query string, headers, and the body.

use bytes::Bytes;
use http::Request;
use http::Response;

use super::error::DecodeError;
use super::json;
use super::node::Node;
use super::query::decode_form;
use super::query::encode_form;
use super::query::escape;
use super::query::unescape;
use super::shape::Member;
use super::shape::Naming;
use super::shape::Operation;
use super::shape::Place;
use super::shape::Value;

/// A structure taken apart by the places of its members.
struct Parts {
    body: Vec<(String, Node)>,
    headers: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    uri: Vec<(&'static str, String)>,
    payload: Option<Bytes>,
}

fn take_apart<T: Value>(mut node: Node) -> Parts {
    let mut parts = Parts { body: Vec::new(), headers: Vec::new(), query: Vec::new(), uri: Vec::new(), payload: None };
    for member in T::members() {
        let Some(found) = node.take(member.wire) else { continue };
        let text = |node: &Node| node.text().unwrap_or_default();
        match (member.place, found) {
            (Place::Body, node) => parts.body.push((member.wire.to_owned(), node)),
            (Place::Header, node) => parts.headers.push((member.wire, text(&node))),
            (Place::QueryString, node) => parts.query.push((member.wire.to_owned(), text(&node))),
            (Place::Uri, node) => parts.uri.push((member.wire, text(&node))),
            (Place::Payload, Node::Bytes(bytes)) => parts.payload = Some(bytes),
            (Place::Payload, node) => parts.payload = Some(text(&node).into()),
        }
    }
    parts
}

fn tree<T: Value>(value: &T) -> Node {
    value.to_node(Naming::Model).unwrap_or(Node::Struct(Vec::new()))
}

fn has_member_in<T: Value>(place: Place) -> bool {
    T::members().iter().any(|member| member.place == place)
}

/// A shape with no member in the body has an empty one, not `{}`.
fn body_of<T: Value>(parts: Parts) -> (Bytes, &'static str) {
    if has_member_in::<T>(Place::Payload) {
        return (parts.payload.unwrap_or_default(), "application/octet-stream");
    }
    if !has_member_in::<T>(Place::Body) {
        return (Bytes::new(), "application/json");
    }
    (json::encode(&Node::Struct(parts.body)).to_string().into(), "application/json")
}

/// A value that no header can hold (a line break, a control character) is left out: the service then names the missing
/// member, which says more than a request that cannot be built.
fn put_headers(headers: &mut http::HeaderMap, values: Vec<(&'static str, String)>) {
    for (name, value) in values {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

pub(super) fn encode_request<O: Operation>(request: &O) -> Request<Bytes> {
    let mut parts = take_apart::<O>(tree(request).without_empty_lists());
    let mut path = O::PATH.to_owned();
    for (name, value) in &parts.uri {
        path = path.replace(&format!("{{{name}}}"), &escape(value));
    }
    if !parts.query.is_empty() {
        path = format!("{path}?{}", encode_form(&parts.query));
    }
    let headers = std::mem::take(&mut parts.headers);
    let (body, content_type) = body_of::<O>(parts);
    let mut builder = Request::builder().method(O::METHOD).uri(path);
    if !body.is_empty() {
        builder = builder.header("content-type", content_type);
    }
    let mut request = builder.body(body).unwrap_or_default();
    put_headers(request.headers_mut(), headers);
    request
}

pub(super) fn encode_answer<T: Value>(answer: &T, status: u16) -> Response<Bytes> {
    let mut parts = take_apart::<T>(tree(answer));
    let headers = std::mem::take(&mut parts.headers);
    let (body, content_type) = body_of::<T>(parts);
    let mut response =
        Response::builder().status(status).header("content-type", content_type).body(body).unwrap_or_default();
    put_headers(response.headers_mut(), headers);
    response
}

/// The values for `pattern`'s `{places}` in `path`; `None` where they do not match.
pub(super) fn match_path(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut places = Vec::new();
    for (want, have) in wanted.into_iter().zip(given) {
        match want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => places.push((name.to_owned(), unescape(have).ok()?)),
            None if want == have => {}
            None => return None,
        }
    }
    Some(places)
}

pub(super) fn decode_request<O: Operation>(request: &Request<Bytes>) -> Result<O, DecodeError> {
    let places = match_path(O::PATH, request.uri().path())
        .ok_or_else(|| DecodeError::unexpected(O::PATH, request.uri().path()))?;
    let query = decode_form(request.uri().query().unwrap_or_default())?;
    let text = |found: Option<&(String, String)>| found.map(|(_, value)| value.clone());
    put_together(request.headers(), request.body(), |member| match member.place {
        Place::Uri => text(places.iter().find(|(name, _)| name == member.wire)),
        Place::QueryString => text(query.iter().find(|(name, _)| name == member.wire)),
        _ => None,
    })
}

pub(super) fn decode_answer<T: Value>(answer: &Response<Bytes>) -> Result<T, DecodeError> {
    put_together(answer.headers(), answer.body(), |_| None)
}

fn put_together<T: Value>(
    headers: &http::HeaderMap,
    body: &Bytes,
    from_uri: impl Fn(&Member) -> Option<String>,
) -> Result<T, DecodeError> {
    let mut node = if has_member_in::<T>(Place::Payload) { Node::Struct(Vec::new()) } else { json::decode_body(body)? };
    for member in T::members() {
        let text = |text: Option<String>| text.map(Node::Text);
        let found = match member.place {
            Place::Body => continue,
            Place::Payload => Some(Node::Bytes(body.clone())),
            Place::Header => text(headers.get(member.wire).and_then(|value| value.to_str().ok()).map(str::to_owned)),
            Place::Uri | Place::QueryString => text(from_uri(&member)),
        };
        let Node::Struct(members) = &mut node else {
            return Err(DecodeError::unexpected("an object", node.describe()));
        };
        members.retain(|(name, _)| name != member.wire);
        if let Some(found) = found {
            members.push((member.wire.to_owned(), found));
        }
    }
    T::from_node(Some(node), Naming::Model)
}
