//! What a launch may ask for besides image, type and user data.

use jiff::Timestamp;

use crate::wire::shape;

shape! {
    /// Describes a network interface.
    pub struct InstanceNetworkInterfaceSpecification {
        /// Indicates whether to assign a public IPv4 address to an instance you launch in a VPC.
        associate_public_ip_address: Option<bool> = "associatePublicIpAddress",
        /// If set to true, the interface is deleted when the instance is terminated.
        delete_on_termination: Option<bool> = "deleteOnTermination",
        /// The description of the network interface.
        description: Option<String> = "description",
        /// The position of the network interface in the attachment order.
        device_index: Option<i32> = "deviceIndex",
        /// The IDs of the security groups for the network interface.
        groups: Vec<String> = "SecurityGroupId",
        /// The ID of the network interface.
        network_interface_id: Option<String> = "networkInterfaceId",
        /// The private IPv4 address of the network interface.
        private_ip_address: Option<String> = "privateIpAddress",
        /// The ID of the subnet associated with the network interface.
        subnet_id: Option<String> = "subnetId",
        /// The type of network interface.
        interface_type: Option<String> = "InterfaceType",
    }

    /// Describes the market (purchasing) option for the instances.
    pub struct InstanceMarketOptionsRequest {
        /// The market type.
        market_type: Option<String> = "MarketType",
        /// The options for Spot Instances.
        spot_options: Option<SpotMarketOptions> = "SpotOptions",
    }

    /// The options for Spot Instances.
    pub struct SpotMarketOptions {
        /// The maximum hourly price that you're willing to pay for a Spot Instance.
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

    /// The credit option for CPU usage of a T instance.
    pub struct CreditSpecificationRequest {
        /// The credit option for CPU usage of a T instance.
        cpu_credits: Option<String> = "CpuCredits",
    }

    /// Describes the launch template to use.
    pub struct LaunchTemplateSpecification {
        /// The ID of the launch template.
        launch_template_id: Option<String> = "LaunchTemplateId",
        /// The name of the launch template.
        launch_template_name: Option<String> = "LaunchTemplateName",
        /// The launch template version number, $Latest, or $Default.
        version: Option<String> = "Version",
    }
}
