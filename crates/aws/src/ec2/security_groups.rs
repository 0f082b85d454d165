//! Security groups: make, describe, delete.

use super::Filter;
use super::IpPermission;
use super::Tag;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates a security group.
    pub struct CreateSecurityGroupRequest {
        /// A description for the security group. Required.
        description: Option<String> = "GroupDescription",
        /// The name of the security group. Required.
        group_name: Option<String> = "GroupName",
        /// The ID of the VPC.
        vpc_id: Option<String> = "VpcId",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of CreateSecurityGroup.
    pub struct CreateSecurityGroupResult {
        /// The ID of the security group.
        group_id: Option<String> = "groupId",
        /// The tags assigned to the security group.
        tags: Vec<Tag> = "tagSet",
        /// The security group ARN.
        security_group_arn: Option<String> = "securityGroupArn",
    }

    /// Describes the specified security groups or all of your security groups.
    pub struct DescribeSecurityGroupsRequest {
        /// The IDs of the security groups.
        group_ids: Vec<String> = "GroupId",
        /// The names of the security groups.
        group_names: Vec<String> = "GroupName",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
    }

    /// The answer of DescribeSecurityGroups.
    pub struct DescribeSecurityGroupsResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the security groups.
        security_groups: Vec<SecurityGroup> = "securityGroupInfo",
    }

    /// Describes a security group.
    pub struct SecurityGroup {
        /// The ID of the security group.
        group_id: Option<String> = "groupId",
        /// The outbound rules associated with the security group.
        ip_permissions_egress: Vec<IpPermission> = "ipPermissionsEgress",
        /// Any tags assigned to the security group.
        tags: Vec<Tag> = "tagSet",
        /// The ID of the VPC for the security group.
        vpc_id: Option<String> = "vpcId",
        /// The ARN of the security group.
        security_group_arn: Option<String> = "securityGroupArn",
        /// The Amazon Web Services account ID of the owner of the security group.
        owner_id: Option<String> = "ownerId",
        /// The name of the security group.
        group_name: Option<String> = "groupName",
        /// A description of the security group.
        description: Option<String> = "groupDescription",
        /// The inbound rules associated with the security group.
        ip_permissions: Vec<IpPermission> = "ipPermissions",
    }

    /// Describes a security group.
    pub struct GroupIdentifier {
        /// The ID of the security group.
        group_id: Option<String> = "groupId",
        /// The name of the security group.
        group_name: Option<String> = "groupName",
    }

    /// Deletes a security group.
    pub struct DeleteSecurityGroupRequest {
        /// The ID of the security group.
        group_id: Option<String> = "GroupId",
        /// The name of the security group.
        group_name: Option<String> = "GroupName",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of DeleteSecurityGroup.
    pub struct DeleteSecurityGroupResult {
        /// Returns true if the request succeeds; otherwise, returns an error.
        r#return: Option<bool> = "return",
        /// The ID of the deleted security group.
        group_id: Option<String> = "groupId",
    }
}

operation!(Ec2, "CreateSecurityGroup", CreateSecurityGroupRequest => CreateSecurityGroupResult);
operation!(Ec2, "DescribeSecurityGroups", DescribeSecurityGroupsRequest => DescribeSecurityGroupsResult);
operation!(Ec2, "DeleteSecurityGroup", DeleteSecurityGroupRequest => DeleteSecurityGroupResult);
