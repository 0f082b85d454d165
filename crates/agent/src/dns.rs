//! Names to addresses: `/etc/hosts`, else the name servers of `/etc/resolv.conf` over UDP.
//!
//! Our own, because the agent is linked statically and the C library's resolver loads plug-ins of the C library that the image
//! happens to have; and because that one cannot be given a deadline.

use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::NextTimeout;

use crate::time::Deadline;
use crate::time::random_bits;

const A: u16 = 1;
const AAAA: u16 = 28;
/// How long one server may take before the next one is asked.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest look-up when the caller sets no limit.
const LONGEST: Duration = Duration::from_secs(10);

/// The resolver of the agent's HTTP client.
#[derive(Debug)]
pub struct Dns;

impl Resolver for Dns {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let deadline = Deadline::after((*timeout.after).min(LONGEST));
        let mut addresses = self.empty();
        for address in find_addresses(host, &deadline)?.into_iter().take(8) {
            addresses.push(SocketAddr::new(address, port));
        }
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// The addresses of a host; none if no server knows it.
///
/// # Errors
/// When no server answered before the deadline.
pub fn find_addresses(host: &str, deadline: &Deadline) -> io::Result<Vec<IpAddr>> {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let known = in_hosts(&read("/etc/hosts"), host);
    if !known.is_empty() {
        return Ok(known);
    }
    let servers = name_servers(&read("/etc/resolv.conf"));
    let found = ask_all(&servers, host, A, deadline)?;
    if found.is_empty() { ask_all(&servers, host, AAAA, deadline) } else { Ok(found) }
}

fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    let matching = lines.filter_map(|mut words| {
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    });
    matching.collect()
}

fn name_servers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("nameserver"));
    let addresses = lines.filter_map(|rest| rest.trim().parse::<IpAddr>().ok());
    let servers: Vec<_> = addresses.map(|address| SocketAddr::new(address, 53)).collect();
    if servers.is_empty() { vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53)] } else { servers }
}

fn ask_all(servers: &[SocketAddr], host: &str, kind: u16, deadline: &Deadline) -> io::Result<Vec<IpAddr>> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for server in servers.iter().cycle() {
        let patience = PATIENCE.min(deadline.remaining());
        if patience.is_zero() {
            break;
        }
        match ask(*server, host, kind, patience) {
            Ok(addresses) => return Ok(addresses),
            Err(error) => last = error,
        }
        if !deadline.pause(Duration::from_millis(50)) {
            break;
        }
    }
    Err(io::Error::new(last.kind(), format!("no name server answered for {host}: {last}")))
}

fn ask(server: SocketAddr, host: &str, kind: u16, patience: Duration) -> io::Result<Vec<IpAddr>> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(patience))?;
    let id = random_bits().to_le_bytes();
    let question = encode_question([id[0], id[1]], host, kind).ok_or(io::ErrorKind::InvalidInput)?;
    socket.send(&question)?;
    let deadline = Deadline::after(patience);
    let mut answer = [0; 1500];
    while !deadline.is_over() {
        let length = socket.recv(&mut answer)?;
        // Anything else is an answer to nobody's question.
        if answer[..length].starts_with(&question[..2]) {
            return decode_answer(&answer[..length], kind).ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

fn encode_question(id: [u8; 2], host: &str, kind: u16) -> Option<Vec<u8>> {
    let mut message = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    Some(message)
}

/// The addresses of `kind` in an answer (RFC 1035, section 4); `None` if it is malformed or the server failed.
fn decode_answer(message: &[u8], kind: u16) -> Option<Vec<IpAddr>> {
    let word = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    match message.get(3)? & 0x0f {
        0 => {}
        3 => return Some(Vec::new()),
        _ => return None,
    }
    let mut at = 12;
    for _ in 0..word(4)? {
        at = skip_name(message, at)? + 4;
    }
    let mut addresses = Vec::new();
    for _ in 0..word(6)? {
        at = skip_name(message, at)?;
        let length = usize::from(word(at + 8)?);
        let value = message.get(at + 10..at + 10 + length)?;
        if word(at)? == kind {
            addresses.extend(<[u8; 4]>::try_from(value).map(IpAddr::from).ok());
            addresses.extend(<[u8; 16]>::try_from(value).map(IpAddr::from).ok());
        }
        at += 10 + length;
    }
    Some(addresses)
}

/// Where the name that begins at `at` ends; a compressed one ends with its two-byte pointer.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length >= 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_servers_are_read_as_the_c_library_reads_them() {
        let hosts = "127.0.0.1 localhost # loop\n10.0.0.7\tec2.internal  EC2\n::1 localhost\n";
        assert_eq!(in_hosts(hosts, "ec2"), ["10.0.0.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(in_hosts(hosts, "localhost").len(), 2);
        assert!(in_hosts(hosts, "loop").is_empty());
        let servers =
            name_servers("# x\nsearch ec2.internal\nnameserver 169.254.169.253\n nameserver ::1\nnameserver x\n");
        assert_eq!(servers, ["169.254.169.253:53".parse::<SocketAddr>().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(name_servers("").len(), 1);
    }

    #[test]
    fn an_answer_behind_an_alias_is_found() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let mut question = [0; 512];
            let (length, client) = server.recv_from(&mut question).unwrap();
            server.send_to(b"no answer to anything", client).unwrap();
            let mut answer = question[..length].to_vec();
            answer[2] = 0x81;
            answer[7] = 2;
            // An alias to the same name, then its address.
            answer.extend_from_slice(&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]);
            answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 1, 2, 3]);
            server.send_to(&answer, client).unwrap();
            question[..length].to_vec()
        });
        let found = ask(address, "ssm.eu-west-1.amazonaws.com", A, Duration::from_secs(5)).unwrap();
        assert_eq!(found, ["10.1.2.3".parse::<IpAddr>().unwrap()]);
        let question = answering.join().unwrap();
        assert_eq!(&question[12..17], b"\x03ssm\x09");
    }

    #[test]
    fn malformed_answers_are_no_answers() {
        let question = encode_question([1, 2], "a.b", A).unwrap();
        for length in 0..question.len() {
            let _ = decode_answer(&question[..length], A);
        }
        let mut endless = question.clone();
        endless[7] = 200;
        assert_eq!(decode_answer(&endless, A), None);
        let mut unknown = question;
        unknown[3] = 3;
        assert_eq!(decode_answer(&unknown, A), Some(vec![]));
        assert_eq!(encode_question([1, 2], "a..b", A), None);
    }
}
