//! HTTP, for the metadata service and the AWS API alike: blocking, no proxy, no redirects, every status an answer.

use std::io::Read as _;
use std::time::Duration;

use http::Request;
use http::Response;
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use crate::dns::Dns;

/// Establishing a connection takes milliseconds inside a VPC; a black hole shows itself by this.
const CONNECT: Duration = Duration::from_secs(3);

/// A client. It reads no proxy settings: the metadata service must never be asked through a proxy.
#[must_use]
pub fn client() -> Agent {
    let config = Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("ovenbird-agent/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Dns)
}

/// Sends one request and reads its answer, up to `limit` bytes of body and one more.
///
/// # Errors
/// Why there was no answer, in a few words without the request's content.
pub fn send(
    client: &Agent,
    request: Request<Vec<u8>>,
    timeout: Duration,
    limit: u64,
) -> Result<Response<Vec<u8>>, String> {
    let configured = client
        .configure_request(request)
        .timeout_global(Some(timeout))
        .timeout_connect(Some(timeout.min(CONNECT)))
        .build();
    let answer = if configured.body().is_empty() && configured.method() == http::Method::GET {
        let (parts, _) = configured.into_parts();
        client.run(Request::from_parts(parts, ()))
    } else {
        client.run(configured)
    };
    let (parts, body) = answer.map_err(|error| error.to_string())?.into_parts();
    let mut bytes = Vec::new();
    body.into_reader().take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(Response::from_parts(parts, bytes))
}
