//! botocore as the independent other side: its serialisers write what our endpoint reads, its parsers read what our
//! endpoint writes, and our client writes what botocore writes.

use std::cell::RefCell;

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use http::Response;
use jiff::Timestamp;
use ovenbird_aws::Operation;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ssm;
use ovenbird_aws::sts;
use ovenbird_aws::wire;
use ovenbird_aws::wire::ApiError;
use ovenbird_aws::wire::Kind;
use ovenbird_aws::wire::Member;
use ovenbird_aws::wire::Naming;
use ovenbird_aws::wire::Node;
use ovenbird_aws::wire::Protocol;
use ovenbird_aws::wire::Shape;
use proptest::prelude::*;
use serde_json::Value as Json;
use serde_json::json;

use crate::arbitrary::Carried;
use crate::arbitrary::any_of;
use crate::official::Model;
use crate::operations::Visit;
use crate::operations::visit_all;
use crate::round_trip::check;
use crate::venv::Script;

struct Botocore(RefCell<Script>);

impl Botocore {
    fn start() -> Self {
        Self(RefCell::new(Script::start("botocore_wire.py")))
    }

    fn ask<O: Operation>(&self, what: &str, mut question: Json) -> Json {
        question["do"] = what.into();
        question["service"] = O::SERVICE.name().into();
        question["version"] = O::SERVICE.version().into();
        question["operation"] = O::ACTION.into();
        let answer: Json = serde_json::from_str(&self.0.borrow_mut().ask(&question.to_string())).unwrap();
        if let Some(complaint) = answer["botocore raised"].as_str() {
            panic!("{}: {complaint}", O::ACTION);
        }
        answer
    }

    /// The request as botocore writes it for these parameters.
    fn serialize<O: Operation>(&self, request: &O) -> Request<Bytes> {
        let written = self
            .ask::<O>("serialize", json!({ "parameters": as_botocore::<O, O>(request, Node::without_empty_lists) }));
        let text = |json: &Json| json.as_str().unwrap().to_owned();
        let mut uri = text(&written["path"]);
        let fields: Vec<String> =
            pairs(&written["query"]).map(|(name, value)| format!("{}={}", escape(&name), escape(&value))).collect();
        if !fields.is_empty() {
            uri = format!("{uri}?{}", fields.join("&"));
        }
        let mut request = Request::builder().method(&*text(&written["method"])).uri(uri);
        for (name, value) in pairs(&written["headers"]) {
            request = request.header(name, value);
        }
        request.body(BASE64.decode(text(&written["body"]).as_bytes()).unwrap().into()).unwrap()
    }

    /// The answer as botocore reads it.
    fn parse<O: Operation>(&self, answer: &Response<Bytes>) -> Json {
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
        let question = json!({
            "status": answer.status().as_u16(),
            "headers": headers.collect::<serde_json::Map<_, _>>(),
            "body": BASE64.encode(answer.body()),
        });
        self.ask::<O>("parse", question)
    }
}

fn pairs(json: &Json) -> impl Iterator<Item = (String, String)> {
    json.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
}

/// As botocore sends a query string (`percent_encode_sequence`).
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A typed value with the model's own names, as a caller of botocore has it. Only requests leave empty lists out.
fn as_botocore<O: Operation, T: Shape>(value: &T, prepare: impl Fn(Node) -> Node) -> Json {
    named(Model::of(O::SERVICE), T::NAME, &T::members(), prepare(value.to_node(Naming::Model).unwrap()))
}

fn named(model: &Model, shape: &str, members: &[Member], mut node: Node) -> Json {
    let name = |member: &Member| {
        let (official, description) = model.member(shape, member.name)?;
        let value = node.take(member.wire)?;
        let inner = description["shape"].as_str()?;
        Some((official.to_owned(), plain(model, inner, &member.kind, member.members, value)))
    };
    members.iter().filter_map(name).collect::<serde_json::Map<_, _>>().into()
}

