//! CreateSecurityGroup, DescribeSecurityGroups, DeleteSecurityGroup. Groups are kept and checked, not enforced.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::CreateSecurityGroupRequest;
use ovenbird_aws::ec2::CreateSecurityGroupResult;
use ovenbird_aws::ec2::DeleteSecurityGroupRequest;
use ovenbird_aws::ec2::DeleteSecurityGroupResult;
use ovenbird_aws::ec2::DescribeSecurityGroupsRequest;
use ovenbird_aws::ec2::DescribeSecurityGroupsResult;
use rusqlite::Connection;

use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use super::resources::Kind;
use super::security_group_rules;
use crate::catalogue::Scope;
use crate::catalogue::instances;
use crate::catalogue::security_groups;
use crate::catalogue::security_groups::Rule;
use crate::catalogue::security_groups::SecurityGroup;
use crate::catalogue::security_groups::Source;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::instances as life;
use crate::tagging;
use crate::world::Call;

/// The group that every VPC has.
const DEFAULT: &str = "default";

/// Makes a group of the default VPC.
pub(crate) fn create_security_group(
    call: &Call,
    request: &CreateSecurityGroupRequest,
) -> Answer<CreateSecurityGroupResult> {
    let name = verify_text(required(request.group_name.as_deref(), "GroupName")?, "groupName")?;
    let description = verify_text(required(request.description.as_deref(), "GroupDescription")?, "groupDescription")?;
    if name.starts_with("sg-") || name.is_empty() {
        return refuse("InvalidParameterValue", format!("Invalid value '{name}' for groupName."));
    }
    verify_vpc(call, request.vpc_id.as_deref())?;
    let tags = tagging::specified(&request.tag_specifications, &["security-group"])?("security-group");
    call.world.catalogue.transact(|db| {
        ensure_default(db, &call.scope)?;
        if security_groups::find_named(db, &call.scope, &name)?.is_some() {
            let vpc = life::vpc_of(&call.scope);
            let text = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return refuse("InvalidGroup.Duplicate", text);
        }
        let group = SecurityGroup { seq: 0, id: random_id("sg")?, scope: call.scope.clone(), name, description };
        security_groups::insert_group(db, &group)?;
        tags::put_tags(db, &call.scope, &group.id, &tags)?;
        Ok(CreateSecurityGroupResult {
            security_group_arn: Some(arn(&group)),
            group_id: Some(group.id),
            tags: tagging::to_api(&tags),
        })
    })
}

/// At most 255 characters of `a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*`.
fn verify_text(text: &str, parameter: &str) -> Answer<String> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(letter);
    if text.chars().count() <= 255 && text.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    let text = format!(
        "Value ({text}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported, and the length is 255 at most."
    );
    refuse("InvalidParameterValue", text)
}

/// Only the default VPC is there.
pub(super) fn verify_vpc(call: &Call, vpc: Option<&str>) -> Answer<()> {
    match vpc.filter(|vpc| !vpc.is_empty()) {
        Some(vpc) if vpc != life::vpc_of(&call.scope) => {
            refuse("InvalidVpcID.NotFound", format!("The vpc ID '{vpc}' does not exist"))
        }
        _ => Ok(()),
    }
}

/// The default group, made where it is not there yet: its members may reach each other.
pub(super) fn ensure_default(db: &Connection, scope: &Scope) -> Answer<SecurityGroup> {
    if let Some(group) = security_groups::find_named(db, scope, DEFAULT)? {
        return Ok(group);
    }
    let group = SecurityGroup {
        seq: 0,
        id: random_id("sg")?,
        scope: scope.clone(),
        name: DEFAULT.to_owned(),
        description: "default VPC security group".to_owned(),
    };
    security_groups::insert_group(db, &group)?;
    let own = Rule {
        id: random_id("sgr")?,
        protocol: "-1".to_owned(),
        from_port: -1,
        to_port: -1,
        source: Source::Group(group.id.clone()),
        description: None,
    };
    security_groups::add_rule(db, &group.id, &own)?;
    Ok(group)
}

/// The caller's group of this id.
pub(super) fn own_group(db: &Connection, call: &Call, id: &str) -> Answer<SecurityGroup> {
    Kind::SecurityGroup.verify_id(id)?;
    ensure_default(db, &call.scope)?;
    security_groups::find_group(db, &call.scope, id)?.map_or_else(|| Kind::SecurityGroup.not_found(id), Ok)
}

/// The caller's group of this id or, without an id, this name.
pub(super) fn group_of(db: &Connection, call: &Call, id: Option<&str>, name: Option<&str>) -> Answer<SecurityGroup> {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        return own_group(db, call, id);
    }
    let name = required(name.filter(|name| !name.is_empty()), "GroupId")?;
    ensure_default(db, &call.scope)?;
    match security_groups::find_named(db, &call.scope, name)? {
        Some(group) => Ok(group),
        None => {
            let vpc = life::vpc_of(&call.scope);
            let text = format!("The security group '{name}' does not exist in default VPC '{vpc}'");
            refuse("InvalidGroup.NotFound", text)
        }
    }
}

