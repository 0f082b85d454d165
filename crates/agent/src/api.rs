//! The AWS API from the instance: the operations of `ovenbird-aws` over a blocking transport of its own.

use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;
use std::time::SystemTime;

use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::SignableRequest;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::http_request::sign;
use aws_sigv4::sign::v4;
use http::HeaderMap;
use http::Request;
use http::Uri;
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use ovenbird_aws::ApiError;
use ovenbird_aws::Operation;
use ovenbird_aws::wire::Service;
use ovenbird_aws::wire::decode_answer;
use ovenbird_aws::wire::encode_request;
use ureq::Agent;

use crate::credentials::Credentials;
use crate::credentials::fetch_credentials;
use crate::credentials::find_role;
use crate::fault::Fault;
use crate::imds::Imds;
use crate::instance::Instance;
use crate::time;
use crate::time::Backoff;
use crate::time::Deadline;
use crate::transport;

/// One try; a healthy service answers in a second.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer; ten parameters of 8 KB are far less.
const LIMIT: u64 = 1 << 20;
/// A clock that differs more than this is not taken by the services (they say five minutes).
const SKEW: SignedDuration = SignedDuration::from_mins(4);

/// Why a call brought no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The service refuses.
    #[error("{0}")]
    Refused(ApiError),
    /// No answer, so nobody knows whether the call had its effect.
    #[error("{service} does not answer: {why}")]
    Unreachable {
        /// The service's host.
        service: String,
        /// In a few words.
        why: String,
    },
    /// No credentials, or an answer that nobody understands.
    #[error("{0}")]
    Fault(Fault),
}

impl CallError {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(error) => error.is_throttle() || error.is_transient() || is_expired(error),
            Self::Unreachable { .. } => true,
            Self::Fault(_) => false,
        }
    }

    /// A fault of what was being done.
    #[must_use]
    pub fn while_doing(self, doing: &str) -> Fault {
        let retryable = self.is_passing() || matches!(&self, Self::Fault(fault) if fault.retryable);
        Fault { sentence: format!("cannot {doing}: {self}"), retryable }
    }
}

/// The API as this instance's role may use it.
#[derive(Debug)]
pub struct Api<'a> {
    client: Agent,
    imds: &'a Imds,
    region: String,
    domain: String,
    endpoint_url: Option<String>,
    grace: Duration,
    credentials: RefCell<Option<Credentials>>,
    clock_error: Cell<SignedDuration>,
}

impl<'a> Api<'a> {
    /// The services of the instance's region, or those behind one URL. Nothing is asked before the first call.
    #[must_use]
    pub fn new(imds: &'a Imds, instance: &Instance, endpoint_url: Option<&str>, grace: Duration) -> Self {
        Self {
            client: transport::client(),
            imds,
            region: instance.region.clone(),
            domain: instance.domain.clone(),
            endpoint_url: endpoint_url.map(str::to_owned).or_else(|| instance.endpoint_url.clone()),
            grace,
            credentials: RefCell::default(),
            clock_error: Cell::new(SignedDuration::ZERO),
        }
    }

