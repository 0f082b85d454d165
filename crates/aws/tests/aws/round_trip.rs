//! What one side writes, the other reads; and nothing that arrives makes a decoder panic.

use bytes::Bytes;
use http::Request;
use http::Response;
use jiff::Timestamp;
use ovenbird_aws::Operation;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ssm;
use ovenbird_aws::wire;
use ovenbird_aws::wire::ApiError;
use ovenbird_aws::wire::Blob;
use ovenbird_aws::wire::Naming;
use ovenbird_aws::wire::Node;
use ovenbird_aws::wire::Value as _;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::arbitrary::Carried;
use crate::arbitrary::any_of;
use crate::operations::Visit;
use crate::operations::visit_all;

/// Runs a property of one operation.
pub(crate) fn check<S: Strategy>(
    action: &str,
    cases: u32,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    TestRunner::new(config).run(strategy, property).unwrap_or_else(|failure| panic!("{action}: {failure}"));
}

struct RoundTrips;

impl Visit for RoundTrips {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq,
    {
        let protocol = O::SERVICE.protocol();
        check(O::ACTION, 96, &any_of::<O>(Carried::by_requests(protocol)), |request| {
            let read = wire::decode_request::<O>(&wire::encode_request(&request));
            prop_assert_eq!(read, Ok(request));
            Ok(())
        });
        check(O::ACTION, 96, &any_of::<O::Answer>(Carried::by_answers(protocol)), |answer| {
            let read = wire::decode_answer::<O>(&wire::encode_answer::<O>(&answer, "id"));
            prop_assert_eq!(read, Ok(Ok(answer)));
            Ok(())
        });
    }
}

#[test]
fn every_request_and_answer_survives_the_wire() {
    visit_all(&mut RoundTrips);
}

/// Bytes as they may come from anywhere: noise, and good ones with a few changed, cut or doubled.
fn spoilt(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let changed = (vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), any::<prop::sample::Index>(), 0..4_u8);
    let changed = changed.prop_map(move |(changes, cut, what)| {
        let mut bytes = good.clone();
        for (at, byte) in changes.iter().filter(|_| !good.is_empty()) {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        let cut = cut.index(bytes.len() + 1);
        match what {
            0 => bytes.truncate(cut),
            1 => bytes.extend_from_within(cut..),
            2 => drop(bytes.drain(..cut)),
            _ => {}
        }
        bytes
    });
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => changed]
}

struct Fuzz;

impl Visit for Fuzz {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq,
    {
        let protocol = O::SERVICE.protocol();
        let requests = any_of::<O>(Carried::by_requests(protocol)).prop_flat_map(|request| {
            let (parts, body) = wire::encode_request(&request).into_parts();
            let target = spoilt(parts.uri.to_string().into_bytes());
            (Just(parts), target, spoilt(body.into()), spoilt(b"value".to_vec()))
        });
        check(O::ACTION, 64, &requests, |(parts, target, body, header)| {
            let mut request = Request::from_parts(parts, body.into());
            if let Ok(uri) = http::Uri::try_from(target) {
                *request.uri_mut() = uri;
            }
            if let Ok(header) = http::HeaderValue::from_bytes(&header) {
                request.headers_mut().values_mut().for_each(|value| *value = header.clone());
            }
            let _ = wire::decode_request::<O>(&request);
            Ok(())
        });
        let answers = any_of::<O::Answer>(Carried::by_answers(protocol)).prop_flat_map(|answer| {
            let (parts, body) = wire::encode_answer::<O>(&answer, "id").into_parts();
            (Just(parts), spoilt(body.into()), prop::sample::select(vec![200_u16, 201, 400, 404, 500, 503]))
        });
        check(O::ACTION, 64, &answers, |(parts, body, status)| {
            let mut answer = Response::from_parts(parts, body.into());
            *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
            let _ = wire::decode_answer::<O>(&answer);
            Ok(())
        });
    }
}

#[test]
fn no_bytes_make_a_decoder_panic() {
    visit_all(&mut Fuzz);
}

