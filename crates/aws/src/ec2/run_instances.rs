//! Launching instances.

use super::BlockDeviceMapping;
use super::CreditSpecificationRequest;
use super::InstanceMarketOptionsRequest;
use super::InstanceNetworkInterfaceSpecification;
use super::LaunchTemplateSpecification;
use super::Reservation;
use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Launches the specified number of instances using an AMI for which you have permissions.
    pub struct RunInstancesRequest {
        /// The volumes to attach at launch; entries of the image under the same device name are overridden.
        block_device_mappings: Vec<BlockDeviceMapping> = "BlockDeviceMapping",
        /// The ID of the AMI.
        image_id: Option<String> = "ImageId",
        /// The instance type.
        instance_type: Option<String> = "InstanceType",
        /// The name of the key pair.
        key_name: Option<String> = "KeyName",
        /// The maximum number of instances to launch. Required.
        max_count: Option<i32> = "MaxCount",
        /// The minimum number of instances to launch. Required.
        min_count: Option<i32> = "MinCount",
        /// Specifies whether detailed monitoring is enabled for the instance.
        monitoring: Option<RunInstancesMonitoringEnabled> = "Monitoring",
        /// The placement for the instance.
        placement: Option<Placement> = "Placement",
        /// The ID of the RAM disk to select.
        ramdisk_id: Option<String> = "RamdiskId",
        /// The IDs of the security groups.
        security_group_ids: Vec<String> = "SecurityGroupId",
        /// The names of the security groups.
        security_groups: Vec<String> = "SecurityGroup",
        /// The ID of the subnet to launch the instance into.
        subnet_id: Option<String> = "SubnetId",
        /// The user data to make available to the instance.
        user_data: Option<String> = "UserData",
        /// The metadata options for the instance.
        metadata_options: Option<InstanceMetadataOptionsRequest> = "MetadataOptions",
        /// The tags to apply to the resources that are created during instance launch.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// The launch template; its parameters hold where the request has none.
        launch_template: Option<LaunchTemplateSpecification> = "LaunchTemplate",
        /// The market (purchasing) option for the instances.
        instance_market_options: Option<InstanceMarketOptionsRequest> = "InstanceMarketOptions",
        /// The credit option for CPU usage of the burstable performance instance.
        credit_specification: Option<CreditSpecificationRequest> = "CreditSpecification",
        /// Indicates whether the instance is enabled for stop protection.
        disable_api_stop: Option<bool> = "DisableApiStop",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// Indicates whether termination protection is enabled for the instance.
        disable_api_termination: Option<bool> = "disableApiTermination",
        /// What a shutdown from within the instance does: `stop` or `terminate`.
        instance_initiated_shutdown_behavior: Option<String> = "instanceInitiatedShutdownBehavior",
        /// The primary IPv4 address.
        private_ip_address: Option<String> = "privateIpAddress",
        /// Unique, case-sensitive identifier you provide to ensure the idempotency of the request.
        client_token: Option<String> = "clientToken",
        /// The name or Amazon Resource Name (ARN) of an IAM instance profile.
        iam_instance_profile: Option<IamInstanceProfileSpecification> = "iamInstanceProfile",
        /// Indicates whether the instance is optimized for Amazon EBS I/O.
        ebs_optimized: Option<bool> = "ebsOptimized",
        /// The network interfaces; with them, subnet and security groups are theirs.
        network_interfaces: Vec<InstanceNetworkInterfaceSpecification> = "networkInterface",
    }

    /// Describes the monitoring of an instance.
    pub struct RunInstancesMonitoringEnabled {
        /// Indicates whether detailed monitoring is enabled.
        enabled: Option<bool> = "enabled",
    }

    /// Describes the placement of an instance.
    pub struct Placement {
        /// The Availability Zone of the instance.
        availability_zone: Option<String> = "availabilityZone",
        /// The tenancy of the instance.
        tenancy: Option<String> = "tenancy",
        /// The name of the placement group that the instance is in.
        group_name: Option<String> = "groupName",
        /// The affinity setting for the instance on the Dedicated Host.
        affinity: Option<String> = "affinity",
        /// The ID of the Dedicated Host on which the instance resides.
        host_id: Option<String> = "hostId",
        /// The ARN of the host resource group in which to launch the instances.
        host_resource_group_arn: Option<String> = "hostResourceGroupArn",
    }

    /// The metadata options for the instance.
    pub struct InstanceMetadataOptionsRequest {
        /// Indicates whether IMDSv2 is required.
        http_tokens: Option<String> = "HttpTokens",
        /// The maximum number of hops that the metadata token can travel.
        http_put_response_hop_limit: Option<i32> = "HttpPutResponseHopLimit",
        /// Enables or disables the HTTP metadata endpoint on your instances.
        http_endpoint: Option<String> = "HttpEndpoint",
        /// Enables or disables the IPv6 endpoint for the instance metadata service.
        http_protocol_ipv6: Option<String> = "HttpProtocolIpv6",
        /// Set to enabled to allow access to instance tags from the instance metadata.
        instance_metadata_tags: Option<String> = "InstanceMetadataTags",
    }

    /// Describes an IAM instance profile.
    pub struct IamInstanceProfileSpecification {
        /// The Amazon Resource Name (ARN) of the instance profile.
        arn: Option<String> = "arn",
        /// The name of the instance profile.
        name: Option<String> = "name",
    }
}

operation!(Ec2, "RunInstances", RunInstancesRequest => Reservation, idempotent by client_token);
