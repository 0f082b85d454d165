//! What a launch template says: RunInstances, in names of its own.

use jiff::Timestamp;

use super::CreditSpecificationRequest;
use super::Tag;
use crate::wire::shape;

shape! {
    /// The information to include in the launch template.
    pub struct RequestLaunchTemplateData {
        /// Indicates whether the instance is optimized for Amazon EBS I/O.
        ebs_optimized: Option<bool> = "EbsOptimized",
        /// The name or Amazon Resource Name (ARN) of an IAM instance profile.
        iam_instance_profile: Option<LaunchTemplateIamInstanceProfileSpecificationRequest> = "IamInstanceProfile",
        /// The block device mapping.
        block_device_mappings: Vec<LaunchTemplateBlockDeviceMappingRequest> = "BlockDeviceMapping",
        /// The network interfaces for the instance.
        network_interfaces: Vec<LaunchTemplateInstanceNetworkInterfaceSpecificationRequest> = "NetworkInterface",
        /// The ID of the AMI in the format ami-0ac394d6a3example.
        image_id: Option<String> = "ImageId",
        /// The instance type.
        instance_type: Option<String> = "InstanceType",
        /// The name of the key pair.
        key_name: Option<String> = "KeyName",
        /// The monitoring for the instance.
        monitoring: Option<LaunchTemplatesMonitoringRequest> = "Monitoring",
        /// The placement for the instance.
        placement: Option<LaunchTemplatePlacementRequest> = "Placement",
        /// Indicates whether termination protection is enabled for the instance.
        disable_api_termination: Option<bool> = "DisableApiTermination",
        /// Indicates whether an instance stops or terminates when you initiate shutdown from the instance (using the operating system command for system shutdown).
        instance_initiated_shutdown_behavior: Option<String> = "InstanceInitiatedShutdownBehavior",
        /// The user data to make available to the instance.
        user_data: Option<String> = "UserData",
        /// The tags to apply to what is created.
        tag_specifications: Vec<LaunchTemplateTagSpecificationRequest> = "TagSpecification",
        /// The IDs of the security groups.
        security_group_ids: Vec<String> = "SecurityGroupId",
        /// The names of the security groups.
        security_groups: Vec<String> = "SecurityGroup",
        /// The market (purchasing) option for the instances.
        instance_market_options: Option<LaunchTemplateInstanceMarketOptionsRequest> = "InstanceMarketOptions",
        /// The credit option for CPU usage of the instance.
        credit_specification: Option<CreditSpecificationRequest> = "CreditSpecification",
        /// The metadata options for the instance.
        metadata_options: Option<LaunchTemplateInstanceMetadataOptionsRequest> = "MetadataOptions",
    }

    /// An IAM instance profile.
    pub struct LaunchTemplateIamInstanceProfileSpecificationRequest {
        /// The Amazon Resource Name (ARN) of the instance profile.
        arn: Option<String> = "Arn",
        /// The name of the instance profile.
        name: Option<String> = "Name",
    }

    /// Describes a block device mapping.
    pub struct LaunchTemplateBlockDeviceMappingRequest {
        /// The device name (for example, /dev/sdh or xvdh).
        device_name: Option<String> = "DeviceName",
        /// The virtual device name (ephemeralN).
        virtual_name: Option<String> = "VirtualName",
        /// Parameters used to automatically set up EBS volumes when the instance is launched.
        ebs: Option<LaunchTemplateEbsBlockDeviceRequest> = "Ebs",
        /// To omit the device from the block device mapping, specify an empty string.
        no_device: Option<String> = "NoDevice",
    }

    /// The parameters for a block device for an EBS volume.
    pub struct LaunchTemplateEbsBlockDeviceRequest {
        /// Indicates whether the EBS volume is encrypted.
        encrypted: Option<bool> = "Encrypted",
        /// Indicates whether the EBS volume is deleted on instance termination.
        delete_on_termination: Option<bool> = "DeleteOnTermination",
        /// The number of I/O operations per second (IOPS).
        iops: Option<i32> = "Iops",
        /// Identifier (key ID, key alias, key ARN, or alias ARN) of the customer managed KMS key to use for EBS encryption.
        kms_key_id: Option<String> = "KmsKeyId",
        /// The ID of the snapshot.
        snapshot_id: Option<String> = "SnapshotId",
        /// The size of the volume, in GiBs.
        volume_size: Option<i32> = "VolumeSize",
        /// The volume type.
        volume_type: Option<String> = "VolumeType",
        /// The throughput to provision for a gp3 volume, with a maximum of 2,000 MiB/s.
        throughput: Option<i32> = "Throughput",
        /// Specifies the Amazon EBS Provisioned Rate for Volume Initialization (volume initialization rate), in MiB/s, at which to download the snapshot blocks from Amazon S3 to the volume.
        volume_initialization_rate: Option<i32> = "VolumeInitializationRate",
        /// The index of the EBS card.
        ebs_card_index: Option<i32> = "EbsCardIndex",
    }

    /// The parameters for a network interface.
    pub struct LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
        /// Associates a public IPv4 address with eth0 for a new network interface.
        associate_public_ip_address: Option<bool> = "AssociatePublicIpAddress",
        /// Indicates whether the network interface is deleted when the instance is terminated.
        delete_on_termination: Option<bool> = "DeleteOnTermination",
        /// A description for the network interface.
        description: Option<String> = "Description",
        /// The device index for the network interface attachment.
        device_index: Option<i32> = "DeviceIndex",
        /// The IDs of one or more security groups.
        groups: Vec<String> = "SecurityGroupId",
        /// The ID of the network interface.
        network_interface_id: Option<String> = "NetworkInterfaceId",
        /// The primary private IPv4 address of the network interface.
        private_ip_address: Option<String> = "PrivateIpAddress",
        /// The ID of the subnet for the network interface.
        subnet_id: Option<String> = "SubnetId",
    }

    /// Describes the monitoring for the instance.
    pub struct LaunchTemplatesMonitoringRequest {
        /// Specify true to enable detailed monitoring.
        enabled: Option<bool> = "Enabled",
    }

    /// Describes the placement of an instance.
    pub struct LaunchTemplatePlacementRequest {
        /// The Availability Zone for the instance.
        availability_zone: Option<String> = "AvailabilityZone",
        /// The affinity setting for an instance on a Dedicated Host.
        affinity: Option<String> = "Affinity",
        /// The name of the placement group for the instance.
        group_name: Option<String> = "GroupName",
        /// The ID of the Dedicated Host for the instance.
        host_id: Option<String> = "HostId",
        /// The tenancy of the instance.
        tenancy: Option<String> = "Tenancy",
        /// The ARN of the host resource group in which to launch the instances.
        host_resource_group_arn: Option<String> = "HostResourceGroupArn",
    }

    /// The tags specification for the resources that are created during instance launch.
    pub struct LaunchTemplateTagSpecificationRequest {
        /// The type of resource to tag.
        resource_type: Option<String> = "ResourceType",
        /// The tags to apply to the resource.
        tags: Vec<Tag> = "Tag",
    }

    /// The market (purchasing) option for the instances.
    pub struct LaunchTemplateInstanceMarketOptionsRequest {
        /// The market type.
        market_type: Option<String> = "MarketType",
        /// The options for Spot Instances.
        spot_options: Option<LaunchTemplateSpotMarketOptionsRequest> = "SpotOptions",
    }

    /// The options for Spot Instances.
    pub struct LaunchTemplateSpotMarketOptionsRequest {
        /// The maximum hourly price you're willing to pay for a Spot Instance.
        max_price: Option<String> = "MaxPrice",
        /// The Spot Instance request type.
        spot_instance_type: Option<String> = "SpotInstanceType",
        /// Deprecated.
        block_duration_minutes: Option<i32> = "BlockDurationMinutes",
        /// The end date of the request, in UTC format (YYYY-MM-DDTHH.MM.SSZ).
        valid_until: Option<Timestamp> = "ValidUntil",
        /// The behavior when a Spot Instance is interrupted.
        instance_interruption_behavior: Option<String> = "InstanceInterruptionBehavior",
    }

    /// The metadata options for the instance.
    pub struct LaunchTemplateInstanceMetadataOptionsRequest {
        /// Indicates whether IMDSv2 is required.
        http_tokens: Option<String> = "HttpTokens",
        /// The desired HTTP PUT response hop limit for instance metadata requests.
        http_put_response_hop_limit: Option<i32> = "HttpPutResponseHopLimit",
        /// Enables or disables the HTTP metadata endpoint on your instances.
        http_endpoint: Option<String> = "HttpEndpoint",
        /// Enables or disables the IPv6 endpoint for the instance metadata service.
        http_protocol_ipv6: Option<String> = "HttpProtocolIpv6",
        /// Set to enabled to allow access to instance tags from the instance metadata.
        instance_metadata_tags: Option<String> = "InstanceMetadataTags",
    }
}
