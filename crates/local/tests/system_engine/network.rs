//! The network of an instance, without an instance.

use std::io::Read as _;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::tool::Tool;
use ovenbird_local::network;
use ovenbird_local::network::Network;

struct Lab(Network);

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = network::undo(&self.0.namespace) {
            eprintln!("{error}");
        }
    }
}

fn connect(address: Ipv4Addr, port: u16) -> std::io::Result<TcpStream> {
    TcpStream::connect_timeout(&SocketAddr::from((address, port)), Duration::from_secs(5))
}

/// Takes one connection and says who is there.
fn greet(namespace: &str, address: Ipv4Addr, port: u16, greeting: &'static [u8]) {
    let listener = network::run_in(namespace, "listen", || TcpListener::bind((address, port))).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, greeting).unwrap();
    });
}

fn hear(mut stream: TcpStream) -> String {
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    heard
}

#[test]
fn an_instance_reaches_its_router_and_is_reached_and_all_else_is_refused_at_once() {
    let namespace = format!("ob-test{}", std::process::id());
    let private_ip = Ipv4Addr::new(172, 31, 250, 31);
    let lab = Lab(Network { namespace: namespace.clone(), private_ip, mac: "0a:ff:d3:00:00:1f".to_owned() });
    let Lab(network) = &lab;
    network.ensure().unwrap();
    network.ensure().unwrap();
    assert!(network::list_ours().contains(&namespace));

    let metadata = Ipv4Addr::new(169, 254, 169, 254);
    greet(&network.router(), metadata, 80, b"router");
    // A server on all addresses of the instance is not in the way of the metadata service.
    greet(&namespace, Ipv4Addr::UNSPECIFIED, 80, b"instance");
    let from_inside = network::run_in(&namespace, "connect", || connect(metadata, 80)).unwrap();
    assert_eq!(hear(from_inside), "router");
    assert_eq!(hear(connect(private_ip, 80).unwrap()), "instance");

    let began = Instant::now();
    for elsewhere in [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(172, 31, 250, 32), Ipv4Addr::new(169, 254, 169, 253)] {
        network::run_in(&namespace, "connect", || connect(elsewhere, 80)).unwrap_err();
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());

    // What was lost comes back.
    Tool::new("ip").args(["-n", &namespace, "link", "delete", "eth0"]).run().unwrap();
    network.ensure().unwrap();
    greet(&namespace, private_ip, 81, b"again");
    assert_eq!(hear(connect(private_ip, 81).unwrap()), "again");

    network::undo(&namespace).unwrap();
    network::undo(&namespace).unwrap();
    assert!(!network::list_ours().contains(&namespace));
    let routes = Tool::new("ip").args(["route", "show", &private_ip.to_string()]).run().unwrap().text();
    assert_eq!(routes, "");
}
