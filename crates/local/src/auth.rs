//! Signature Version 4, checked as AWS checks it (IAM user guide, "Create a signed AWS API request").

mod canonical;
#[cfg(test)]
mod tests;

use std::time::Duration;
use std::time::SystemTime;

use aws_sigv4::sign::v4::calculate_signature;
use aws_sigv4::sign::v4::generate_signing_key;
use http::Request;
use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::ApiError;
use ovenbird_aws::wire::Protocol;

use crate::accounts;
use crate::accounts::BadKeys;
use crate::accounts::Identity;
use crate::regions;
use crate::seal::Secret;
use crate::seal::is_same;

/// How far a request's time may be from the endpoint's clock.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Why a request is not believed. The protocols have different codes for the same meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disbelief {
    /// No signature, or one that cannot be read.
    Unsigned(String),
    /// Nobody has this key.
    UnknownKey,
    /// The role's session is over.
    ExpiredSession,
    /// Its time is too far from ours.
    Skewed,
    /// The signature, or the body's hash, is not what it should be.
    Mismatch(String),
}

/// The parts of an `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) key_id: String,
    date: String,
    /// The Region in the credential scope.
    pub(crate) region: String,
    /// The service in the credential scope.
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: String,
}

impl Authorization {
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/ec2/aws4_request, SignedHeaders=a;b, Signature=hex`.
    pub(crate) fn find<B>(request: &Request<B>) -> Option<Self> {
        let text = request.headers().get("authorization")?.to_str().ok()?;
        let fields = text.strip_prefix("AWS4-HMAC-SHA256")?.trim_start();
        let field = |name: &str| {
            let mut parts = fields.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let scope: Vec<&str> = field("Credential")?.split('/').collect();
        let [key_id, date, region, service, "aws4_request"] = scope[..] else { return None };
        Some(Self {
            key_id: key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed_headers: field("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: field("Signature")?.to_owned(),
        })
    }
}

/// Proves that the holder of the key made this very request; `body` is all of it.
pub(crate) fn verify(
    secret: &Secret,
    request: &Request<()>,
    body: &[u8],
    now: Timestamp,
) -> Result<(Identity, Authorization), Disbelief> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if !request.headers().contains_key("authorization") {
        return Err(Disbelief::Unsigned("Request is missing Authentication Token".to_owned()));
    }
    let unreadable =
        || Disbelief::Unsigned("The Authorization header is not of the form of AWS4-HMAC-SHA256".to_owned());
    let authorization = Authorization::find(request).ok_or_else(unreadable)?;
    let time =
        header("x-amz-date").ok_or_else(|| Disbelief::Unsigned("The X-Amz-Date header is missing".to_owned()))?;
    let instant = read_time(time).ok_or_else(|| Disbelief::Unsigned("The X-Amz-Date header is no time".to_owned()))?;
    let (identity, key) = accounts::identify(secret, &authorization.key_id, header("x-amz-security-token"), now)
        .map_err(|bad| match bad {
            BadKeys::Unknown => Disbelief::UnknownKey,
            BadKeys::Expired => Disbelief::ExpiredSession,
        })?;
    if now.duration_since(instant).abs() > SKEW {
        return Err(Disbelief::Skewed);
    }
    if !time.starts_with(&authorization.date) {
        return Err(Disbelief::Mismatch("Date in Credential scope does not match the request's date".to_owned()));
    }
    if !regions::is_region(&authorization.region) {
        return Err(Disbelief::Mismatch("Credential should be scoped to a valid region.".to_owned()));
    }
    let payload = payload_hash(header("x-amz-content-sha256"), body)?;
    require_signed(request, &authorization.signed_headers)?;
    let canonical = canonical::request(request, &authorization.signed_headers, &payload);
    let expected = signature(&key, &authorization, time, instant, &canonical);
    if !is_same(&expected, &authorization.signature) {
        return Err(Disbelief::Mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
             signing method. Consult the service documentation for details."
                .to_owned(),
        ));
    }
    Ok((identity, authorization))
}

fn signature(key: &str, authorization: &Authorization, time: &str, instant: Timestamp, canonical: &str) -> String {
    let Authorization { date, region, service, .. } = authorization;
    let hash = ovenbird_core::block::Digest::of(canonical.as_bytes()).hex();
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/aws4_request\n{hash}");
    let since_1970 = Duration::from_secs(u64::try_from(instant.as_second()).unwrap_or_default());
    let signing_key = generate_signing_key(key, SystemTime::UNIX_EPOCH + since_1970, region, service);
    calculate_signature(signing_key, to_sign.as_bytes())
}

/// The hash that stands in the canonical request; the body must have it, unless the caller left the body unsigned.
fn payload_hash(stated: Option<&str>, body: &[u8]) -> Result<String, Disbelief> {
    match stated {
        Some("UNSIGNED-PAYLOAD") => Ok("UNSIGNED-PAYLOAD".to_owned()),
        Some(stated) if stated.starts_with("STREAMING-") => {
            Err(Disbelief::Unsigned("Streamed payloads are for S3; send the body in one piece".to_owned()))
        }
        stated => {
            let actual = ovenbird_core::block::Digest::of(body).hex();
            match stated {
                Some(stated) if stated != actual => Err(Disbelief::Mismatch(
                    "The body does not have the hash that x-amz-content-sha256 states".to_owned(),
                )),
                _ => Ok(actual),
            }
        }
    }
}

/// `host` and every `x-amz-…` header that decides something must be under the signature.
fn require_signed(request: &Request<()>, signed: &[String]) -> Result<(), Disbelief> {
    let must = ["host", "x-amz-date", "x-amz-security-token", "x-amz-target", "x-amz-checksum", "x-amz-content-sha256"];
    let missing =
        must.iter().find(|name| request.headers().contains_key(**name) && !signed.iter().any(|signed| signed == *name));
    match missing {
        Some(name) => Err(Disbelief::Mismatch(format!("'{name}' must be a SignedHeader in the AWS Authorization."))),
        None => Ok(()),
    }
}

/// `20260131T120000Z`
fn read_time(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

impl Disbelief {
    /// The same meaning in the words of a protocol.
    pub(crate) fn in_words_of(&self, protocol: Protocol) -> ApiError {
        let (status, code) = match (self, protocol) {
            (Self::Unsigned(_), Protocol::Ec2) => (401, "AuthFailure"),
            (Self::Unsigned(_), _) => (403, "MissingAuthenticationToken"),
            (Self::UnknownKey, Protocol::Ec2) => (401, "AuthFailure"),
            (Self::UnknownKey, Protocol::Query) => (403, "InvalidClientTokenId"),
            (Self::UnknownKey, Protocol::Json) => (400, "UnrecognizedClientException"),
            (Self::UnknownKey, Protocol::RestJson) => (403, "UnrecognizedClientException"),
            (Self::ExpiredSession, Protocol::Ec2) => (400, "RequestExpired"),
            (Self::ExpiredSession, Protocol::Query) => (403, "ExpiredToken"),
            (Self::ExpiredSession, _) => (400, "ExpiredTokenException"),
            (Self::Skewed, Protocol::Ec2) => (400, "RequestExpired"),
            (Self::Skewed | Self::Mismatch(_), Protocol::Ec2 | Protocol::Query) => (403, "SignatureDoesNotMatch"),
            (Self::Skewed | Self::Mismatch(_), Protocol::Json) => (400, "InvalidSignatureException"),
            (Self::Skewed | Self::Mismatch(_), Protocol::RestJson) => (403, "InvalidSignatureException"),
        };
        let message = match self {
            Self::Unsigned(message) | Self::Mismatch(message) => message.clone(),
            Self::UnknownKey if protocol == Protocol::Ec2 => {
                "AWS was not able to validate the provided access credentials".to_owned()
            }
            Self::UnknownKey => "The security token included in the request is invalid.".to_owned(),
            Self::ExpiredSession => "The security token included in the request is expired".to_owned(),
            Self::Skewed => {
                "Signature expired: the request's time is more than 5 minutes from the endpoint's clock".to_owned()
            }
        };
        ApiError::client(code, message).with_status(status)
    }
}
