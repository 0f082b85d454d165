//! AuthorizeSecurityGroupIngress and RevokeSecurityGroupIngress.

use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::AuthorizeSecurityGroupIngressRequest;
use ovenbird_aws::ec2::AuthorizeSecurityGroupIngressResult;
use ovenbird_aws::ec2::IpPermission;
use ovenbird_aws::ec2::RevokeSecurityGroupIngressRequest;
use ovenbird_aws::ec2::RevokeSecurityGroupIngressResult;
use rusqlite::Connection;

use super::security_groups::group_of;
use super::security_groups::own_group;
use crate::catalogue::Scope;
use crate::catalogue::security_groups;
use crate::catalogue::security_groups::Rule;
use crate::catalogue::security_groups::SecurityGroup;
use crate::catalogue::security_groups::Source;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::world::Call;

/// Adds rules: all of them, or none where one is there already.
pub(crate) fn authorize_security_group_ingress(
    call: &Call,
    request: &AuthorizeSecurityGroupIngressRequest,
) -> Answer<AuthorizeSecurityGroupIngressResult> {
    let short = Short {
        protocol: &request.ip_protocol,
        from_port: request.from_port,
        to_port: request.to_port,
        cidr: &request.cidr_ip,
        group: &request.source_security_group_name,
    };
    let permissions = short.expand(&request.ip_permissions);
    call.world.catalogue.transact(|db| {
        let group = group_of(db, call, request.group_id.as_deref(), request.group_name.as_deref())?;
        let rules = read(db, call, &permissions)?;
        for rule in &rules {
            if !security_groups::add_rule(db, &group.id, rule)? {
                let text = format!("the specified rule \"{}\" already exists", describe(rule));
                return refuse("InvalidPermission.Duplicate", text);
            }
        }
        let security_group_rules = rules.iter().map(|rule| to_rule(&group, rule)).collect();
        Ok(AuthorizeSecurityGroupIngressResult { r#return: Some(true), security_group_rules })
    })
}

/// Takes rules away, by what they say or by their ids; all of them, or none where one is not there.
pub(crate) fn revoke_security_group_ingress(
    call: &Call,
    request: &RevokeSecurityGroupIngressRequest,
) -> Answer<RevokeSecurityGroupIngressResult> {
    let short = Short {
        protocol: &request.ip_protocol,
        from_port: request.from_port,
        to_port: request.to_port,
        cidr: &request.cidr_ip,
        group: &request.source_security_group_name,
    };
    let permissions = short.expand(&request.ip_permissions);
    call.world.catalogue.transact(|db| {
        let group = group_of(db, call, request.group_id.as_deref(), request.group_name.as_deref())?;
        let known = security_groups::list_rules(db, &group.id)?;
        let mut revoked = Vec::new();
        for id in &request.security_group_rule_ids {
            match known.iter().find(|rule| rule.id == *id) {
                Some(rule) => revoked.push(rule),
                None => {
                    let text = format!("The security group rule ID '{id}' does not exist");
                    return refuse("InvalidSecurityGroupRuleId.NotFound", text);
                }
            }
        }
        if request.security_group_rule_ids.is_empty() {
            for wanted in read(db, call, &permissions)? {
                match known.iter().find(|rule| is_same(rule, &wanted)) {
                    Some(rule) => revoked.push(rule),
                    None => {
                        let text = "The specified rule does not exist in this security group.";
                        return refuse("InvalidPermission.NotFound", text);
                    }
                }
            }
        }
        revoked.iter().try_for_each(|rule| security_groups::delete_rule(db, &rule.id))?;
        let revoked_security_group_rules = revoked.iter().map(|rule| to_revoked(&group, rule)).collect();
        Ok(RevokeSecurityGroupIngressResult {
            r#return: Some(true),
            unknown_ip_permissions: Vec::new(),
            revoked_security_group_rules,
        })
    })
}

/// The older form of a single permission, written beside the group.
struct Short<'a> {
    protocol: &'a Option<String>,
    from_port: Option<i32>,
    to_port: Option<i32>,
    cidr: &'a Option<String>,
    group: &'a Option<String>,
}

impl Short<'_> {
    fn expand(&self, permissions: &[IpPermission]) -> Vec<IpPermission> {
        let mut all = permissions.to_vec();
        if self.cidr.is_some() || self.group.is_some() {
            let range = |cidr: &String| ec2::IpRange { description: None, cidr_ip: Some(cidr.clone()) };
            let pair = |name: &String| ec2::UserIdGroupPair {
                group_name: Some(name.clone()),
                ..ec2::UserIdGroupPair::default()
            };
            all.push(IpPermission {
                // A group alone means everything from it.
                ip_protocol: self.protocol.clone().or(self.group.as_ref().map(|_| "-1".to_owned())),
                from_port: self.from_port,
                to_port: self.to_port,
                ip_ranges: self.cidr.iter().map(range).collect(),
                user_id_group_pairs: self.group.iter().map(pair).collect(),
                ..IpPermission::default()
            });
        }
        all
    }
}

