//! The services, their protocols, and the four conversions between typed values and HTTP.

use bytes::Bytes;
use http::Request;
use http::Response;

use super::error::ApiError;
use super::error::DecodeError;
use super::json;
use super::node::Node;
use super::query;
use super::rest;
use super::shape::Naming;
use super::shape::Operation;
use super::shape::Shape as _;
use super::shape::Value as _;
use super::xml;
use crate::ec2::Nothing;

/// How a service writes requests and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// EC2's query form with XML answers.
    Ec2,
    /// The older query form with XML answers (STS).
    Query,
    /// JSON 1.1 with the operation in `X-Amz-Target` (SSM).
    Json,
    /// JSON and HTTP's own means (EBS direct APIs).
    RestJson,
}

/// A service of AWS that Ovenbird speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Elastic Compute Cloud.
    Ec2,
    /// EBS direct APIs.
    Ebs,
    /// Systems Manager; here its Parameter Store.
    Ssm,
    /// Security Token Service.
    Sts,
    /// Identity and Access Management. The embedded endpoint answers it; no client of ours calls it.
    Iam,
}

impl Service {
    /// Every service here.
    pub const ALL: [Self; 5] = [Self::Ec2, Self::Ebs, Self::Ssm, Self::Sts, Self::Iam];

    /// Prefix of the host name and name in signatures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Ebs => "ebs",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }

    /// Its protocol.
    #[must_use]
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Ec2 => Protocol::Ec2,
            Self::Sts | Self::Iam => Protocol::Query,
            Self::Ssm => Protocol::Json,
            Self::Ebs => Protocol::RestJson,
        }
    }

    /// The API's version, as the model has it.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Ec2 => "2016-11-15",
            Self::Ebs => "2019-11-02",
            Self::Ssm => "2014-11-06",
            Self::Sts => "2011-06-15",
            Self::Iam => "2010-05-08",
        }
    }

    fn xml_namespace(self) -> &'static str {
        match self {
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            _ => "https://sts.amazonaws.com/doc/2011-06-15/",
        }
    }
}

/// A request with path, headers and body, still without host and signature.
#[must_use]
pub fn encode_request<O: Operation>(request: &O) -> Request<Bytes> {
    match O::SERVICE.protocol() {
        protocol @ (Protocol::Ec2 | Protocol::Query) => {
            let naming = if protocol == Protocol::Ec2 { Naming::Capital } else { Naming::Model };
            let mut fields = vec![
                ("Action".to_owned(), O::ACTION.to_owned()),
                ("Version".to_owned(), O::SERVICE.version().to_owned()),
            ];
            fields.extend(request.to_node(naming).map(|node| query::encode_fields(&node)).unwrap_or_default());
            post("application/x-www-form-urlencoded; charset=utf-8", query::encode_form(&fields), None)
        }
        Protocol::Json => {
            let node = request.to_node(Naming::Model).unwrap_or(Node::Struct(Vec::new()));
            let body = json::encode(&node.without_empty_lists()).to_string();
            post("application/x-amz-json-1.1", body, Some(format!("AmazonSSM.{}", O::ACTION)))
        }
        Protocol::RestJson => rest::encode_request(request),
    }
}

fn post(content_type: &str, body: String, target: Option<String>) -> Request<Bytes> {
    let mut builder = Request::builder().method("POST").uri("/").header("content-type", content_type);
    if let Some(target) = target {
        builder = builder.header("x-amz-target", target);
    }
    builder.body(body.into()).unwrap_or_default()
}

/// Reads the request of operation `O`.
///
/// # Errors
/// What does not fit the shape, with the path to it.
pub fn decode_request<O: Operation>(request: &Request<Bytes>) -> Result<O, DecodeError> {
    match O::SERVICE.protocol() {
        protocol @ (Protocol::Ec2 | Protocol::Query) => {
            let body =
                std::str::from_utf8(request.body()).map_err(|_| DecodeError::unexpected("UTF-8", "other bytes"))?;
            let mut fields = query::decode_form(request.uri().query().unwrap_or_default())?;
            fields.extend(query::decode_form(body)?);
            let naming = if protocol == Protocol::Ec2 { Naming::Capital } else { Naming::Model };
            O::from_node(Some(query::decode_fields(fields)?), naming)
        }
        Protocol::Json => O::from_node(Some(json::decode_body(request.body())?), Naming::Model),
        Protocol::RestJson => rest::decode_request(request),
    }
}

/// The answer of operation `O`, as its service writes it.
#[must_use]
pub fn encode_answer<O: Operation>(answer: &O::Answer, request_id: &str) -> Response<Bytes> {
    let node = || answer.to_node(Naming::Model).unwrap_or(Node::Struct(Vec::new()));
    match O::SERVICE.protocol() {
        protocol @ (Protocol::Ec2 | Protocol::Query) => {
            let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            body.push_str(&format!("<{}Response xmlns=\"{}\">", O::ACTION, O::SERVICE.xml_namespace()));
            if protocol == Protocol::Ec2 {
                body.push_str(&format!("<requestId>{request_id}</requestId>"));
                // Only operations without an answer of their own say so; others write the member `return` themselves.
                if O::Answer::NAME == Nothing::NAME {
                    body.push_str("<return>true</return>");
                } else {
                    xml::encode_content(&mut body, &node(), xml::ITEM);
                }
            } else {
                xml::encode_element(&mut body, &format!("{}Result", O::ACTION), &node(), xml::MEMBER);
                body.push_str(&format!("<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"));
            }
            body.push_str(&format!("</{}Response>", O::ACTION));
            respond(200, "text/xml;charset=UTF-8", body, request_id)
        }
        Protocol::Json => respond(200, "application/x-amz-json-1.1", json::encode(&node()).to_string(), request_id),
        Protocol::RestJson => {
            let mut response = rest::encode_answer(answer, O::STATUS);
            put_request_id(&mut response, request_id);
            response
        }
    }
}

