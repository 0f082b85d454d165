//! Network interfaces, as instances show theirs.

use jiff::Timestamp;

use super::GroupIdentifier;
use crate::wire::shape;

shape! {
    /// Describes a network interface.
    pub struct InstanceNetworkInterface {
        /// The association information for an Elastic IPv4 associated with the network interface.
        association: Option<InstanceNetworkInterfaceAssociation> = "association",
        /// The network interface attachment.
        attachment: Option<InstanceNetworkInterfaceAttachment> = "attachment",
        /// The description.
        description: Option<String> = "description",
        /// The security groups.
        groups: Vec<GroupIdentifier> = "groupSet",
        /// The MAC address.
        mac_address: Option<String> = "macAddress",
        /// The ID of the network interface.
        network_interface_id: Option<String> = "networkInterfaceId",
        /// The ID of the Amazon Web Services account that created the network interface.
        owner_id: Option<String> = "ownerId",
        /// The private DNS name.
        private_dns_name: Option<String> = "privateDnsName",
        /// The IPv4 address of the network interface within the subnet.
        private_ip_address: Option<String> = "privateIpAddress",
        /// The private IPv4 addresses associated with the network interface.
        private_ip_addresses: Vec<InstancePrivateIpAddress> = "privateIpAddressesSet",
        /// Indicates whether source/destination checking is enabled.
        source_dest_check: Option<bool> = "sourceDestCheck",
        /// The status of the network interface.
        status: Option<String> = "status",
        /// The ID of the subnet.
        subnet_id: Option<String> = "subnetId",
        /// The ID of the VPC.
        vpc_id: Option<String> = "vpcId",
        /// The type of network interface.
        interface_type: Option<String> = "interfaceType",
    }

    /// Describes association information for an Elastic IP address (IPv4).
    pub struct InstanceNetworkInterfaceAssociation {
        /// The ID of the owner of the Elastic IP address.
        ip_owner_id: Option<String> = "ipOwnerId",
        /// The public DNS name.
        public_dns_name: Option<String> = "publicDnsName",
        /// The public IP address or Elastic IP address bound to the network interface.
        public_ip: Option<String> = "publicIp",
    }

    /// Describes a network interface attachment.
    pub struct InstanceNetworkInterfaceAttachment {
        /// The time stamp when the attachment initiated.
        attach_time: Option<Timestamp> = "attachTime",
        /// The ID of the network interface attachment.
        attachment_id: Option<String> = "attachmentId",
        /// Indicates whether the network interface is deleted when the instance is terminated.
        delete_on_termination: Option<bool> = "deleteOnTermination",
        /// The index of the device on the instance for the network interface attachment.
        device_index: Option<i32> = "deviceIndex",
        /// The attachment state.
        status: Option<String> = "status",
        /// The index of the network card.
        network_card_index: Option<i32> = "networkCardIndex",
    }

    /// Describes a private IPv4 address.
    pub struct InstancePrivateIpAddress {
        /// The association information for an Elastic IP address for the network interface.
        association: Option<InstanceNetworkInterfaceAssociation> = "association",
        /// Indicates whether this IPv4 address is the primary private IP address of the network interface.
        primary: Option<bool> = "primary",
        /// The private IPv4 DNS name.
        private_dns_name: Option<String> = "privateDnsName",
        /// The private IPv4 address of the network interface.
        private_ip_address: Option<String> = "privateIpAddress",
    }
}