/// One rule per source.
fn read(db: &Connection, call: &Call, permissions: &[IpPermission]) -> Answer<Vec<Rule>> {
    required(permissions.first(), "IpPermissions")?;
    let mut rules = Vec::new();
    for permission in permissions {
        let (protocol, from_port, to_port) = verify_ports(permission)?;
        let mut push = |source: Source, description: &Option<String>| -> Answer<()> {
            let (protocol, description) = (protocol.clone(), description.clone());
            rules.push(Rule { id: random_id("sgr")?, protocol, from_port, to_port, source, description });
            Ok(())
        };
        for range in &permission.ip_ranges {
            push(Source::Ipv4(verify_ipv4(range.cidr_ip.as_deref())?), &range.description)?;
        }
        for range in &permission.ipv6_ranges {
            push(Source::Ipv6(verify_ipv6(range.cidr_ipv6.as_deref())?), &range.description)?;
        }
        for list in &permission.prefix_list_ids {
            let id = required(list.prefix_list_id.clone(), "PrefixListId")?;
            push(Source::PrefixList(id), &list.description)?;
        }
        for pair in &permission.user_id_group_pairs {
            let group = match pair.group_id.as_deref() {
                Some(id) => own_group(db, call, id)?,
                None => group_of(db, call, None, pair.group_name.as_deref())?,
            };
            push(Source::Group(group.id), &pair.description)?;
        }
    }
    required(rules.first(), "CidrIp")?;
    Ok(rules)
}

fn verify_ports(permission: &IpPermission) -> Answer<(String, i32, i32)> {
    let protocol = required(permission.ip_protocol.as_deref(), "IpProtocol")?.to_ascii_lowercase();
    let protocol = match protocol.as_str() {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        "all" => "-1",
        other => other,
    };
    let is_number = protocol.parse::<u8>().is_ok();
    if !matches!(protocol, "tcp" | "udp" | "icmp" | "icmpv6" | "-1") && !is_number {
        return refuse(
            "InvalidPermission.Malformed",
            format!("Unsupported IP protocol \"{protocol}\" - supported: [tcp, udp, icmp]"),
        );
    }
    if protocol == "-1" || is_number {
        return Ok((protocol.to_owned(), -1, -1));
    }
    let (from, to) = (required(permission.from_port, "FromPort")?, required(permission.to_port, "ToPort")?);
    let is_port = |port: i32| (0..=65_535).contains(&port);
    if matches!(protocol, "tcp" | "udp") && !(is_port(from) && is_port(to) && from <= to) {
        return refuse(
            "InvalidParameterValue",
            format!(
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP, in order: {from}-{to}."
            ),
        );
    }
    Ok((protocol.to_owned(), from, to))
}

/// The range without host bits, as EC2 keeps it.
fn verify_ipv4(cidr: Option<&str>) -> Answer<String> {
    let cidr = required(cidr, "CidrIp")?;
    let parsed = cidr.split_once('/').and_then(|(address, length)| {
        let (address, length): (Ipv4Addr, u32) =
            (address.parse().ok()?, length.parse().ok().filter(|bits| *bits <= 32)?);
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        Some(format!("{}/{length}", Ipv4Addr::from_bits(address.to_bits() & mask)))
    });
    parsed.map_or_else(|| refuse("InvalidParameterValue", format!("CIDR block {cidr} is malformed")), Ok)
}

fn verify_ipv6(cidr: Option<&str>) -> Answer<String> {
    let cidr = required(cidr, "CidrIpv6")?;
    let is_range = cidr.split_once('/').is_some_and(|(address, length)| {
        address.parse::<Ipv6Addr>().is_ok() && length.parse::<u32>().is_ok_and(|bits| bits <= 128)
    });
    if is_range {
        Ok(cidr.to_owned())
    } else {
        refuse("InvalidParameterValue", format!("CIDR block {cidr} is malformed"))
    }
}

fn is_same(one: &Rule, other: &Rule) -> bool {
    let parts = |rule: &Rule| (rule.protocol.clone(), rule.from_port, rule.to_port, rule.source.clone());
    parts(one) == parts(other)
}

