//! Addresses of instances: 172.31.0.0/16 with one /20 per zone, as a default VPC has them.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use ovenbird_core::block::Digest;
use rusqlite::Connection;

use crate::catalogue::Scope;
use crate::catalogue::instances;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::ids::random_bytes;

/// The default VPC of an account and Region; it always is the same.
pub(crate) fn vpc_of(scope: &Scope) -> String {
    derived("vpc", scope, "")
}

/// The default subnet of a zone.
pub(crate) fn subnet_of(scope: &Scope, zone: &str) -> String {
    derived("subnet", scope, zone)
}

fn derived(prefix: &str, scope: &Scope, zone: &str) -> String {
    let digest = Digest::of(format!("{prefix}/{}/{}/{zone}", scope.account, scope.region).as_bytes());
    format!("{prefix}-0{}", &digest.hex()[..16])
}

/// An Ethernet address with Amazon's habit of a locally administered first byte.
pub(crate) fn pick_mac() -> Answer<String> {
    let bytes = random_bytes::<5>()?;
    Ok(bytes.iter().fold("0a".to_owned(), |mac, byte| format!("{mac}:{byte:02x}")))
}

/// An address in the zone's subnet that no instance has and that this machine does not use: `wanted`, or any.
pub(crate) fn pick_address(db: &Connection, zone: u8, wanted: Option<&str>) -> Answer<String> {
    let taken: HashSet<String> = instances::list_addresses(db)?.into_iter().collect();
    let host = HostNetwork::read();
    let is_free = |address: Ipv4Addr| !taken.contains(&address.to_string()) && !host.uses(address);
    let subnet = u32::from(Ipv4Addr::new(172, 31, zone * 16, 0));
    if let Some(wanted) = wanted {
        let address = wanted.parse().ok().filter(|address: &Ipv4Addr| u32::from(*address) & !0xfff == subnet);
        return match address {
            None => refuse(
                "InvalidParameterValue",
                format!("Address {wanted} does not fall within the subnet's address range"),
            ),
            Some(address) if is_free(address) => Ok(address.to_string()),
            Some(_) => refuse("InvalidIPAddress.InUse", format!("Address {wanted} is in use.")),
        };
    }
    // The subnet's first four addresses and its last are Amazon's.
    let usable = 4..4095_u32;
    let start = u32::from(u16::from_be_bytes(random_bytes::<2>()?));
    let count = usable.end - usable.start;
    let mut candidates = (0..count).map(|step| Ipv4Addr::from(subnet + usable.start + (start + step) % count));
    match candidates.find(|address| is_free(*address)) {
        Some(address) => Ok(address.to_string()),
        None => refuse(
            "InsufficientFreeAddressesInSubnet",
            "This machine uses all addresses of the zone itself; try another zone",
        ),
    }
}

/// What this machine routes or answers itself.
#[derive(Default)]
struct HostNetwork {
    /// Network and mask; without the default route.
    routes: Vec<(u32, u32)>,
    addresses: HashSet<Ipv4Addr>,
}

impl HostNetwork {
    /// As the kernel shows it; a machine without /proc uses nothing.
    fn read() -> Self {
        let text = |path| fs_err::read_to_string(path).unwrap_or_default();
        Self::parse(&text("/proc/net/route"), &text("/proc/net/fib_trie"))
    }

    fn parse(routes: &str, addresses: &str) -> Self {
        // The kernel prints addresses as numbers, though they lie in memory in network byte order.
        let number = |hex: &str| Some(u32::from_be_bytes(u32::from_str_radix(hex, 16).ok()?.to_ne_bytes()));
        let route = |line: &str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            Some((number(columns.get(1)?)?, number(columns.get(7)?)?)).filter(|(_, mask)| *mask != 0)
        };
        let mut last: Option<Ipv4Addr> = None;
        let mut own = HashSet::new();
        for line in addresses.lines() {
            match line.trim().strip_prefix("|-- ") {
                Some(address) => last = address.parse().ok(),
                None if line.contains("/32 host LOCAL") => own.extend(last),
                None => {}
            }
        }
        Self { routes: routes.lines().skip(1).filter_map(route).collect(), addresses: own }
    }

    fn uses(&self, address: Ipv4Addr) -> bool {
        self.addresses.contains(&address)
            || self.routes.iter().any(|(network, mask)| u32::from(address) & mask == *network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                          eth0\t00000000\t010010AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                          eth0\t00101FAC\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\n\
                          ve-1\t07001FAC\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n";
    const TRIE: &str = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 172.31.0.9\n        /32 host LOCAL\n     |-- 172.31.0.10\n        /32 link UNICAST\n";

    #[test]
    fn sees_what_the_machine_uses() {
        let host = HostNetwork::parse(ROUTES, TRIE);
        let uses = |text: &str| host.uses(text.parse().expect("address"));
        assert!(uses("172.31.16.1") && uses("172.31.31.255"), "a connected subnet");
        assert!(uses("172.31.0.7"), "a route to one host");
        assert!(uses("172.31.0.9"), "an address of its own");
        assert!(!uses("172.31.0.8") && !uses("172.31.0.10") && !uses("172.31.32.1"));
    }

    #[test]
    fn ids_of_the_network_are_stable() {
        let scope = Scope { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        assert_eq!(subnet_of(&scope, "us-east-1a"), subnet_of(&scope, "us-east-1a"));
        assert_ne!(subnet_of(&scope, "us-east-1a"), subnet_of(&scope, "us-east-1b"));
        assert!(crate::ids::is_id("vpc", &vpc_of(&scope)));
        assert_eq!(pick_mac().expect("random").len(), 17);
    }
}
