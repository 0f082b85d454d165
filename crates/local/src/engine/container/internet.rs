//! A way out for instances, as a public subnet of EC2 has one. Only `local up --internet` opens it.
//!
//! `slirp4netns` carries the router's packets as connections of its own process, so that nothing of this machine's
//! addresses, routes, forwarding or filters changes. The instance is hidden behind the router's address there. This
//! machine's loopback stays out of reach; names are answered by slirp4netns out of this machine's own resolver.

use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::tool::Tool;

use crate::engine::Failure;
use crate::engine::Machine;
use crate::network::Network;

/// Where slirp4netns answers names (slirp4netns(1), "network topology").
const NAMES: &str = "nameserver 10.0.2.3\n";

/// Hides the instance behind the router; applied again it is the same.
const HIDE: &str = "add table ip ovenbird
add chain ip ovenbird out { type nat hook postrouting priority srcnat; }
flush chain ip ovenbird out
add rule ip ovenbird out oifname \"tap0\" masquerade
";

/// Makes the routes and files of a way out; the container's start opens it.
pub(super) fn ensure(machine: &Machine, network: &Network) -> Result<(), Failure> {
    let doing = format!("give {} a way out", machine.instance_id);
    network.ensure_default_route()?;
    let nft = ["netns", "exec", &network.router(), "nft", "-f", "-"];
    Tool::new("ip").doing(&doing).args(nft).stdin_bytes(HIDE).run()?;
    Ok(fs::write(resolv_conf(machine), NAMES)?)
}

/// Opens the way out of the router; runs as long as the container. Part of the script that becomes the container.
pub(super) fn command(machine: &Machine, network: &Network) -> String {
    let log = machine.folder.join("internet.log");
    format!(
        "slirp4netns --configure --mtu=1500 --disable-host-loopback --netns-type=path /run/netns/{} tap0 \
         </dev/null >>'{}' 2>&1 &",
        network.router(),
        log.display()
    )
}

/// The file that the container sees as its resolver's.
pub(super) fn resolv_conf(machine: &Machine) -> PathBuf {
    machine.folder.join("resolv.conf")
}