fn form(text: &str) -> Request<Bytes> {
    Request::builder().method("POST").uri("/").body(text.to_owned().into()).unwrap()
}

fn read_filters(text: &str) -> Vec<ec2::Filter> {
    wire::decode_request::<ec2::DescribeImagesRequest>(&form(text)).unwrap().filters
}

#[test]
fn lists_of_a_form_are_ordered_by_number_and_may_have_gaps() {
    let expected = [ec2::Filter::new("a", ["1", "2"]), ec2::Filter::new("b", ["3"])];
    assert_eq!(
        read_filters("Filter.10.Value.1=3&Filter.10.Name=b&Filter.9.Value.7=2&Filter.9.Name=a&Filter.9.Value.2=1"),
        expected
    );
    assert_eq!(read_filters("Version=2016-11-15"), []);
}

#[test]
fn a_form_that_contradicts_itself_is_refused_with_the_name() {
    for text in ["ImageId.1=a&ImageId.1=b", "ImageId=a&ImageId.1=b", "ImageId.x=a", "MaxResults=many", "Filter.1=a"] {
        let error = wire::decode_request::<ec2::DescribeImagesRequest>(&form(text)).unwrap_err();
        let name = text.split(['=', '.']).next().unwrap();
        assert!(error.path.starts_with(name), "{text}: {error}");
    }
    let deep = format!("{}=x", vec!["a"; 10_000].join("."));
    assert!(wire::decode_request::<ec2::DescribeImagesRequest>(&form(&deep)).is_err());
}

