//! DescribeVpcs and DescribeSubnets: the default VPC of the account and Region, with a subnet in each zone.

use ovenbird_aws::ec2::DescribeSubnetsRequest;
use ovenbird_aws::ec2::DescribeSubnetsResult;
use ovenbird_aws::ec2::DescribeVpcsRequest;
use ovenbird_aws::ec2::DescribeVpcsResult;
use ovenbird_aws::ec2::Subnet;
use ovenbird_aws::ec2::Vpc;
use ovenbird_aws::ec2::VpcCidrBlockAssociation;
use ovenbird_aws::ec2::VpcCidrBlockState;

use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use crate::catalogue::instances;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::instances as life;
use crate::regions;
use crate::regions::Zone;
use crate::world::Call;

/// The range of every default VPC (VPC user guide, "Default VPCs").
const RANGE: &str = "172.31.0.0/16";

/// Addresses of a /20 without Amazon's five.
const ADDRESSES: i32 = 4091;

/// The default VPC.
pub(crate) fn describe_vpcs(call: &Call, request: &DescribeVpcsRequest) -> Answer<DescribeVpcsResult> {
    let id = life::vpc_of(&call.scope);
    if let Some(unknown) = request.vpc_ids.iter().find(|wanted| **wanted != id) {
        return refuse("InvalidVpcID.NotFound", format!("The vpc ID '{unknown}' does not exist"));
    }
    let association = VpcCidrBlockAssociation {
        association_id: Some(id.replacen("vpc-", "vpc-cidr-assoc-", 1)),
        cidr_block: Some(RANGE.to_owned()),
        cidr_block_state: Some(VpcCidrBlockState { state: Some("associated".to_owned()), status_message: None }),
    };
    let vpc = Vpc {
        owner_id: Some(call.scope.account.clone()),
        instance_tenancy: Some("default".to_owned()),
        cidr_block_association_set: vec![association],
        is_default: Some(true),
        dhcp_options_id: Some(id.replacen("vpc-", "dopt-", 1)),
        vpc_id: Some(id),
        state: Some("available".to_owned()),
        cidr_block: Some(RANGE.to_owned()),
        ..Vpc::default()
    };
    let paging = Paging {
        action: "DescribeVpcs",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (vpcs, next_token) = paging.cut(call, select(vec![vpc], &request.filters)?, |_| 1)?;
    Ok(DescribeVpcsResult { next_token, vpcs })
}

struct Listed {
    seq: i64,
    subnet: Subnet,
}

/// The default subnets, one in each zone.
pub(crate) fn describe_subnets(call: &Call, request: &DescribeSubnetsRequest) -> Answer<DescribeSubnetsResult> {
    let taken = call.world.catalogue.transact(|db| instances::list_instances(db, &call.scope))?;
    let zones = regions::list_zones(&call.scope.region).into_iter();
    let all: Vec<Listed> = zones
        .map(|zone| {
            let is_here = |instance: &&instances::Instance| {
                instance.zone == zone.name && instance.state != instances::State::Terminated
            };
            let taken = i32::try_from(taken.iter().filter(is_here).count()).unwrap_or(ADDRESSES);
            Listed { seq: i64::from(zone.position), subnet: to_api(call, &zone, ADDRESSES - taken) }
        })
        .collect();
    let is_known = |wanted: &String| all.iter().any(|listed| listed.subnet.subnet_id.as_ref() == Some(wanted));
    if let Some(unknown) = request.subnet_ids.iter().find(|wanted| !is_known(wanted)) {
        return refuse("InvalidSubnetID.NotFound", format!("The subnet ID '{unknown}' does not exist"));
    }
    let is_wanted = |listed: &Listed| {
        request.subnet_ids.is_empty()
            || listed.subnet.subnet_id.as_ref().is_some_and(|id| request.subnet_ids.contains(id))
    };
    let listed = all.into_iter().filter(is_wanted).collect();
    let paging = Paging {
        action: "DescribeSubnets",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.seq)?;
    Ok(DescribeSubnetsResult { next_token, subnets: page.into_iter().map(|listed| listed.subnet).collect() })
}

fn to_api(call: &Call, zone: &Zone, free: i32) -> Subnet {
    let id = life::subnet_of(&call.scope, &zone.name);
    Subnet {
        availability_zone_id: Some(zone.id.clone()),
        owner_id: Some(call.scope.account.clone()),
        assign_ipv6_address_on_creation: Some(false),
        subnet_arn: Some(format!("arn:aws:ec2:{}:{}:subnet/{id}", call.scope.region, call.scope.account)),
        subnet_id: Some(id),
        state: Some("available".to_owned()),
        vpc_id: Some(life::vpc_of(&call.scope)),
        cidr_block: Some(format!("172.31.{}.0/20", u32::from(zone.position) * 16)),
        available_ip_address_count: Some(free),
        availability_zone: Some(zone.name.clone()),
        default_for_az: Some(true),
        map_public_ip_on_launch: Some(true),
        ..Subnet::default()
    }
}

impl Filterable for Vpc {
    const FILTERS: &'static [&'static str] = &["cidr", "is-default", "isDefault", "owner-id", "state", "vpc-id"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let value = match filter {
            "cidr" => self.cidr_block.clone(),
            "is-default" | "isDefault" => self.is_default.map(|is| is.to_string()),
            "owner-id" => self.owner_id.clone(),
            "state" => self.state.clone(),
            _ => self.vpc_id.clone(),
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "cidr-block",
        "default-for-az",
        "defaultForAz",
        "map-public-ip-on-launch",
        "owner-id",
        "state",
        "subnet-id",
        "vpc-id",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let subnet = &self.subnet;
        let value = match filter {
            "availability-zone" | "availabilityZone" => subnet.availability_zone.clone(),
            "availability-zone-id" => subnet.availability_zone_id.clone(),
            "cidr-block" => subnet.cidr_block.clone(),
            "default-for-az" | "defaultForAz" => subnet.default_for_az.map(|is| is.to_string()),
            "map-public-ip-on-launch" => subnet.map_public_ip_on_launch.map(|is| is.to_string()),
            "owner-id" => subnet.owner_id.clone(),
            "state" => subnet.state.clone(),
            "subnet-id" => subnet.subnet_id.clone(),
            _ => subnet.vpc_id.clone(),
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}