fn describe(rule: &Rule) -> String {
    let (Source::Ipv4(peer) | Source::Ipv6(peer) | Source::PrefixList(peer) | Source::Group(peer)) = &rule.source;
    let protocol = if rule.protocol == "-1" { "ALL".to_owned() } else { rule.protocol.to_ascii_uppercase() };
    format!("peer: {peer}, {protocol}, from port: {}, to port: {}, ALLOW", rule.from_port, rule.to_port)
}

/// The rules as permissions: those of the same ports are one.
pub(super) fn to_permissions(scope: &Scope, rules: &[Rule]) -> Vec<IpPermission> {
    let mut permissions: Vec<IpPermission> = Vec::new();
    for rule in rules {
        let is_all = rule.protocol == "-1";
        let ports = (!is_all).then_some((rule.from_port, rule.to_port)).unzip();
        let fits = |found: &&mut IpPermission| {
            found.ip_protocol.as_ref() == Some(&rule.protocol) && (found.from_port, found.to_port) == ports
        };
        let at = match permissions.iter_mut().find(fits) {
            Some(found) => found,
            None => {
                permissions.push(IpPermission {
                    ip_protocol: Some(rule.protocol.clone()),
                    from_port: ports.0,
                    to_port: ports.1,
                    ..IpPermission::default()
                });
                let last = permissions.len() - 1;
                &mut permissions[last]
            }
        };
        let description = rule.description.clone();
        match &rule.source {
            Source::Ipv4(range) => at.ip_ranges.push(ec2::IpRange { description, cidr_ip: Some(range.clone()) }),
            Source::Ipv6(range) => at.ipv6_ranges.push(ec2::Ipv6Range { description, cidr_ipv6: Some(range.clone()) }),
            Source::PrefixList(id) => {
                at.prefix_list_ids.push(ec2::PrefixListId { description, prefix_list_id: Some(id.clone()) });
            }
            Source::Group(id) => at.user_id_group_pairs.push(ec2::UserIdGroupPair {
                description,
                user_id: Some(scope.account.clone()),
                group_id: Some(id.clone()),
                ..ec2::UserIdGroupPair::default()
            }),
        }
    }
    permissions
}

fn to_rule(group: &SecurityGroup, rule: &Rule) -> ec2::SecurityGroupRule {
    let mut shown = ec2::SecurityGroupRule {
        security_group_rule_id: Some(rule.id.clone()),
        group_id: Some(group.id.clone()),
        group_owner_id: Some(group.scope.account.clone()),
        is_egress: Some(false),
        ip_protocol: Some(rule.protocol.clone()),
        from_port: Some(rule.from_port),
        to_port: Some(rule.to_port),
        description: rule.description.clone(),
        ..ec2::SecurityGroupRule::default()
    };
    match &rule.source {
        Source::Ipv4(range) => shown.cidr_ipv4 = Some(range.clone()),
        Source::Ipv6(range) => shown.cidr_ipv6 = Some(range.clone()),
        Source::PrefixList(id) => shown.prefix_list_id = Some(id.clone()),
        Source::Group(id) => {
            shown.referenced_group_info = Some(ec2::ReferencedSecurityGroup {
                group_id: Some(id.clone()),
                user_id: Some(group.scope.account.clone()),
                ..ec2::ReferencedSecurityGroup::default()
            });
        }
    }
    shown
}

fn to_revoked(group: &SecurityGroup, rule: &Rule) -> ec2::RevokedSecurityGroupRule {
    let shown = to_rule(group, rule);
    ec2::RevokedSecurityGroupRule {
        security_group_rule_id: shown.security_group_rule_id,
        group_id: shown.group_id,
        is_egress: shown.is_egress,
        ip_protocol: shown.ip_protocol,
        from_port: shown.from_port,
        to_port: shown.to_port,
        cidr_ipv4: shown.cidr_ipv4,
        cidr_ipv6: shown.cidr_ipv6,
        prefix_list_id: shown.prefix_list_id,
        referenced_group_id: shown.referenced_group_info.and_then(|info| info.group_id),
        description: shown.description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lose_their_host_bits() {
        for (given, kept) in [("10.1.2.3/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("1.2.3.4/32", "1.2.3.4/32")] {
            assert_eq!(verify_ipv4(Some(given)).expect(given), kept);
        }
        for bad in ["", "1.2.3.4", "1.2.3.4/33", "1.2.3/8", "a/8"] {
            assert!(verify_ipv4(Some(bad)).is_err(), "{bad}");
        }
    }
}
