//! What the metadata service answers to a path: a pure function of the facts.
//!
//! The items are those of the EC2 User Guide's "Instance metadata categories", as far as this endpoint has them. Each
//! says since which version of the service it exists; an older version answers 404 for it, as EC2 does.

use super::InstanceFacts;
use super::RoleCredentials;
use super::document;

/// Where the API answers inside an instance of the embedded EC2.
pub const API_ENDPOINT: &str = "http://169.254.169.254:8773";

/// The versions that are served, oldest first; `latest` is another name for the last one.
pub const VERSIONS: [&str; 16] = [
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
    "2011-01-01",
    "2012-01-12",
    "2014-02-25",
    "2016-09-02",
    "2018-09-24",
    "2021-03-23",
    "2021-07-15",
];

/// An answer to `GET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An item's or a folder's text.
    Text(String),
    /// The user data, as they are.
    Bytes(Vec<u8>),
    /// There is no such item.
    Missing,
}

/// One item: since which version, its path below the version, its value.
type Item = (&'static str, String, String);

/// The answer to `GET path`, where `path` is what the request line says, with or without a slash at its end.
#[must_use]
pub fn answer(facts: &InstanceFacts, credentials: Option<&RoleCredentials>, path: &str) -> Answer {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let Some(version) = parts.next() else {
        return Answer::Text([VERSIONS.as_slice(), &["latest"]].concat().join("\n"));
    };
    let Some(version) = find_version(version) else { return Answer::Missing };
    let path = parts.collect::<Vec<_>>().join("/");
    match path.as_str() {
        "" => Answer::Text(list_top(facts)),
        "user-data" => facts.user_data.clone().map_or(Answer::Missing, Answer::Bytes),
        _ => answer_item(&list_items(facts, credentials, version), &path),
    }
}

fn find_version(name: &str) -> Option<&'static str> {
    if name == "latest" { VERSIONS.last().copied() } else { VERSIONS.into_iter().find(|version| *version == name) }
}

fn list_top(facts: &InstanceFacts) -> String {
    if facts.user_data.is_some() { "dynamic\nmeta-data\nuser-data" } else { "dynamic\nmeta-data" }.to_owned()
}

fn answer_item(items: &[Item], path: &str) -> Answer {
    if let Some((_, _, value)) = items.iter().find(|(_, item, _)| item == path) {
        return Answer::Text(value.clone());
    }
    let mut names: Vec<String> = items.iter().filter_map(|(_, item, value)| list_name(path, item, value)).collect();
    names.sort();
    names.dedup();
    if names.is_empty() { Answer::Missing } else { Answer::Text(names.join("\n")) }
}

/// How `item` shows in the listing of `folder`; `None` where it lies elsewhere.
fn list_name(folder: &str, item: &str, value: &str) -> Option<String> {
    let below = item.strip_prefix(folder)?.strip_prefix('/')?;
    match below.split_once('/') {
        // A key pair is listed with its name, but asked for by its number alone.
        Some((number, _)) if folder == "meta-data/public-keys" => Some(format!("{number}={}", comment(value))),
        Some((name, _)) => Some(format!("{name}/")),
        None => Some(below.to_owned()),
    }
}

/// The third word of an OpenSSH public key, where [`list_items`] puts the key pair's name.
fn comment(openssh_key: &str) -> &str {
    openssh_key.splitn(3, ' ').nth(2).unwrap_or_default().trim_end()
}

fn list_items(facts: &InstanceFacts, credentials: Option<&RoleCredentials>, version: &'static str) -> Vec<Item> {
    let mut items = list_instance(facts);
    items.extend(list_interface(facts));
    items.extend(list_public(facts));
    items.extend(list_role(facts, credentials));
    if let Some((name, key)) = &facts.public_key {
        let key = key.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        items.push(("1.0", "meta-data/public-keys/0/openssh-key".to_owned(), format!("{key} {name}")));
    }
    for (key, value) in facts.tags.iter().flatten() {
        // Keys with a slash or space are not shown by EC2 either: it refuses them when tags in metadata are on.
        if !key.contains(['/', ' ']) {
            items.push(("2021-03-23", format!("meta-data/tags/instance/{key}"), value.clone()));
        }
    }
    // All versions are dates, but the first, whose name happens to sort before them.
    items.retain(|(since, _, _)| *since <= version);
    items
}

