//! The rules of a security group: what may come in.

use super::Tag;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the permissions for a security group rule.
    pub struct IpPermission {
        /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all protocols.
        ip_protocol: Option<String> = "ipProtocol",
        /// Start of the port range (TCP, UDP), or the ICMP type; -1 is all types.
        from_port: Option<i32> = "fromPort",
        /// End of the port range (TCP, UDP), or the ICMP code; -1 is all codes.
        to_port: Option<i32> = "toPort",
        /// The security group and Amazon Web Services account ID pairs.
        user_id_group_pairs: Vec<UserIdGroupPair> = "groups",
        /// The IPv4 address ranges.
        ip_ranges: Vec<IpRange> = "ipRanges",
        /// The IPv6 address ranges.
        ipv6_ranges: Vec<Ipv6Range> = "ipv6Ranges",
        /// The prefix list IDs.
        prefix_list_ids: Vec<PrefixListId> = "prefixListIds",
    }

    /// Describes an IPv4 address range.
    pub struct IpRange {
        /// A description for the security group rule that references this IPv4 address range.
        description: Option<String> = "description",
        /// The IPv4 address range.
        cidr_ip: Option<String> = "cidrIp",
    }

    /// Describes an IPv6 address range.
    pub struct Ipv6Range {
        /// A description for the security group rule that references this IPv6 address range.
        description: Option<String> = "description",
        /// The IPv6 address range.
        cidr_ipv6: Option<String> = "cidrIpv6",
    }

    /// Describes a prefix list ID.
    pub struct PrefixListId {
        /// A description for the security group rule that references this prefix list ID.
        description: Option<String> = "description",
        /// The ID of the prefix.
        prefix_list_id: Option<String> = "prefixListId",
    }

    /// Describes a security group and Amazon Web Services account ID pair.
    pub struct UserIdGroupPair {
        /// A description for the security group rule that references this user ID group pair.
        description: Option<String> = "description",
        /// The ID of an Amazon Web Services account.
        user_id: Option<String> = "userId",
        /// The name of the security group.
        group_name: Option<String> = "groupName",
        /// The ID of the security group.
        group_id: Option<String> = "groupId",
        /// The ID of the VPC for the referenced security group, if applicable.
        vpc_id: Option<String> = "vpcId",
        /// The ID of the VPC peering connection, if applicable.
        vpc_peering_connection_id: Option<String> = "vpcPeeringConnectionId",
        /// The status of a VPC peering connection, if applicable.
        peering_status: Option<String> = "peeringStatus",
    }

    /// Adds the specified inbound (ingress) rules to a security group.
    pub struct AuthorizeSecurityGroupIngressRequest {
        /// The IPv4 address range, in CIDR format.
        cidr_ip: Option<String> = "CidrIp",
        /// If the protocol is TCP or UDP, this is the start of the port range.
        from_port: Option<i32> = "FromPort",
        /// The ID of the security group.
        group_id: Option<String> = "GroupId",
        /// The name of the security group.
        group_name: Option<String> = "GroupName",
        /// The permissions for the security group rules.
        ip_permissions: Vec<IpPermission> = "IpPermissions",
        /// The IP protocol name (tcp, udp, icmp) or number (see Protocol Numbers).
        ip_protocol: Option<String> = "IpProtocol",
        /// The name of the source security group.
        source_security_group_name: Option<String> = "SourceSecurityGroupName",
        /// The Amazon Web Services account ID for the source security group, if the source security group is in a different account.
        source_security_group_owner_id: Option<String> = "SourceSecurityGroupOwnerId",
        /// If the protocol is TCP or UDP, this is the end of the port range.
        to_port: Option<i32> = "ToPort",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of AuthorizeSecurityGroupIngress.
    pub struct AuthorizeSecurityGroupIngressResult {
        /// Returns true if the request succeeds; otherwise, returns an error.
        r#return: Option<bool> = "return",
        /// Information about the inbound (ingress) security group rules that were added.
        security_group_rules: Vec<SecurityGroupRule> = "securityGroupRuleSet",
    }

    /// Removes the specified inbound (ingress) rules from a security group.
    pub struct RevokeSecurityGroupIngressRequest {
        /// The CIDR IP address range.
        cidr_ip: Option<String> = "CidrIp",
        /// If the protocol is TCP or UDP, this is the start of the port range.
        from_port: Option<i32> = "FromPort",
        /// The ID of the security group.
        group_id: Option<String> = "GroupId",
        /// The name of the security group.
        group_name: Option<String> = "GroupName",
        /// The sets of IP permissions.
        ip_permissions: Vec<IpPermission> = "IpPermissions",
        /// The IP protocol name (tcp, udp, icmp) or number (see Protocol Numbers).
        ip_protocol: Option<String> = "IpProtocol",
        /// The name of the source security group.
        source_security_group_name: Option<String> = "SourceSecurityGroupName",
        /// Not supported.
        source_security_group_owner_id: Option<String> = "SourceSecurityGroupOwnerId",
        /// If the protocol is TCP or UDP, this is the end of the port range.
        to_port: Option<i32> = "ToPort",
        /// The IDs of the security group rules.
        security_group_rule_ids: Vec<String> = "SecurityGroupRuleId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of RevokeSecurityGroupIngress.
    pub struct RevokeSecurityGroupIngressResult {
        /// Returns true if the request succeeds; otherwise, returns an error.
        r#return: Option<bool> = "return",
        /// The inbound rules that were unknown to the service.
        unknown_ip_permissions: Vec<IpPermission> = "unknownIpPermissionSet",
        /// Details about the revoked security group rules.
        revoked_security_group_rules: Vec<RevokedSecurityGroupRule> = "revokedSecurityGroupRuleSet",
    }

    /// Describes a security group rule.
    pub struct SecurityGroupRule {
        /// The ID of the security group rule.
        security_group_rule_id: Option<String> = "securityGroupRuleId",
        /// The ID of the security group.
        group_id: Option<String> = "groupId",
        /// The ID of the Amazon Web Services account that owns the security group.
        group_owner_id: Option<String> = "groupOwnerId",
        /// Indicates whether the security group rule is an outbound rule.
        is_egress: Option<bool> = "isEgress",
        /// The IP protocol name (tcp, udp, icmp, icmpv6) or number (see Protocol Numbers).
        ip_protocol: Option<String> = "ipProtocol",
        /// If the protocol is TCP or UDP, this is the start of the port range.
        from_port: Option<i32> = "fromPort",
        /// If the protocol is TCP or UDP, this is the end of the port range.
        to_port: Option<i32> = "toPort",
        /// The IPv4 CIDR range.
        cidr_ipv4: Option<String> = "cidrIpv4",
        /// The IPv6 CIDR range.
        cidr_ipv6: Option<String> = "cidrIpv6",
        /// The ID of the prefix list.
        prefix_list_id: Option<String> = "prefixListId",
        /// Describes the security group that is referenced in the rule.
        referenced_group_info: Option<ReferencedSecurityGroup> = "referencedGroupInfo",
        /// The security group rule description.
        description: Option<String> = "description",
        /// The tags applied to the security group rule.
        tags: Vec<Tag> = "tagSet",
        /// The ARN of the security group rule.
        security_group_rule_arn: Option<String> = "securityGroupRuleArn",
    }

    /// Describes the security group that is referenced in the security group rule.
    pub struct ReferencedSecurityGroup {
        /// The ID of the security group.
        group_id: Option<String> = "groupId",
        /// The status of a VPC peering connection, if applicable.
        peering_status: Option<String> = "peeringStatus",
        /// The Amazon Web Services account ID.
        user_id: Option<String> = "userId",
        /// The ID of the VPC.
        vpc_id: Option<String> = "vpcId",
        /// The ID of the VPC peering connection (if applicable).
        vpc_peering_connection_id: Option<String> = "vpcPeeringConnectionId",
    }

    /// A security group rule removed with RevokeSecurityGroupEgress or RevokeSecurityGroupIngress.
    pub struct RevokedSecurityGroupRule {
        /// A security group rule ID.
        security_group_rule_id: Option<String> = "securityGroupRuleId",
        /// A security group ID.
        group_id: Option<String> = "groupId",
        /// Defines if a security group rule is an outbound rule.
        is_egress: Option<bool> = "isEgress",
        /// The security group rule's protocol.
        ip_protocol: Option<String> = "ipProtocol",
        /// The 'from' port number of the security group rule.
        from_port: Option<i32> = "fromPort",
        /// The 'to' port number of the security group rule.
        to_port: Option<i32> = "toPort",
        /// The IPv4 CIDR of the traffic source.
        cidr_ipv4: Option<String> = "cidrIpv4",
        /// The IPv6 CIDR of the traffic source.
        cidr_ipv6: Option<String> = "cidrIpv6",
        /// The ID of a prefix list that's the traffic source.
        prefix_list_id: Option<String> = "prefixListId",
        /// The ID of a referenced security group.
        referenced_group_id: Option<String> = "referencedGroupId",
        /// A description of the revoked security group rule.
        description: Option<String> = "description",
    }
}

operation!(Ec2, "AuthorizeSecurityGroupIngress", AuthorizeSecurityGroupIngressRequest => AuthorizeSecurityGroupIngressResult);
operation!(Ec2, "RevokeSecurityGroupIngress", RevokeSecurityGroupIngressRequest => RevokeSecurityGroupIngressResult);
