//! Instances: describe, terminate, read the console.

use jiff::Timestamp;

use super::Filter;
use super::GroupIdentifier;
use super::InstanceBlockDeviceMapping;
use super::InstanceNetworkInterface;
use super::Placement;
use super::StateReason;
use super::Tag;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// One launch of one or more instances.
    pub struct Reservation {
        /// The ID of the reservation.
        reservation_id: Option<String> = "reservationId",
        /// The ID of the Amazon Web Services account that owns the reservation.
        owner_id: Option<String> = "ownerId",
        /// The service that launched the instances on the account's behalf, such as Auto Scaling.
        requester_id: Option<String> = "requesterId",
        /// The instances.
        instances: Vec<Instance> = "instancesSet",
    }

    /// Describes an instance.
    pub struct Instance {
        /// The architecture of the image.
        architecture: Option<String> = "architecture",
        /// The volumes attached to the instance.
        block_device_mappings: Vec<InstanceBlockDeviceMapping> = "blockDeviceMapping",
        /// The idempotency token of the launch.
        client_token: Option<String> = "clientToken",
        /// Indicates whether the instance is optimized for Amazon EBS I/O.
        ebs_optimized: Option<bool> = "ebsOptimized",
        /// Specifies whether enhanced networking with ENA is enabled.
        ena_support: Option<bool> = "enaSupport",
        /// The hypervisor type of the instance.
        hypervisor: Option<String> = "hypervisor",
        /// The IAM instance profile associated with the instance, if applicable.
        iam_instance_profile: Option<IamInstanceProfile> = "iamInstanceProfile",
        /// `spot` for a Spot Instance; nothing for one on demand.
        instance_lifecycle: Option<String> = "instanceLifecycle",
        /// The network interfaces for the instance.
        network_interfaces: Vec<InstanceNetworkInterface> = "networkInterfaceSet",
        /// The device name of the root device volume (for example, /dev/sda1).
        root_device_name: Option<String> = "rootDeviceName",
        /// The root device type used by the AMI.
        root_device_type: Option<String> = "rootDeviceType",
        /// The security groups for the instance.
        security_groups: Vec<GroupIdentifier> = "groupSet",
        /// Indicates whether source/destination checking is enabled.
        source_dest_check: Option<bool> = "sourceDestCheck",
        /// If the request is a Spot Instance request, the ID of the request.
        spot_instance_request_id: Option<String> = "spotInstanceRequestId",
        /// The reason for the most recent state transition.
        state_reason: Option<StateReason> = "stateReason",
        /// Any tags assigned to the instance.
        tags: Vec<Tag> = "tagSet",
        /// The virtualization type of the instance.
        virtualization_type: Option<String> = "virtualizationType",
        /// The metadata options for the instance.
        metadata_options: Option<InstanceMetadataOptionsResponse> = "metadataOptions",
        /// The boot mode that was specified by the AMI.
        boot_mode: Option<String> = "bootMode",
        /// The platform details value for the instance.
        platform_details: Option<String> = "platformDetails",
        /// The usage operation value for the instance.
        usage_operation: Option<String> = "usageOperation",
        /// The ID of the instance.
        instance_id: Option<String> = "instanceId",
        /// The ID of the AMI used to launch the instance.
        image_id: Option<String> = "imageId",
        /// The current state of the instance.
        state: Option<InstanceState> = "instanceState",
        /// The private DNS hostname name assigned to the instance.
        private_dns_name: Option<String> = "privateDnsName",
        /// The public DNS name assigned to the instance.
        public_dns_name: Option<String> = "dnsName",
        /// The reason for the most recent state transition.
        state_transition_reason: Option<String> = "reason",
        /// The name of the key pair, if this instance was launched with an associated key pair.
        key_name: Option<String> = "keyName",
        /// The AMI launch index, which can be used to find this instance in the launch group.
        ami_launch_index: Option<i32> = "amiLaunchIndex",
        /// The instance type.
        instance_type: Option<String> = "instanceType",
        /// The time that the instance was last launched.
        launch_time: Option<Timestamp> = "launchTime",
        /// The location where the instance launched, if applicable.
        placement: Option<Placement> = "placement",
        /// The monitoring for the instance.
        monitoring: Option<Monitoring> = "monitoring",
        /// The ID of the subnet in which the instance is running.
        subnet_id: Option<String> = "subnetId",
        /// The ID of the VPC in which the instance is running.
        vpc_id: Option<String> = "vpcId",
        /// The private IPv4 address assigned to the instance.
        private_ip_address: Option<String> = "privateIpAddress",
        /// The public IPv4 address, or the Carrier IP address assigned to the instance, if applicable.
        public_ip_address: Option<String> = "ipAddress",
    }

    /// Describes the current state of an instance.
    pub struct InstanceState {
        /// The state as a number; the low byte counts: 0 pending, 16 running, 32 shutting-down, 48 terminated, 64 stopping, 80 stopped.
        code: Option<i32> = "code",
        /// The current state of the instance.
        name: Option<String> = "name",
    }

    /// Describes the monitoring of an instance.
    pub struct Monitoring {
        /// Indicates whether detailed monitoring is enabled.
        state: Option<String> = "state",
    }

    /// Describes an IAM instance profile.
    pub struct IamInstanceProfile {
        /// The Amazon Resource Name (ARN) of the instance profile.
        arn: Option<String> = "arn",
        /// The ID of the instance profile.
        id: Option<String> = "id",
    }

    /// The metadata options for the instance.
    pub struct InstanceMetadataOptionsResponse {
        /// The state of the metadata option changes.
        state: Option<String> = "state",
        /// Indicates whether IMDSv2 is required.
        http_tokens: Option<String> = "httpTokens",
        /// The maximum number of hops that the metadata token can travel.
        http_put_response_hop_limit: Option<i32> = "httpPutResponseHopLimit",
        /// Indicates whether the HTTP metadata endpoint on your instances is enabled or disabled.
        http_endpoint: Option<String> = "httpEndpoint",
        /// Indicates whether the IPv6 endpoint for the instance metadata service is enabled or disabled.
        http_protocol_ipv6: Option<String> = "httpProtocolIpv6",
        /// Indicates whether access to instance tags from the instance metadata is enabled or disabled.
        instance_metadata_tags: Option<String> = "instanceMetadataTags",
    }

    /// Describes the specified instances or all instances.
    pub struct DescribeInstancesRequest {
        /// The instance IDs.
        instance_ids: Vec<String> = "InstanceId",
        /// Indicates whether to include managed resources in the output.
        include_managed_resources: Option<bool> = "IncludeManagedResources",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "nextToken",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "maxResults",
    }

    /// The answer of DescribeInstances.
    pub struct DescribeInstancesResult {
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
        /// Information about the reservations.
        reservations: Vec<Reservation> = "reservationSet",
    }

    /// Terminates (deletes) the specified instances.
    pub struct TerminateInstancesRequest {
        /// The IDs of the instances. Required.
        instance_ids: Vec<String> = "InstanceId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of TerminateInstances.
    pub struct TerminateInstancesResult {
        /// Information about the terminated instances.
        terminating_instances: Vec<InstanceStateChange> = "instancesSet",
    }

    /// Describes an instance state change.
    pub struct InstanceStateChange {
        /// The ID of the instance.
        instance_id: Option<String> = "instanceId",
        /// The current state of the instance.
        current_state: Option<InstanceState> = "currentState",
        /// The previous state of the instance.
        previous_state: Option<InstanceState> = "previousState",
    }

    /// Gets the console output for the specified instance.
    pub struct GetConsoleOutputRequest {
        /// The ID of the instance. Required.
        instance_id: Option<String> = "InstanceId",
        /// When enabled, retrieves the latest console output for the instance.
        latest: Option<bool> = "Latest",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of GetConsoleOutput.
    pub struct GetConsoleOutputResult {
        /// The ID of the instance.
        instance_id: Option<String> = "instanceId",
        /// The time at which the output was last updated.
        timestamp: Option<Timestamp> = "timestamp",
        /// The console output, base64-encoded.
        output: Option<String> = "output",
    }
}

operation!(Ec2, "DescribeInstances", DescribeInstancesRequest => DescribeInstancesResult);
operation!(Ec2, "TerminateInstances", TerminateInstancesRequest => TerminateInstancesResult);
operation!(Ec2, "GetConsoleOutput", GetConsoleOutputRequest => GetConsoleOutputResult);