fn list_instance(facts: &InstanceFacts) -> Vec<Item> {
    let hostname = private_dns_name(facts);
    let partition = document::partition(&facts.region);
    let rows = [
        ("1.0", "ami-id", facts.image_id.clone()),
        ("1.0", "ami-launch-index", "0".to_owned()),
        ("1.0", "ami-manifest-path", "(unknown)".to_owned()),
        ("2007-12-15", "block-device-mapping/ami", "/dev/xvda".to_owned()),
        ("2007-12-15", "block-device-mapping/root", "/dev/xvda".to_owned()),
        ("1.0", "hostname", hostname.clone()),
        ("2008-09-01", "instance-action", "none".to_owned()),
        ("1.0", "instance-id", facts.instance_id.clone()),
        ("2018-09-24", "instance-life-cycle", "on-demand".to_owned()),
        ("2007-08-29", "instance-type", facts.instance_type.clone()),
        ("2007-01-19", "local-hostname", hostname),
        ("1.0", "local-ipv4", facts.private_ip.clone()),
        ("2011-01-01", "mac", facts.mac.clone()),
        ("2011-01-01", "metrics/vhostmd", r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned()),
        ("2008-02-01", "placement/availability-zone", facts.zone.clone()),
        ("2021-03-23", "placement/availability-zone-id", facts.zone_id.clone()),
        ("2021-03-23", "placement/region", facts.region.clone()),
        ("2009-04-04", "profile", "default-hvm".to_owned()),
        ("1.0", "reservation-id", document::sibling_id("r", &facts.instance_id)),
        ("1.0", "security-groups", facts.security_groups.join("\n")),
        ("2014-02-25", "services/domain", partition.domain.to_owned()),
        ("2014-02-25", "services/endpoint-url", API_ENDPOINT.to_owned()),
        ("2016-09-02", "services/partition", partition.name.to_owned()),
    ];
    let in_metadata = |(since, path, value)| (since, format!("meta-data/{path}"), value);
    let mut items: Vec<Item> = rows.into_iter().map(in_metadata).collect();
    items.push(("2009-04-04", "dynamic/instance-identity/document".to_owned(), document::identity(facts)));
    items
}

fn list_interface(facts: &InstanceFacts) -> impl Iterator<Item = Item> {
    let rows = [
        ("device-number", "0".to_owned()),
        ("interface-id", document::sibling_id("eni", &facts.instance_id)),
        ("local-hostname", private_dns_name(facts)),
        ("local-ipv4s", facts.private_ip.clone()),
        ("mac", facts.mac.clone()),
        ("owner-id", facts.account.clone()),
        ("security-groups", facts.security_groups.join("\n")),
        ("subnet-ipv4-cidr-block", subnet(&facts.private_ip)),
        ("vpc-ipv4-cidr-block", "172.31.0.0/16".to_owned()),
        ("vpc-ipv4-cidr-blocks", "172.31.0.0/16".to_owned()),
    ];
    let folder = format!("meta-data/network/interfaces/macs/{}", facts.mac);
    rows.into_iter().map(move |(name, value)| ("2011-01-01", format!("{folder}/{name}"), value))
}

/// As in a VPC without DNS hostnames: there is a public address, and its name is empty.
fn list_public(facts: &InstanceFacts) -> Vec<Item> {
    let Some(address) = &facts.public_ip else { return Vec::new() };
    let of_interface = |name: &str| format!("meta-data/network/interfaces/macs/{}/{name}", facts.mac);
    vec![
        ("2007-01-19", "meta-data/public-hostname".to_owned(), String::new()),
        ("2007-01-19", "meta-data/public-ipv4".to_owned(), address.clone()),
        ("2011-01-01", of_interface("public-hostname"), String::new()),
        ("2011-01-01", of_interface("public-ipv4s"), address.clone()),
    ]
}

fn list_role(facts: &InstanceFacts, credentials: Option<&RoleCredentials>) -> Vec<Item> {
    let (Some(role), Some(credentials)) = (&facts.role, credentials) else { return Vec::new() };
    vec![
        ("2012-01-12", "meta-data/iam/info".to_owned(), document::profile(facts, role)),
        (
            "2012-01-12",
            format!("meta-data/iam/security-credentials/{role}"),
            document::role_credentials(facts, credentials),
        ),
    ]
}

/// The private DNS name that EC2 gives to an address by default.
fn private_dns_name(facts: &InstanceFacts) -> String {
    let host = format!("ip-{}", facts.private_ip.replace('.', "-"));
    match facts.region.as_str() {
        "us-east-1" => format!("{host}.ec2.internal"),
        region => format!("{host}.{region}.compute.internal"),
    }
}

/// The default subnet (20 bits) that holds the address; the address itself where it is none.
fn subnet(private_ip: &str) -> String {
    let Ok(address) = private_ip.parse::<std::net::Ipv4Addr>() else { return private_ip.to_owned() };
    format!("{}/20", std::net::Ipv4Addr::from_bits(address.to_bits() & 0xffff_f000))
}

#[cfg(test)]
mod tests;
