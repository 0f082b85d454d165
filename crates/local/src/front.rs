//! The door: every request comes in here, is believed or not, dispatched, counted and logged.
//!
//! What faults and delays do to a request that is believed happens here too, and nowhere else.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use axum::body::Body;
use axum::body::to_bytes;
use bytes::Bytes;
use http::Request;
use http::Response;
use ovenbird_aws::ApiError;
use ovenbird_aws::wire::Protocol;
use ovenbird_aws::wire::Service;
use ovenbird_aws::wire::encode_error;
use tokio::sync::Notify;
use tokio::sync::Semaphore;

use crate::auth;
use crate::auth::Authorization;
use crate::catalogue::Scope;
use crate::dispatch;
use crate::failure::Failure;
use crate::faults::Fault;
use crate::ids;
use crate::status;
use crate::world::Call;
use crate::world::World;

/// Largest body that is read; a block with its headers is a quarter of it.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(60);

/// How many requests are worked on at a time; more wait.
const AT_ONCE: usize = 64;

/// How long a call that meets the fault of never being answered is held, at most.
const HUNG: Duration = Duration::from_secs(600);

/// What the door needs.
#[derive(Clone)]
pub(crate) struct Door {
    world: Arc<World>,
    places: Arc<Semaphore>,
    closing: Arc<Notify>,
}

impl Door {
    /// The door to `world`.
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world, places: Arc::new(Semaphore::new(AT_ONCE)), closing: Arc::default() }
    }

    /// Lets go of the calls that are held without an answer.
    pub(crate) fn close(&self) {
        self.closing.notify_waiters();
    }
}

/// The answer is lost: the connection ends without one.
#[derive(Debug, thiserror::Error)]
#[error("the answer is lost, as a fault that is switched on")]
pub(crate) struct Lost;

/// Answers one request, or meets it with a fault.
pub(crate) async fn answer(door: Door, request: Request<Body>) -> Result<Response<Body>, Lost> {
    let service = guess_service(&request);
    let request = match read_body(service.protocol(), request).await {
        Ok(request) => request,
        Err(refusal) => return Ok(refusal),
    };
    let action = dispatch::find_entry(service, &request).ok().map(|entry| entry.action);
    let action = action.filter(|_| request.uri().path() != status::PATH);
    let fault = action.and_then(|action| door.world.faults.next(service, action, request.uri().path()));
    if let Some(action) = action {
        tokio::time::sleep(door.world.delays.of_call(service, action)).await;
    }
    match &fault {
        Some(Fault::Hang) => {
            let _ = tokio::time::timeout(HUNG, door.closing.notified()).await;
            return Err(Lost);
        }
        Some(Fault::Slow(late)) => tokio::time::sleep(*late).await,
        _ => {}
    }
    let response = answer_fully(&door, service, request, fault.clone()).await;
    match fault {
        Some(Fault::Lose) => Err(Lost),
        Some(Fault::Cut) => Ok(cut_short(response)),
        _ => Ok(response.map(Body::from)),
    }
}

/// The same answer, whose connection ends in the middle of it.
fn cut_short(response: Response<Bytes>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(http::header::CONTENT_LENGTH, body.len().max(1).into());
    let half = body.slice(..body.len() / 2);
    Response::from_parts(parts, Body::from_stream(futures::stream::iter([Ok(half), Err(Lost)])))
}

async fn read_body(protocol: Protocol, request: Request<Body>) -> Result<Request<Bytes>, Response<Body>> {
    let (parts, body) = request.into_parts();
    let error = match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => return Ok(Request::from_parts(parts, body)),
        Ok(Err(_)) => {
            ApiError::client("RequestEntityTooLarge", "The request body must not be larger than 2 MiB").with_status(413)
        }
        Err(_) => ApiError::client("RequestTimeout", "The request body did not arrive within 60 seconds"),
    };
    Err(encode_error(protocol, &error, "").map(Body::from))
}

