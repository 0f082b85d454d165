//! The page that an instance of `examples/web` serves.

use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use ovenbird_disk::wait::wait_until;

/// nginx starts when the agent has ended well, which is a moment after the agent has said so.
const SERVED: Duration = Duration::from_secs(10);

/// The page, as soon as it is served.
pub fn fetch(address: &str) -> String {
    let page = wait_until(SERVED, Duration::from_millis(50), || find(address));
    page.unwrap_or_else(|_| panic!("{address} serves no page within {SERVED:?}"))
}

/// The page, if it is served.
pub fn find(address: &str) -> Option<String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).proxy(None).build().into();
    agent.get(format!("http://{address}/")).call().ok()?.body_mut().read_to_string().ok()
}

/// Does anything listen on this port of the instance?
pub fn has_listener(address: &str, port: u16) -> bool {
    let address: SocketAddr = format!("{address}:{port}").parse().expect("an address");
    TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_ok()
}

/// The text of the element with this id.
#[track_caller]
pub fn element(page: &str, id: &str) -> String {
    let start = format!("<dd id=\"{id}\">");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no `{start}` in:\n{page}"));
    rest.split(['<', '\n']).next().unwrap_or_default().trim().to_owned()
}