fn respond(status: u16, content_type: &str, body: String, request_id: &str) -> Response<Bytes> {
    let mut response =
        Response::builder().status(status).header("content-type", content_type).body(body.into()).unwrap_or_default();
    put_request_id(&mut response, request_id);
    response
}

fn put_request_id(response: &mut Response<Bytes>, request_id: &str) {
    if let Ok(value) = request_id.parse() {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
}

/// An error, as `protocol` writes it.
#[must_use]
pub fn encode_error(protocol: Protocol, error: &ApiError, request_id: &str) -> Response<Bytes> {
    let text = |text: &str| Node::Text(text.to_owned());
    let code_and_message =
        || vec![("Code".to_owned(), text(&error.code)), ("Message".to_owned(), text(&error.message))];
    match protocol {
        Protocol::Ec2 => {
            let mut body = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors>");
            xml::encode_element(&mut body, "Error", &Node::Struct(code_and_message()), xml::ITEM);
            body.push_str(&format!("</Errors><RequestID>{request_id}</RequestID></Response>"));
            respond(error.status, "text/xml;charset=UTF-8", body, request_id)
        }
        Protocol::Query => {
            let mut members = vec![("Type".to_owned(), text(if error.status < 500 { "Sender" } else { "Receiver" }))];
            members.extend(code_and_message());
            let mut body = String::from("<ErrorResponse>");
            xml::encode_element(&mut body, "Error", &Node::Struct(members), xml::MEMBER);
            body.push_str(&format!("<RequestId>{request_id}</RequestId></ErrorResponse>"));
            respond(error.status, "text/xml", body, request_id)
        }
        Protocol::Json => {
            let body = serde_json::json!({ "__type": error.code, "message": error.message });
            respond(error.status, "application/x-amz-json-1.1", body.to_string(), request_id)
        }
        Protocol::RestJson => {
            let mut body = serde_json::json!({ "Message": error.message });
            if let Some(reason) = &error.reason {
                body["Reason"] = reason.clone().into();
            }
            let mut response = respond(error.status, "application/json", body.to_string(), request_id);
            if let Ok(code) = error.code.parse() {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            response
        }
    }
}

/// Reads the answer of operation `O`: the typed answer, or the service's error.
///
/// # Errors
/// Outer: a body that fits neither an answer nor an error of the protocol.
pub fn decode_answer<O: Operation>(response: &Response<Bytes>) -> Result<Result<O::Answer, ApiError>, DecodeError> {
    if !response.status().is_success() {
        return Ok(Err(decode_error(O::SERVICE.protocol(), response)));
    }
    match O::SERVICE.protocol() {
        Protocol::Ec2 => O::Answer::from_node(Some(xml::decode(body_text(response)?)?), Naming::Model).map(Ok),
        Protocol::Query => {
            let mut root = xml::decode(body_text(response)?)?;
            O::Answer::from_node(root.take(&format!("{}Result", O::ACTION)), Naming::Model).map(Ok)
        }
        Protocol::Json => O::Answer::from_node(Some(json::decode_body(response.body())?), Naming::Model).map(Ok),
        Protocol::RestJson => rest::decode_answer(response).map(Ok),
    }
}

fn body_text(response: &Response<Bytes>) -> Result<&str, DecodeError> {
    std::str::from_utf8(response.body()).map_err(|_| DecodeError::unexpected("UTF-8", "other bytes"))
}

fn decode_error(protocol: Protocol, response: &Response<Bytes>) -> ApiError {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut error = ApiError {
        status,
        code: header("x-amzn-errortype").unwrap_or_default(),
        message: String::new(),
        reason: None,
        request_id: header("x-amzn-requestid").or_else(|| header("x-amz-request-id")),
    };
    let mut take_from = |node: &mut Node| {
        let mut text = |names: &[&str]| names.iter().find_map(|name| node.take(name)).and_then(|node| node.text());
        if let Some(code) = text(&["Code", "__type", "code"]) {
            error.code = code;
        }
        error.message = text(&["Message", "message"]).unwrap_or_default();
        error.reason = text(&["Reason"]);
    };
    match protocol {
        Protocol::Ec2 | Protocol::Query => {
            let mut root =
                body_text(response).ok().and_then(|body| xml::decode(body).ok()).unwrap_or(Node::Struct(Vec::new()));
            let request_id = root.take("RequestID").or_else(|| root.take("RequestId")).and_then(|node| node.text());
            let mut errors = root.take("Errors").unwrap_or(root);
            if let Some(mut inner) = errors.take("Error") {
                take_from(&mut inner);
            }
            error.request_id = request_id.or(error.request_id);
        }
        Protocol::Json | Protocol::RestJson => {
            if let Ok(mut root) = json::decode_body(response.body()) {
                take_from(&mut root);
            }
        }
    }
    // `aws.protocols#ErrorName:http://…` is the long form of a code.
    let short = error.code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    error.code = if short.is_empty() { format!("HTTP{status}") } else { short };
    if error.message.is_empty() {
        error.message = String::from_utf8_lossy(&response.body()[..response.body().len().min(300)]).trim().to_owned();
    }
    error
}
