//! Virtual private clouds and their subnets.

use super::Filter;
use super::Tag;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes your VPCs.
    pub struct DescribeVpcsRequest {
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The IDs of the VPCs.
        vpc_ids: Vec<String> = "VpcId",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of DescribeVpcs.
    pub struct DescribeVpcsResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the VPCs.
        vpcs: Vec<Vpc> = "vpcSet",
    }

    /// Describes a VPC.
    pub struct Vpc {
        /// The ID of the Amazon Web Services account that owns the VPC.
        owner_id: Option<String> = "ownerId",
        /// The allowed tenancy of instances launched into the VPC.
        instance_tenancy: Option<String> = "instanceTenancy",
        /// Information about the IPv4 CIDR blocks associated with the VPC.
        cidr_block_association_set: Vec<VpcCidrBlockAssociation> = "cidrBlockAssociationSet",
        /// Indicates whether the VPC is the default VPC.
        is_default: Option<bool> = "isDefault",
        /// Any tags assigned to the VPC.
        tags: Vec<Tag> = "tagSet",
        /// The ID of the VPC.
        vpc_id: Option<String> = "vpcId",
        /// The current state of the VPC.
        state: Option<String> = "state",
        /// The primary IPv4 CIDR block for the VPC.
        cidr_block: Option<String> = "cidrBlock",
        /// The ID of the set of DHCP options you've associated with the VPC.
        dhcp_options_id: Option<String> = "dhcpOptionsId",
    }

    /// Describes an IPv4 CIDR block associated with a VPC.
    pub struct VpcCidrBlockAssociation {
        /// The association ID for the IPv4 CIDR block.
        association_id: Option<String> = "associationId",
        /// The IPv4 CIDR block.
        cidr_block: Option<String> = "cidrBlock",
        /// Information about the state of the CIDR block.
        cidr_block_state: Option<VpcCidrBlockState> = "cidrBlockState",
    }

    /// Describes the state of a CIDR block.
    pub struct VpcCidrBlockState {
        /// The state of the CIDR block.
        state: Option<String> = "state",
        /// A message about the status of the CIDR block, if applicable.
        status_message: Option<String> = "statusMessage",
    }

    /// Describes your subnets.
    pub struct DescribeSubnetsRequest {
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The IDs of the subnets.
        subnet_ids: Vec<String> = "SubnetId",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of DescribeSubnets.
    pub struct DescribeSubnetsResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the subnets.
        subnets: Vec<Subnet> = "subnetSet",
    }

    /// Describes a subnet.
    pub struct Subnet {
        /// The AZ ID of the subnet.
        availability_zone_id: Option<String> = "availabilityZoneId",
        /// The ID of the Amazon Web Services account that owns the subnet.
        owner_id: Option<String> = "ownerId",
        /// Indicates whether a network interface created in this subnet (including a network interface created by RunInstances) receives an IPv6 address.
        assign_ipv6_address_on_creation: Option<bool> = "assignIpv6AddressOnCreation",
        /// Any tags assigned to the subnet.
        tags: Vec<Tag> = "tagSet",
        /// The Amazon Resource Name (ARN) of the subnet.
        subnet_arn: Option<String> = "subnetArn",
        /// The ID of the subnet.
        subnet_id: Option<String> = "subnetId",
        /// The current state of the subnet.
        state: Option<String> = "state",
        /// The ID of the VPC the subnet is in.
        vpc_id: Option<String> = "vpcId",
        /// The IPv4 CIDR block assigned to the subnet.
        cidr_block: Option<String> = "cidrBlock",
        /// The number of unused private IPv4 addresses in the subnet.
        available_ip_address_count: Option<i32> = "availableIpAddressCount",
        /// The Availability Zone of the subnet.
        availability_zone: Option<String> = "availabilityZone",
        /// Indicates whether this is the default subnet for the Availability Zone.
        default_for_az: Option<bool> = "defaultForAz",
        /// Indicates whether instances launched in this subnet receive a public IPv4 address.
        map_public_ip_on_launch: Option<bool> = "mapPublicIpOnLaunch",
    }
}

operation!(Ec2, "DescribeVpcs", DescribeVpcsRequest => DescribeVpcsResult);
operation!(Ec2, "DescribeSubnets", DescribeSubnetsRequest => DescribeSubnetsResult);