/// The groups of a new instance: those named, or the default one.
pub(super) fn of_new_instance(db: &Connection, call: &Call, ids: &[String], names: &[String]) -> Answer<Vec<String>> {
    let mut groups = Vec::new();
    for id in ids {
        groups.push(own_group(db, call, id)?.id);
    }
    for name in names {
        groups.push(group_of(db, call, None, Some(name))?.id);
    }
    if groups.is_empty() {
        groups.push(ensure_default(db, &call.scope)?.id);
    }
    let mut seen = std::collections::HashSet::new();
    groups.retain(|id| seen.insert(id.clone()));
    Ok(groups)
}

struct Listed {
    group: SecurityGroup,
    rules: Vec<Rule>,
    tags: Vec<Tag>,
}

/// The caller's groups, with their rules.
pub(crate) fn describe_security_groups(
    call: &Call,
    request: &DescribeSecurityGroupsRequest,
) -> Answer<DescribeSecurityGroupsResult> {
    let listed = call.world.catalogue.transact(|db| {
        ensure_default(db, &call.scope)?;
        request.group_ids.iter().try_for_each(|id| own_group(db, call, id).map(drop))?;
        request.group_names.iter().try_for_each(|name| group_of(db, call, None, Some(name)).map(drop))?;
        let mut listed = Vec::new();
        let is_all = request.group_ids.is_empty() && request.group_names.is_empty();
        for group in security_groups::list_groups(db, &call.scope)? {
            if is_all || request.group_ids.contains(&group.id) || request.group_names.contains(&group.name) {
                let (rules, tags) =
                    (security_groups::list_rules(db, &group.id)?, tags::list_tags(db, &call.scope, &group.id)?);
                listed.push(Listed { group, rules, tags });
            }
        }
        Ok(listed)
    })?;
    let paging = Paging {
        action: "DescribeSecurityGroups",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.group.seq)?;
    Ok(DescribeSecurityGroupsResult { next_token, security_groups: page.iter().map(to_api).collect() })
}

/// Deletes a group that no instance has and no other group names.
pub(crate) fn delete_security_group(
    call: &Call,
    request: &DeleteSecurityGroupRequest,
) -> Answer<DeleteSecurityGroupResult> {
    call.world.catalogue.transact(|db| {
        let group = group_of(db, call, request.group_id.as_deref(), request.group_name.as_deref())?;
        if group.name == DEFAULT {
            let text = format!("the specified group: \"{}\" name: \"default\" cannot be deleted by a user", group.id);
            return refuse("CannotDelete", text);
        }
        let user = instances::find_in_group(db, &group.id)?;
        if user.or(security_groups::find_referrer(db, &group.id)?).is_some() {
            return refuse("DependencyViolation", format!("resource {} has a dependent object", group.id));
        }
        security_groups::delete_group(db, &group.id)?;
        Ok(DeleteSecurityGroupResult { r#return: Some(true), group_id: Some(group.id) })
    })
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "description",
        "group-id",
        "group-name",
        "ip-permission.cidr",
        "ip-permission.from-port",
        "ip-permission.group-id",
        "ip-permission.protocol",
        "ip-permission.to-port",
        "owner-id",
        "vpc-id",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let of_rules = |value: fn(&Rule) -> Option<String>| self.rules.iter().filter_map(value).collect();
        let value = match filter {
            "description" => self.group.description.clone(),
            "group-id" => self.group.id.clone(),
            "group-name" => self.group.name.clone(),
            "ip-permission.cidr" => {
                return of_rules(|rule| match &rule.source {
                    Source::Ipv4(range) => Some(range.clone()),
                    _ => None,
                });
            }
            "ip-permission.from-port" => return of_rules(|rule| Some(rule.from_port.to_string())),
            "ip-permission.group-id" => {
                return of_rules(|rule| match &rule.source {
                    Source::Group(id) => Some(id.clone()),
                    _ => None,
                });
            }
            "ip-permission.protocol" => return of_rules(|rule| Some(rule.protocol.clone())),
            "ip-permission.to-port" => return of_rules(|rule| Some(rule.to_port.to_string())),
            "owner-id" => self.group.scope.account.clone(),
            _ => life::vpc_of(&self.group.scope),
        };
        vec![value]
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

fn arn(group: &SecurityGroup) -> String {
    format!("arn:aws:ec2:{}:{}:security-group/{}", group.scope.region, group.scope.account, group.id)
}

fn to_api(listed: &Listed) -> ec2::SecurityGroup {
    let Listed { group, rules, tags } = listed;
    let everywhere = ec2::IpPermission {
        ip_protocol: Some("-1".to_owned()),
        ip_ranges: vec![ec2::IpRange { description: None, cidr_ip: Some("0.0.0.0/0".to_owned()) }],
        ..ec2::IpPermission::default()
    };
    ec2::SecurityGroup {
        group_id: Some(group.id.clone()),
        // What leaves is never limited here; EC2's new groups say so too.
        ip_permissions_egress: vec![everywhere],
        tags: tagging::to_api(tags),
        vpc_id: Some(life::vpc_of(&group.scope)),
        security_group_arn: Some(arn(group)),
        owner_id: Some(group.scope.account.clone()),
        group_name: Some(group.name.clone()),
        description: Some(group.description.clone()),
        ip_permissions: security_group_rules::to_permissions(&group.scope, rules),
    }
}