async fn answer_fully(door: &Door, service: Service, request: Request<Bytes>, fault: Option<Fault>) -> Response<Bytes> {
    let _place = door.places.acquire().await;
    let world = Arc::clone(&door.world);
    let worked = tokio::task::spawn_blocking(move || work(&world, request, fault)).await;
    worked.unwrap_or_else(|_| {
        let error = ApiError::client("InternalError", "The request failed in an unexpected way; see the daemon's log")
            .with_status(500);
        encode_error(service.protocol(), &error, "")
    })
}

/// The service that the signature, the target or the path speak of; for unsigned requests only the error's form depends on it.
fn guess_service<B>(request: &Request<B>) -> Service {
    let signed = Authorization::find(request).and_then(|authorization| find_service(&authorization.service));
    let path = request.uri().path();
    match signed {
        Some(service) => service,
        None if request.headers().contains_key("x-amz-target") => Service::Ssm,
        None if path.starts_with("/snapshots") => Service::Ebs,
        None => Service::Ec2,
    }
}

fn find_service(name: &str) -> Option<Service> {
    Service::ALL.into_iter().find(|service| service.name() == name)
}

fn work(world: &Arc<World>, request: Request<Bytes>, fault: Option<Fault>) -> Response<Bytes> {
    if request.uri().path() == status::PATH {
        return status::answer(world, &request);
    }
    let started = Instant::now();
    let service = guess_service(&request);
    let mut log = Log { account: String::new(), region: String::new(), action: "-" };
    let request_id = ids::request_id().unwrap_or_default();
    let response = answer_call(world, (service, request, fault), &request_id, &mut log).unwrap_or_else(|failure| {
        if !matches!(failure, Failure::Refused(_)) {
            tracing::error!(request = request_id, action = log.action, "{}", failure.chain());
        }
        let error = in_words_of(service.protocol(), failure.into_api());
        tracing::info!(request = request_id, action = log.action, code = error.code, "{}", error.message);
        encode_error(service.protocol(), &error, &request_id)
    });
    let Log { account, region, action } = log;
    let (status, micros) = (response.status().as_u16(), started.elapsed().as_micros());
    tracing::debug!(request = request_id, account, region, service = service.name(), action, status, micros, "call");
    response
}

/// What is known of a call when it is logged.
struct Log {
    account: String,
    region: String,
    action: &'static str,
}

fn answer_call(
    world: &Arc<World>,
    (service, request, fault): (Service, Request<Bytes>, Option<Fault>),
    request_id: &str,
    log: &mut Log,
) -> Result<Response<Bytes>, Failure> {
    let now = world.clock.now();
    let (parts, body) = request.into_parts();
    let head = Request::from_parts(parts, ());
    let (identity, authorization) = auth::verify(&world.secret, &head, &body, now)
        .map_err(|disbelief| disbelief.in_words_of(service.protocol()))?;
    if find_service(&authorization.service).is_none() {
        let text = format!("the embedded EC2 does not have the service `{}`", authorization.service);
        return Err(ApiError::client("InvalidAction", text).into());
    }
    let request = head.map(|()| body);
    let entry = dispatch::find_entry(service, &request)?;
    let scope = Scope { account: identity.account.clone(), region: authorization.region };
    (log.account, log.region, log.action) = (scope.account.clone(), scope.region.clone(), entry.action);
    world.calls.count(&scope.account, format!("{}:{}", service.name(), entry.action));
    let twist = match fault {
        Some(Fault::Refuse(refusal)) => return Err(refusal.into()),
        Some(Fault::Twist(twist)) => Some(twist),
        _ => None,
    };
    world.settle()?;
    let answer = (entry.run)(&Call { world: Arc::clone(world), scope, identity, now, twist }, &request, request_id);
    // What the call let go of is freed before it is answered.
    world.settle()?;
    answer
}

/// The protocols have names of their own for the endpoint's trouble and for refusals that all services share.
fn in_words_of(protocol: Protocol, mut error: ApiError) -> ApiError {
    let name = match (error.code.as_str(), protocol) {
        ("InternalError", Protocol::Json) => "InternalServerError",
        ("InternalError", Protocol::RestJson) => "InternalServerException",
        ("MissingParameter", Protocol::Json | Protocol::RestJson) => "ValidationException",
        _ => return error,
    };
    error.code = name.to_owned();
    error
}