#[test]
fn a_block_of_half_a_mebibyte_travels_as_it_is_and_is_held_once() {
    let bytes: Bytes = (0..524_288_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let request = ebs::PutSnapshotBlockRequest {
        snapshot_id: Some("snap-1".to_owned()),
        block_index: Some(7),
        block_data: Some(Blob(bytes.clone())),
        data_length: Some(524_288),
        ..Default::default()
    };
    let written = wire::encode_request(&request);
    assert_eq!(*written.body(), bytes);
    assert_eq!(written.body().as_ptr(), bytes.as_ptr(), "copied on the way out");
    let read: ebs::PutSnapshotBlockRequest = wire::decode_request(&written).unwrap();
    assert_eq!(read.block_data.as_ref().map(|block| block.0.as_ptr()), Some(bytes.as_ptr()), "copied on the way in");
    assert_eq!(read, request);
    let answer = ebs::GetSnapshotBlockResponse { block_data: Some(Blob(bytes)), ..Default::default() };
    let written = wire::encode_answer::<ebs::GetSnapshotBlockRequest>(&answer, "id");
    assert_eq!(wire::decode_answer::<ebs::GetSnapshotBlockRequest>(&written), Ok(Ok(answer)));
}

#[test]
fn answers_write_empty_lists_and_requests_do_not() {
    let answer = wire::encode_answer::<ec2::DescribeImagesRequest>(&ec2::DescribeImagesResult::default(), "id");
    let xml = String::from_utf8(answer.into_body().into()).unwrap();
    assert!(xml.contains("<imagesSet></imagesSet>"), "{xml}");
    let answer = wire::encode_answer::<ssm::GetParametersRequest>(&ssm::GetParametersResult::default(), "id");
    assert_eq!(answer.body(), r#"{"Parameters":[],"InvalidParameters":[]}"#);
    assert_eq!(wire::encode_request(&ssm::PutParameterRequest::default()).body(), "{}");
    assert_eq!(wire::encode_request(&ebs::StartSnapshotRequest::default()).body(), "{}");
    let nothing = wire::encode_answer::<ec2::CreateTagsRequest>(&ec2::Nothing::default(), "id");
    assert!(String::from_utf8(nothing.into_body().into()).unwrap().contains("<return>true</return>"));
}

#[test]
fn instants_are_read_in_every_way_that_aws_writes_them() {
    let read = |node: Node| Timestamp::from_node(Some(node), Naming::Model);
    let whole: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let fraction: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
    for text in [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T03:04:05+00:00",
        " 2026-01-02T05:04:05+02:00\n",
    ] {
        assert_eq!(read(Node::Text(text.to_owned())), Ok(whole), "{text}");
    }
    assert_eq!(read(Node::Text("2026-01-02T03:04:05.678Z".to_owned())), Ok(fraction));
    assert_eq!(read(Node::Integer(whole.as_second())), Ok(whole));
    assert_eq!(read(Node::Float(1_767_323_045.678)), Ok(fraction));
    for bad in [Node::Text("yesterday".to_owned()), Node::Float(f64::NAN), Node::Float(1e300), Node::Integer(i64::MAX)]
    {
        let found = read(bad.clone());
        assert!(found.is_err(), "{bad:?} was read as {found:?}");
    }
}

#[test]
fn what_xml_cannot_write_becomes_the_replacement_character() {
    let image = ec2::Image { description: Some("a\0b\u{1b}[1m\u{fffe}\r\n\u{85}c".to_owned()), ..Default::default() };
    let answer = ec2::DescribeImagesResult { images: vec![image], ..Default::default() };
    let read = wire::decode_answer::<ec2::DescribeImagesRequest>(&wire::encode_answer::<ec2::DescribeImagesRequest>(
        &answer, "id",
    ));
    let images = read.unwrap().unwrap().images;
    assert_eq!(images[0].description.as_deref(), Some("a\u{fffd}b\u{fffd}[1m\u{fffd}\r\n\u{85}c"));
}

#[test]
fn a_value_that_no_header_holds_is_left_out_and_the_rest_still_travels() {
    let request = ebs::CompleteSnapshotRequest {
        snapshot_id: Some("snap 1/../é".to_owned()),
        changed_blocks_count: Some(3),
        checksum: Some("line\r\nInjected: yes".to_owned()),
        ..Default::default()
    };
    let written = wire::encode_request(&request);
    assert_eq!(written.uri().path(), "/snapshots/completion/snap%201%2F..%2F%C3%A9");
    assert_eq!(wire::decode_request(&written), Ok(ebs::CompleteSnapshotRequest { checksum: None, ..request }));
}

#[test]
fn errors_survive_every_protocol() {
    let error = ApiError::client("InvalidAMIID.NotFound", "no <such> image & \"none\" é 🦀").with_status(404);
    fn read<O: Operation>(error: &ApiError) -> ApiError {
        let written = wire::encode_error(O::SERVICE.protocol(), error, "req-1");
        wire::decode_answer::<O>(&written).unwrap().unwrap_err()
    }
    let with_id = ApiError { request_id: Some("req-1".to_owned()), ..error.clone() };
    assert_eq!(read::<ec2::DescribeImagesRequest>(&error), with_id);
    assert_eq!(read::<ovenbird_aws::sts::GetCallerIdentityRequest>(&error), with_id);
    assert_eq!(read::<ssm::GetParameterRequest>(&error), with_id);
    let with_reason = error.with_reason("SNAPSHOT_NOT_FOUND");
    let read = read::<ebs::GetSnapshotBlockRequest>(&with_reason);
    assert_eq!(read.reason.as_deref(), Some("SNAPSHOT_NOT_FOUND"));
    assert_eq!((read.code, read.message), (with_reason.code, with_reason.message));
}

#[test]
fn an_answer_of_something_else_is_an_error_with_its_text() {
    let page = Response::builder().status(502).body("<html>Bad gateway</html>".into()).unwrap();
    let error = wire::decode_answer::<ec2::DescribeImagesRequest>(&page).unwrap().unwrap_err();
    assert_eq!((error.status, &*error.code, &*error.message), (502, "HTTP502", "<html>Bad gateway</html>"));
    assert!(error.is_transient());
    let page = Response::builder().status(200).body("not XML".into()).unwrap();
    assert!(wire::decode_answer::<ec2::DescribeImagesRequest>(&page).is_err());
}