    /// Calls until there is an answer or the deadline is over. For operations that may be repeated.
    ///
    /// # Errors
    /// The last error.
    pub fn call<O: Operation>(&self, request: &O, deadline: &Deadline) -> Result<O::Answer, CallError> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));
        loop {
            match self.call_once(request, deadline) {
                Err(error) if error.is_passing() && deadline.pause(backoff.next_pause()) => {}
                result => return result,
            }
        }
    }

    /// Calls once. After [`CallError::Unreachable`] nobody knows whether it had its effect.
    ///
    /// # Errors
    /// What the service said, or why it said nothing.
    pub fn call_once<O: Operation>(&self, request: &O, deadline: &Deadline) -> Result<O::Answer, CallError> {
        let credentials = self.ensure_credentials(deadline)?;
        let (headers, error) = match self.try_once(request, &credentials, deadline)? {
            (_, Ok(answer)) => return Ok(answer),
            (headers, Err(error)) => (headers, error),
        };
        if is_expired(&error) {
            self.credentials.replace(None);
        }
        if is_about_time(&error) && self.has_learned_time(&headers) {
            // The service did nothing, so the call may be made again at once, with its clock.
            return self.try_once(request, &credentials, deadline)?.1.map_err(CallError::Refused);
        }
        Err(CallError::Refused(error))
    }

    /// Whether this instance has a role, asked until `late` while there is none.
    #[must_use]
    pub fn has_role(&self, late: &Deadline, deadline: &Deadline) -> bool {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
        loop {
            if self.credentials.borrow().is_some() || matches!(find_role(self.imds, deadline), Ok(Some(_))) {
                return true;
            }
            if !late.pause(backoff.next_pause()) {
                return false;
            }
        }
    }

    fn try_once<O: Operation>(&self, request: &O, credentials: &Credentials, deadline: &Deadline) -> Tried<O> {
        let base = self.base(O::SERVICE);
        let signed = self
            .sign(encode_request(request).map(Vec::from), &base, O::SERVICE, credentials)
            .map_err(CallError::Fault)?;
        let timeout = PATIENCE.min(deadline.remaining());
        let response = transport::send(&self.client, signed, timeout, LIMIT)
            .map_err(|why| CallError::Unreachable { service: base.clone(), why })?
            .map(Into::into);
        let answer = decode_answer::<O>(&response).map_err(|error| {
            CallError::Fault(Fault::lasting(format!(
                "{} at {base} answers what nobody understands: {error}",
                O::ACTION
            )))
        })?;
        Ok((response.into_parts().0.headers, answer))
    }

    fn base(&self, service: Service) -> String {
        self.endpoint_url.as_ref().map_or_else(
            || format!("https://{}.{}.{}", service.name(), self.region, self.domain),
            |url| url.trim_end_matches('/').to_owned(),
        )
    }

    fn ensure_credentials(&self, deadline: &Deadline) -> Result<Credentials, CallError> {
        let held = self.credentials.borrow().clone();
        if let Some(credentials) = held.as_ref().filter(|held| !held.is_stale(time::now())) {
            return Ok(credentials.clone());
        }
        let fresh = match (fetch_credentials(self.imds, self.grace, deadline), held) {
            (Ok(fresh), _) => fresh,
            // Old ones are better than none: the service decides whether they still hold.
            (Err(_), Some(old)) => old,
            (Err(fault), None) => return Err(CallError::Fault(fault)),
        };
        self.credentials.replace(Some(fresh.clone()));
        Ok(fresh)
    }

    fn sign(
        &self,
        request: Request<Vec<u8>>,
        base: &str,
        service: Service,
        credentials: &Credentials,
    ) -> Result<Request<Vec<u8>>, Fault> {
        let unsound =
            |error: &dyn std::fmt::Display| Fault::lasting(format!("cannot sign a request to {base}: {error}"));
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("{base}{}", parts.uri).parse::<Uri>().map_err(|error| unsound(&error))?;
        let identity = aws_credential_types::Credentials::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
            Some(credentials.token.clone()),
            None,
            "instance role",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service.name())
            .time(SystemTime::from(time::now() + self.clock_error.get()))
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsound(&error))?
            .into();
        let uri = parts.uri.to_string();
        let headers = parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(parts.method.as_str(), &uri, headers, SignableBody::Bytes(&body))
            .map_err(|error| unsound(&error))?;
        let (instructions, _) = sign(signable, &params).map_err(|error| unsound(&error))?.into_parts();
        let mut signed = Request::from_parts(parts, body);
        instructions.apply_to_request_http1x(&mut signed);
        Ok(signed)
    }

    /// Takes the service's clock from an answer's `Date`; true if ours was wrong.
    fn has_learned_time(&self, headers: &HeaderMap) -> bool {
        let date = headers.get("date").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Ok(theirs) = rfc2822::DateTimeParser::new().parse_timestamp(date) else { return false };
        let error = theirs.duration_since(time::now() + self.clock_error.get());
        if error.abs() < SKEW {
            return false;
        }
        self.clock_error.set(self.clock_error.get() + error);
        true
    }
}

type Tried<O> = Result<(HeaderMap, Result<<O as Operation>::Answer, ApiError>), CallError>;

fn is_expired(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "ExpiredToken" | "ExpiredTokenException")
}

fn is_about_time(error: &ApiError) -> bool {
    const CODES: [&str; 5] = [
        "RequestExpired",
        "RequestTimeTooSkewed",
        "RequestInTheFuture",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
    ];
    CODES.contains(&error.code.as_str())
}

/// Whether the service says that the role lacks a permission.
#[must_use]
pub fn is_denied(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException")
}
