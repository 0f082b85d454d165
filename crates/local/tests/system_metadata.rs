//! The metadata service over real connections: what a client of IMDSv2 says, byte by byte, and what it gets.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ovenbird_local::metadata::InstanceFacts;
use ovenbird_local::metadata::MetadataSource;
use ovenbird_local::metadata::RoleCredentials;
use ovenbird_local::metadata::serve;
use ovenbird_local::metadata::token::Tokens;

struct Source;

impl MetadataSource for Source {
    fn facts(&self) -> InstanceFacts {
        InstanceFacts {
            instance_id: "i-0123456789abcdef0".to_owned(),
            region: "us-east-1".to_owned(),
            zone: "us-east-1a".to_owned(),
            mac: "0a:ff:d3:12:34:56".to_owned(),
            private_ip: "172.31.0.5".to_owned(),
            public_ip: None,
            role: Some("web".to_owned()),
            user_data: Some(vec![0, 159, 146, 150]),
            tokens_required: true,
            ..InstanceFacts::default()
        }
    }

    fn credentials(&self) -> Option<RoleCredentials> {
        Some(RoleCredentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            token: "session".to_owned(),
            expiration: "2999-01-01T00:00:00Z".parse().unwrap(),
        })
    }

    fn now(&self) -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }
}

struct Service {
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Service {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve::serve_metadata(listener, Arc::new(Source), Arc::new(Tokens::new().unwrap())));
        Self { address, _runtime: runtime }
    }
}

/// A kept connection to the service.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Status and body.
    fn ask(&mut self, request: &str) -> (u16, Vec<u8>) {
        write!(self.0.get_mut(), "{request}\r\nHost: 169.254.169.254\r\n\r\n").unwrap();
        let mut length = 0;
        let mut status = None;
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the connection ended");
            let line = line.trim_end().to_ascii_lowercase();
            status = status.or_else(|| line.split(' ').nth(1).map(|status| status.parse().unwrap()));
            length = line.strip_prefix("content-length: ").map_or(length, |value| value.parse().unwrap());
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; if request.starts_with("HEAD") { 0 } else { length }];
        self.0.read_exact(&mut body).unwrap();
        (status.unwrap(), body)
    }
}

#[test]
fn one_connection_serves_a_whole_conversation() {
    let service = Service::start();
    let mut client = Client::connect(service.address);
    let (status, token) =
        client.ask("PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0");
    let token = String::from_utf8(token).unwrap();
    assert_eq!(status, 200);
    let get = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nX-aws-ec2-metadata-token: {token}");
    let text = |text: &str| (200, text.as_bytes().to_vec());
    assert_eq!(client.ask(&get("GET", "/latest/meta-data/instance-id")), text("i-0123456789abcdef0"));
    assert_eq!(client.ask(&get("GET", "/latest/meta-data/iam/security-credentials/")), text("web"));
    assert_eq!(client.ask(&get("GET", "/latest/user-data")), (200, vec![0, 159, 146, 150]));
    assert_eq!(client.ask(&get("HEAD", "/latest/user-data")), (200, Vec::new()));
    assert_eq!(client.ask(&get("GET", "/latest/meta-data/spot/instance-action")).0, 404);
    assert_eq!(client.ask("GET /latest/meta-data/instance-id HTTP/1.1").0, 401);
}

#[test]
fn nonsense_and_crowds_do_no_harm() {
    let service = Service::start();
    let mut crowd: Vec<_> = (0..60).map(|_| Client::connect(service.address)).collect();
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.write_all(b"\x00\xff nonsense\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));

    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.write_all(format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000)).as_bytes()).unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));

    for client in &mut crowd {
        assert_eq!(client.ask("GET /latest/meta-data/ HTTP/1.1").0, 401);
    }
    drop(crowd);
    assert_eq!(Client::connect(service.address).ask("POST / HTTP/1.1\r\nContent-Length: 0").0, 405);
}
