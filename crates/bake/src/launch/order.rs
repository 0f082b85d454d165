//! What RunInstances is asked for.

use std::collections::BTreeMap;

use ovenbird_aws::ec2;
use ovenbird_core::block::Digest;
use ovenbird_template::AmazonEbs;
use ovenbird_template::SpotPrice;

use super::Candidate;
use super::Market;
use super::devices::launch_devices;
use super::tag_all;
use crate::source::Source;

/// Everything that a launch is made of besides the way it is tried.
pub(crate) struct Order<'a> {
    pub(crate) builder: &'a AmazonEbs,
    pub(crate) source: &'a Source,
    /// The bake's id, with the number of its instance: a bake that is resumed may need a second one.
    pub(crate) name: String,
    /// `None`: the image knows the key.
    pub(crate) key_name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) instance_tags: BTreeMap<String, String>,
    pub(crate) volume_tags: BTreeMap<String, String>,
}

impl Order<'_> {
    /// The request for one candidate. Sent twice, it launches one instance.
    pub(crate) fn request(&self, candidate: &Candidate) -> ec2::RunInstancesRequest {
        let launch = &self.builder.launch;
        let token = Digest::of(format!("{} {candidate:?}", self.name).as_bytes()).hex();
        let mut tag_specifications = tag_all(&self.instance_tags, ["instance", "network-interface"]);
        tag_specifications.extend(tag_all(&self.volume_tags, ["volume"]));
        let interface =
            self.builder.network.associate_public_ip_address.map(|public| ec2::InstanceNetworkInterfaceSpecification {
                device_index: Some(0),
                associate_public_ip_address: Some(public),
                delete_on_termination: Some(true),
                subnet_id: candidate.subnet.clone(),
                groups: self.groups.clone(),
                ..Default::default()
            });
        // Subnet and groups are either the interface's or the instance's own.
        let has_interface = interface.is_some();
        ec2::RunInstancesRequest {
            image_id: Some(self.source.image.clone()),
            instance_type: Some(candidate.instance_type.clone()),
            min_count: Some(1),
            max_count: Some(1),
            client_token: Some(token),
            key_name: self.key_name.clone(),
            subnet_id: candidate.subnet.clone().filter(|_| !has_interface),
            security_group_ids: if has_interface { Vec::new() } else { self.groups.clone() },
            network_interfaces: interface.into_iter().collect(),
            user_data: self.user_data.as_ref().map(|bytes| data_encoding::BASE64.encode(bytes)),
            block_device_mappings: launch_devices(self.builder, self.source),
            metadata_options: Some(self.metadata()),
            // A leaked instance that is told to shut down is gone then, with its volumes.
            instance_initiated_shutdown_behavior: Some(
                launch.shutdown_behavior.clone().unwrap_or_else(|| "terminate".to_owned()),
            ),
            iam_instance_profile: launch
                .iam_instance_profile
                .as_ref()
                .map(|name| ec2::IamInstanceProfileSpecification { name: Some(name.clone()), ..Default::default() }),
            ebs_optimized: launch.ebs_optimized,
            credit_specification: launch
                .unlimited_credits
                .then(|| ec2::CreditSpecificationRequest { cpu_credits: Some("unlimited".to_owned()) }),
            placement: self.placement(),
            instance_market_options: self.market(candidate),
            tag_specifications,
            ..Default::default()
        }
    }

    /// IMDSv2, unless the template says that its play cannot do it.
    fn metadata(&self) -> ec2::InstanceMetadataOptionsRequest {
        let asked = &self.builder.launch.metadata;
        ec2::InstanceMetadataOptionsRequest {
            http_tokens: Some(asked.http_tokens.clone().unwrap_or_else(|| "required".to_owned())),
            http_endpoint: Some(asked.http_endpoint.clone().unwrap_or_else(|| "enabled".to_owned())),
            http_put_response_hop_limit: asked.http_put_response_hop_limit.and_then(|limit| i32::try_from(limit).ok()),
            instance_metadata_tags: asked.instance_metadata_tags.clone(),
            ..Default::default()
        }
    }

    fn placement(&self) -> Option<ec2::Placement> {
        let asked = &self.builder.launch.placement;
        let placement = ec2::Placement {
            tenancy: asked.tenancy.clone(),
            host_id: asked.host_id.clone(),
            host_resource_group_arn: asked.host_resource_group_arn.clone(),
            ..Default::default()
        };
        (placement != ec2::Placement::default()).then_some(placement)
    }

    fn market(&self, candidate: &Candidate) -> Option<ec2::InstanceMarketOptionsRequest> {
        let spot = self.builder.spot.as_ref().filter(|_| candidate.market == Market::Spot)?;
        let max_price = match &spot.price {
            SpotPrice::Auto => None,
            SpotPrice::Most(price) => Some(price.clone()),
        };
        Some(ec2::InstanceMarketOptionsRequest {
            market_type: Some("spot".to_owned()),
            spot_options: Some(ec2::SpotMarketOptions {
                max_price,
                spot_instance_type: Some("one-time".to_owned()),
                instance_interruption_behavior: Some("terminate".to_owned()),
                ..Default::default()
            }),
        })
    }
}
