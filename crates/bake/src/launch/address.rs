//! Which address of the instance is used, and which address of ours it sees.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::ToSocketAddrs as _;
use std::net::UdpSocket;
use std::time::Duration;

use ovenbird_aws::ec2;
use ovenbird_template::Interface;
use ovenbird_template::Ssh;

use crate::error::BakeError;
use crate::error::working;
use crate::ssh::Bastion;
use crate::ssh::Host;

/// Amazon's own answer to "who am I?". Only asked where the instance is reached by the Internet.
const WHO_AM_I: &str = "https://checkip.amazonaws.com";
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where to log in, once the instance has an address; `None` as long as it has none.
pub(crate) fn login_host(ssh: &Ssh, instance: &ec2::Instance) -> Option<Host> {
    let public = || instance.public_ip_address.clone();
    let private = || instance.private_ip_address.clone();
    let address = match (&ssh.host, ssh.interface) {
        (Some(host), _) => Some(host.clone()),
        (None, None) => public().or_else(private),
        (None, Some(Interface::PublicIp)) => public(),
        (None, Some(Interface::PrivateIp)) => private(),
        (None, Some(Interface::PublicDns)) => instance.public_dns_name.clone(),
        (None, Some(Interface::PrivateDns)) => instance.private_dns_name.clone(),
        // Refused before anything is launched.
        (None, Some(Interface::Ipv6 | Interface::SessionManager)) => None,
    };
    let bastion = ssh.bastion.as_ref().map(|bastion| Bastion {
        address: bastion.host.clone(),
        port: bastion.port,
        user: bastion.username.clone().unwrap_or_else(|| user(ssh)),
        key: bastion.private_key_file.as_ref().map(Into::into),
    });
    Some(Host {
        address: address.filter(|address| !address.is_empty())?,
        port: ssh.port,
        user: user(ssh),
        name: instance.instance_id.clone()?,
        bastion,
    })
}

fn user(ssh: &Ssh) -> String {
    ssh.username.clone().unwrap_or_else(|| "root".to_owned())
}

/// Who may log in: what the template says, else this machine alone, as the instance sees it.
///
/// For an instance that is reached by the Internet that is what Amazon's checkip answers; the API itself never tells. For one that
/// is reached by a private address (in a network of one's own, or in the embedded EC2) it is the address that we send from.
///
/// # Errors
/// Where our own address cannot be found out; the template can name it.
pub(crate) fn own_cidrs(asked: &[String], host: &Host) -> Result<Vec<String>, BakeError> {
    if !asked.is_empty() {
        return Ok(asked.to_vec());
    }
    let target = host
        .bastion
        .as_ref()
        .map_or((host.address.as_str(), host.port), |bastion| (bastion.address.as_str(), bastion.port));
    let unknown = "name it with `temporary_security_group_source_cidrs`";
    let doing = format!("find out the address that this machine logs in from ({unknown})");
    let reached = target.to_socket_addrs().map_err(working(&doing))?.next();
    let reached = reached.ok_or_else(|| working(&doing)(format!("{} has no address", target.0)))?;
    if host.bastion.is_some() {
        // The instance sees the bastion, by an address that only the bastion knows.
        return Err(BakeError::Unsupported(format!(
            "the bastion's address in the instance's network is not known here: {unknown}"
        )));
    }
    let own = if is_private(reached.ip()) {
        let socket =
            UdpSocket::bind(if reached.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).map_err(working(&doing))?;
        // Connecting a datagram socket sends nothing: it looks up the route.
        socket.connect(reached).and_then(|()| socket.local_addr()).map_err(working(&doing))?.ip()
    } else {
        ask_amazon(&doing)?
    };
    Ok(vec![cidr(own)])
}

fn ask_amazon(doing: &str) -> Result<IpAddr, BakeError> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    let mut answer = agent.get(WHO_AM_I).call().map_err(working(doing))?;
    let text = answer.body_mut().read_to_string().map_err(working(doing))?;
    text.trim().parse().map_err(working(doing))
}

fn cidr(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared(address)
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// 100.64.0.0/10, which carriers and VPNs use inside (RFC 6598).
fn is_shared(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [100, second, ..] if second & 0xc0 == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(address: &str) -> Host {
        Host { address: address.to_owned(), port: 22, user: "admin".to_owned(), name: "i-1".to_owned(), bastion: None }
    }

    #[test]
    fn a_private_instance_sees_where_we_send_from() {
        assert_eq!(own_cidrs(&[], &host("127.0.0.1")).expect("known"), ["127.0.0.1/32"]);
    }

    #[test]
    fn the_template_has_the_last_word() {
        let asked = ["203.0.113.0/24".to_owned()];
        assert_eq!(own_cidrs(&asked, &host("198.51.100.1")).expect("known"), asked);
    }

    #[test]
    fn private_is_what_no_router_of_the_internet_forwards() {
        for (address, is) in [
            ("10.1.2.3", true),
            ("172.31.0.9", true),
            ("172.32.0.9", false),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("169.254.250.2", true),
            ("8.8.8.8", false),
            ("fd00::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().expect("an address")), is, "{address}");
        }
    }
}
