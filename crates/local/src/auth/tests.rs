//! The official signer signs; this side must agree, and must notice every change.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::PayloadChecksumKind;
use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::SignableRequest;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::sign::v4::SigningParams;

use super::*;
use crate::accounts::DEFAULT_ACCOUNT;
use crate::accounts::find_keys;
use crate::accounts::role_keys;
use crate::seal::tests::fixed_secret;

const NOW: i64 = 1_769_860_800;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("in range")
}

struct Signed {
    uri: &'static str,
    body: &'static [u8],
    unsigned_payload: bool,
    service: &'static str,
}

const PLAIN: Signed = Signed { uri: "/", body: b"Action=DescribeRegions", unsigned_payload: false, service: "ec2" };

fn sign(case: &Signed) -> Request<()> {
    let keys = find_keys(&fixed_secret(), DEFAULT_ACCOUNT).expect("12 digits");
    sign_with(case, Credentials::new(keys.access_key_id, keys.secret_access_key, None, None, "test"))
}

fn sign_with(case: &Signed, keys: Credentials) -> Request<()> {
    let identity = keys.into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name(case.service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(NOW).expect("positive")))
        .settings(settings)
        .build()
        .expect("complete")
        .into();
    let url = format!("http://127.0.0.1:4566{}", case.uri);
    let body = if case.unsigned_payload { SignableBody::UnsignedPayload } else { SignableBody::Bytes(case.body) };
    let headers = [("host", "127.0.0.1:4566"), ("x-amz-target", "A.B"), ("x-amz-checksum", "a  b")];
    let signable = SignableRequest::new("POST", &url, headers.into_iter(), body).expect("signable");
    let (instructions, _) = aws_sigv4::http_request::sign(signable, &params).expect("signed").into_parts();
    let mut request = Request::builder().method("POST").uri(&url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut request = request.body(()).expect("built");
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn verify(request: &Request<()>, body: &[u8]) -> Result<(Identity, Authorization), Disbelief> {
    super::verify(&fixed_secret(), request, body, now())
}

#[test]
fn agrees_with_the_official_signer() {
    let cases = [
        PLAIN,
        Signed {
            uri: "/snapshots/snap-1/blocks/7?blockToken=a%2Bb%2F%3D&x=&a=1",
            unsigned_payload: true,
            service: "ebs",
            ..PLAIN
        },
        Signed { uri: "/sp%20ace/%C3%BC/~a?b=%20&a", ..PLAIN },
        Signed { body: b"", ..PLAIN },
    ];
    for case in cases {
        let (identity, authorization) = verify(&sign(&case), case.body).expect(case.uri);
        assert_eq!(identity.account, DEFAULT_ACCOUNT);
        assert_eq!((authorization.region.as_str(), authorization.service.as_str()), ("eu-west-1", case.service));
    }
}

#[test]
fn notices_every_change() {
    let changed = |change: &dyn Fn(&mut Request<()>)| {
        let mut request = sign(&PLAIN);
        change(&mut request);
        verify(&request, PLAIN.body).expect_err("changed")
    };
    let header = |name: &'static str, value: &'static str| {
        changed(&move |request| drop(request.headers_mut().insert(name, value.parse().expect("value"))))
    };
    assert!(matches!(header("x-amz-target", "A.C"), Disbelief::Mismatch(_)));
    assert!(matches!(header("host", "other"), Disbelief::Mismatch(_)));
    assert!(matches!(header("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), Disbelief::Mismatch(_)));
    assert!(matches!(header("authorization", "Basic abc"), Disbelief::Unsigned(_)));
    assert!(matches!(header("x-amz-date", "yesterday"), Disbelief::Unsigned(_)));
    assert!(matches!(header("x-amz-security-token", "unsigned"), Disbelief::Mismatch(_)));
    assert!(matches!(changed(&|request| *request.uri_mut() = "/other".parse().expect("uri")), Disbelief::Mismatch(_)));
    assert!(matches!(changed(&|request| *request.method_mut() = http::Method::GET), Disbelief::Mismatch(_)));
    assert!(matches!(verify(&sign(&PLAIN), b"Action=Other"), Err(Disbelief::Mismatch(_))));
    assert!(matches!(verify(&Request::new(()), b""), Err(Disbelief::Unsigned(_))));
}

#[test]
fn holds_for_five_minutes() {
    let at = |offset| {
        super::verify(
            &fixed_secret(),
            &sign(&PLAIN),
            PLAIN.body,
            Timestamp::from_second(NOW + offset).expect("in range"),
        )
    };
    assert!(at(300).is_ok() && at(-300).is_ok());
    assert_eq!(at(301), Err(Disbelief::Skewed));
    assert_eq!(at(-301), Err(Disbelief::Skewed));
}

#[test]
fn knows_only_its_own_keys() {
    let mut request = sign(&PLAIN);
    let text = request.headers()["authorization"].to_str().expect("ascii").replace("AKIA", "AKIB");
    request.headers_mut().insert("authorization", text.parse().expect("value"));
    assert_eq!(verify(&request, PLAIN.body), Err(Disbelief::UnknownKey));
    assert_eq!(Disbelief::UnknownKey.in_words_of(Protocol::Ec2).code, "AuthFailure");
    assert_eq!(Disbelief::UnknownKey.in_words_of(Protocol::Query).code, "InvalidClientTokenId");
}

#[test]
fn an_instance_calls_with_its_role() {
    let keys = role_keys(&fixed_secret(), DEFAULT_ACCOUNT, "web", "i-1", now()).expect("made");
    let with = |token: String| {
        Credentials::new(keys.access_key_id.clone(), keys.secret_access_key.clone(), Some(token), None, "test")
    };
    let (identity, _) = verify(&sign_with(&PLAIN, with(keys.token.clone())), PLAIN.body).expect("its own");
    assert_eq!(identity.role, Some(("web".to_owned(), "i-1".to_owned())));
    assert_eq!(verify(&sign_with(&PLAIN, with("made up".to_owned())), PLAIN.body), Err(Disbelief::UnknownKey));
}