fn plain(model: &Model, shape: &str, kind: &Kind, members: fn() -> Vec<Member>, node: Node) -> Json {
    match (kind, node) {
        (Kind::List(item), Node::List(nodes)) => {
            let inner = model.shape(shape)["member"]["shape"].as_str().unwrap();
            nodes.into_iter().map(|node| plain(model, inner, item, members, node)).collect()
        }
        (Kind::Structure(_), node) => named(model, shape, &members(), node),
        (_, Node::Bool(value)) => value.into(),
        (_, Node::Integer(value)) => value.into(),
        (_, Node::Float(value)) => value.into(),
        (_, Node::Instant(value)) => value.as_millisecond().into(),
        (_, scalar) => scalar.text().unwrap().into(),
    }
}

/// The text of a request, in a form that two writers of the same request must agree on.
fn comparable(protocol: Protocol, request: &Request<Bytes>) -> (String, Vec<(String, String)>, Json) {
    let mut fields = wire::decode_form(request.uri().query().unwrap_or_default()).unwrap();
    let body = match protocol {
        Protocol::Ec2 | Protocol::Query => {
            fields.extend(wire::decode_form(std::str::from_utf8(request.body()).unwrap()).unwrap());
            Json::Null
        }
        // A GET has no body; botocore writes `{}` for the others, as we do.
        _ => serde_json::from_slice(request.body()).unwrap_or_else(|_| BASE64.encode(request.body()).into()),
    };
    // Other SDKs name the type of a block, `application/octet-stream`; botocore does not.
    let is_told = |(name, value): &(&http::HeaderName, &http::HeaderValue)| {
        name.as_str().starts_with("x-amz-") || (*name == "content-type" && *value != "application/octet-stream")
    };
    for (name, value) in request.headers().iter().filter(is_told) {
        fields.push((name.to_string(), value.to_str().unwrap().to_owned()));
    }
    for (_, value) in &mut fields {
        *value = one_way_to_write(value);
    }
    fields.sort();
    (format!("{} {}", request.method(), request.uri().path()), fields, body)
}

/// There are several ways to write an instant in ISO 8601, and a whole number that may have a fraction; the service takes them all.
fn one_way_to_write(value: &str) -> String {
    if let Ok(instant) = value.parse::<Timestamp>() {
        return instant.to_string();
    }
    let whole = value.strip_suffix(".0").filter(|whole| whole.parse::<i64>().is_ok());
    whole.unwrap_or(value).to_owned()
}

struct Requests(Botocore);

impl Visit for Requests {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq,
    {
        let protocol = O::SERVICE.protocol();
        check(O::ACTION, 24, &any_of::<O>(Carried::by_requests(protocol)), |request| {
            let botocores = self.0.serialize(&request);
            prop_assert_eq!(wire::decode_request::<O>(&botocores), Ok(request.clone()));
            let ours = wire::encode_request(&request);
            prop_assert_eq!(comparable(protocol, &ours), comparable(protocol, &botocores));
            Ok(())
        });
    }
}

#[test]
fn requests_are_those_of_botocore() {
    visit_all(&mut Requests(Botocore::start()));
}

struct Answers(Botocore);

impl Visit for Answers {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq,
    {
        check(O::ACTION, 24, &any_of::<O::Answer>(Carried::by_answers(O::SERVICE.protocol())), |answer| {
            let read = self.0.parse::<O>(&wire::encode_answer::<O>(&answer, "id"));
            prop_assert_eq!(read, as_botocore::<O, O::Answer>(&answer, |node| node));
            Ok(())
        });
    }
}

#[test]
fn answers_are_read_by_botocore() {
    visit_all(&mut Answers(Botocore::start()));
}

#[test]
fn errors_are_read_by_botocore() {
    fn check<O: Operation>(botocore: &Botocore) {
        for (status, code) in
            [(400, "InvalidParameterValue"), (404, "ResourceNotFoundException"), (503, "RequestLimitExceeded")]
        {
            let error = ApiError::client(code, "<no> such \"thing\" & é").with_status(status);
            let read = botocore.parse::<O>(&wire::encode_error(O::SERVICE.protocol(), &error, "id"));
            assert_eq!(read["Error"]["Code"], code, "{}", O::ACTION);
            assert_eq!(read["Error"]["Message"], "<no> such \"thing\" & é", "{}", O::ACTION);
        }
    }
    let botocore = Botocore::start();
    check::<ec2::DescribeImagesRequest>(&botocore);
    check::<sts::GetCallerIdentityRequest>(&botocore);
    check::<ssm::GetParameterRequest>(&botocore);
    check::<ebs::GetSnapshotBlockRequest>(&botocore);
}
