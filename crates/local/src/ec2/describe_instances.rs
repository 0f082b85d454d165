//! DescribeInstances, and instances as the API shows them.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::DescribeInstancesRequest;
use ovenbird_aws::ec2::DescribeInstancesResult;
use ovenbird_aws::ec2::Reservation;
use rusqlite::Connection;

use super::filters::Filterable;
use super::filters::select;
use super::instance_attributes::groups;
use super::paging::Paging;
use super::paging::refuse_pages_of_ids;
use super::resources::own_instance;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Attachment;
use crate::catalogue::volumes::Volume;
use crate::failure::Answer;
use crate::instances as life;
use crate::metadata::sibling_id;
use crate::tagging;
use crate::world::Call;

struct Listed {
    instance: Instance,
    tags: Vec<Tag>,
    volumes: Vec<Volume>,
    groups: Vec<ec2::GroupIdentifier>,
}

/// The caller's instances, by reservation.
pub(crate) fn describe_instances(call: &Call, request: &DescribeInstancesRequest) -> Answer<DescribeInstancesResult> {
    refuse_pages_of_ids(&request.instance_ids, request.max_results)?;
    let listed = call.world.catalogue.transact(|db| {
        request.instance_ids.iter().try_for_each(|id| own_instance(db, call, Some(id)).map(drop))?;
        list(db, call, |instance| request.instance_ids.is_empty() || request.instance_ids.contains(&instance.id))
    })?;
    let paging = Paging {
        action: "DescribeInstances",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.instance.seq)?;
    Ok(DescribeInstancesResult { next_token, reservations: by_reservation(call, page) })
}

/// The instances of one RunInstances call.
pub(super) fn reservation(db: &Connection, call: &Call, id: &str) -> Answer<Reservation> {
    let listed = list(db, call, |instance| instance.reservation == id)?;
    Ok(by_reservation(call, listed).into_iter().next().unwrap_or_default())
}

fn list(db: &Connection, call: &Call, wanted: impl Fn(&Instance) -> bool) -> Answer<Vec<Listed>> {
    let mut listed = Vec::new();
    for instance in instances::list_instances(db, &call.scope)?.into_iter().filter(wanted) {
        if !call.sees(instance.launched) {
            continue;
        }
        let tags = tags::list_tags(db, &call.scope, &instance.id)?;
        let volumes = volumes::list_attached(db, &instance.id)?;
        let groups = groups(db, &instance)?;
        listed.push(Listed { instance, tags, volumes, groups });
    }
    Ok(listed)
}

fn by_reservation(call: &Call, listed: Vec<Listed>) -> Vec<Reservation> {
    let mut reservations: Vec<Reservation> = Vec::new();
    for listed in listed {
        let id = Some(listed.instance.reservation.clone());
        let instance = to_api(call, &listed);
        match reservations.iter_mut().find(|reservation| reservation.reservation_id == id) {
            Some(reservation) => reservation.instances.push(instance),
            None => reservations.push(Reservation {
                reservation_id: id,
                owner_id: Some(call.scope.account.clone()),
                requester_id: None,
                instances: vec![instance],
            }),
        }
    }
    reservations
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "architecture",
        "availability-zone",
        "block-device-mapping.device-name",
        "block-device-mapping.volume-id",
        "client-token",
        "iam-instance-profile.arn",
        "group-id",
        "group-name",
        "image-id",
        "instance.group-id",
        "instance.group-name",
        "instance-id",
        "instance-lifecycle",
        "instance-state-code",
        "instance-state-name",
        "instance-type",
        "key-name",
        "ip-address",
        "launch-time",
        "owner-id",
        "private-dns-name",
        "private-ip-address",
        "reservation-id",
        "root-device-name",
        "subnet-id",
        "vpc-id",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let instance = &self.instance;
        let attached = |value: fn(&Volume, &Attachment) -> String| -> Vec<String> {
            self.volumes.iter().filter_map(|volume| Some(value(volume, volume.attachment.as_ref()?))).collect()
        };
        let value = match filter {
            "block-device-mapping.device-name" => return attached(|_, attachment| attachment.device.clone()),
            "block-device-mapping.volume-id" => return attached(|volume, _| volume.id.clone()),
            "group-id" | "instance.group-id" => {
                return self.groups.iter().filter_map(|group| group.group_id.clone()).collect();
            }
            "group-name" | "instance.group-name" => {
                return self.groups.iter().filter_map(|group| group.group_name.clone()).collect();
            }
            "instance-lifecycle" => instance.is_spot.then(|| "spot".to_owned()),
            "ip-address" => public_ip(instance),
            "architecture" => Some(instance.architecture.clone()),
            "availability-zone" => Some(instance.zone.clone()),
            "client-token" => instance.client_token.clone(),
            "iam-instance-profile.arn" => profile_arn(instance),
            "image-id" => Some(instance.image.clone()),
            "instance-id" => Some(instance.id.clone()),
            "instance-state-code" => Some(instance.state.code().to_string()),
            "instance-state-name" => Some(instance.state.name().to_owned()),
            "instance-type" => Some(instance.instance_type.clone()),
            "key-name" => instance.key_name.clone(),
            "launch-time" => Some(instance.launched.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
            "owner-id" => Some(instance.scope.account.clone()),
            "private-dns-name" => Some(dns_name(instance)),
            "private-ip-address" => Some(instance.private_ip.clone()),
            "reservation-id" => Some(instance.reservation.clone()),
            "root-device-name" => Some(instance.root_device.clone()),
            "subnet-id" => Some(life::subnet_of(&instance.scope, &instance.zone)),
            _ => Some(life::vpc_of(&instance.scope)),
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

/// A state as the API shows it.
pub(super) fn state_to_api(state: State) -> ec2::InstanceState {
    ec2::InstanceState { code: Some(state.code()), name: Some(state.name().to_owned()) }
}

fn dns_name(instance: &Instance) -> String {
    let domain = if instance.scope.region == "us-east-1" {
        "ec2.internal".to_owned()
    } else {
        format!("{}.compute.internal", instance.scope.region)
    };
    format!("ip-{}.{domain}", instance.private_ip.replace('.', "-"))
}

fn profile_arn(instance: &Instance) -> Option<String> {
    let name = instance.profile.as_ref()?;
    Some(format!("arn:aws:iam::{}:instance-profile/{name}", instance.scope.account))
}

fn to_api(call: &Call, listed: &Listed) -> ec2::Instance {
    let instance = &listed.instance;
    let is_terminated = instance.state == State::Terminated;
    let while_it_lives = |text: String| if is_terminated { String::new() } else { text };
    let reason = instance.reason.as_ref();
    ec2::Instance {
        architecture: Some(instance.architecture.clone()),
        block_device_mappings: listed.volumes.iter().filter_map(device_to_api).collect(),
        client_token: Some(instance.client_token.clone().unwrap_or_default()),
        ebs_optimized: Some(false),
        ena_support: Some(true),
        hypervisor: Some("xen".to_owned()),
        iam_instance_profile: profile_arn(instance).map(|arn| ec2::IamInstanceProfile {
            id: Some(format!("AIPA{}", call.world.secret.letters("profile", &arn, 17))),
            arn: Some(arn),
        }),
        root_device_name: Some(instance.root_device.clone()),
        root_device_type: Some("ebs".to_owned()),
        state_reason: reason
            .map(|(code, message)| ec2::StateReason { code: Some(code.clone()), message: Some(message.clone()) }),
        tags: tagging::to_api(&listed.tags),
        virtualization_type: Some("hvm".to_owned()),
        metadata_options: Some(metadata_options(instance)),
        boot_mode: instance.boot_mode.clone(),
        platform_details: Some(instance.billing.platform_details.clone()),
        usage_operation: Some(instance.billing.usage_operation.clone()),
        instance_id: Some(instance.id.clone()),
        image_id: Some(instance.image.clone()),
        state: Some(state_to_api(instance.state)),
        private_dns_name: Some(while_it_lives(dns_name(instance))),
        public_dns_name: Some(String::new()),
        public_ip_address: public_ip(instance),
        instance_lifecycle: instance.is_spot.then(|| "spot".to_owned()),
        spot_instance_request_id: instance.is_spot.then(|| instance.id.replacen("i-", "sir-", 1)),
        network_interfaces: if is_terminated { Vec::new() } else { vec![interface_to_api(listed)] },
        security_groups: if is_terminated { Vec::new() } else { listed.groups.clone() },
        source_dest_check: (!is_terminated).then_some(true),
        state_transition_reason: Some(reason.map(|(_, message)| message.clone()).unwrap_or_default()),
        key_name: instance.key_name.clone(),
        ami_launch_index: Some(instance.launch_index),
        instance_type: Some(instance.instance_type.clone()),
        launch_time: Some(instance.launched),
        placement: Some(ec2::Placement {
            availability_zone: Some(instance.zone.clone()),
            tenancy: Some("default".to_owned()),
            group_name: Some(String::new()),
            ..ec2::Placement::default()
        }),
        monitoring: Some(ec2::Monitoring { state: Some("disabled".to_owned()) }),
        subnet_id: (!is_terminated).then(|| life::subnet_of(&instance.scope, &instance.zone)),
        vpc_id: (!is_terminated).then(|| life::vpc_of(&instance.scope)),
        private_ip_address: (!is_terminated).then(|| instance.private_ip.clone()),
    }
}

/// The address that this machine reaches the instance at is its private one; there is no other.
fn public_ip(instance: &Instance) -> Option<String> {
    let is_up = matches!(instance.state, State::Running | State::Stopping | State::ShuttingDown);
    (instance.has_public_ip && is_up).then(|| instance.private_ip.clone())
}

fn interface_to_api(listed: &Listed) -> ec2::InstanceNetworkInterface {
    let instance = &listed.instance;
    let dns_name = dns_name(instance);
    let association = public_ip(instance).map(|address| ec2::InstanceNetworkInterfaceAssociation {
        ip_owner_id: Some("amazon".to_owned()),
        public_dns_name: Some(String::new()),
        public_ip: Some(address),
    });
    let attachment = ec2::InstanceNetworkInterfaceAttachment {
        attach_time: Some(instance.launched),
        attachment_id: Some(instance.id.replacen("i-", "eni-attach-", 1)),
        delete_on_termination: Some(true),
        device_index: Some(0),
        status: Some("attached".to_owned()),
        network_card_index: Some(0),
    };
    ec2::InstanceNetworkInterface {
        attachment: Some(attachment),
        description: Some(String::new()),
        groups: listed.groups.clone(),
        mac_address: Some(instance.mac.clone()),
        network_interface_id: Some(sibling_id("eni", &instance.id)),
        owner_id: Some(instance.scope.account.clone()),
        private_dns_name: Some(dns_name.clone()),
        private_ip_address: Some(instance.private_ip.clone()),
        private_ip_addresses: vec![ec2::InstancePrivateIpAddress {
            association: association.clone(),
            primary: Some(true),
            private_dns_name: Some(dns_name),
            private_ip_address: Some(instance.private_ip.clone()),
        }],
        association,
        source_dest_check: Some(true),
        status: Some("in-use".to_owned()),
        subnet_id: Some(life::subnet_of(&instance.scope, &instance.zone)),
        vpc_id: Some(life::vpc_of(&instance.scope)),
        interface_type: Some("interface".to_owned()),
    }
}

fn metadata_options(instance: &Instance) -> ec2::InstanceMetadataOptionsResponse {
    let tokens = if instance.tokens_required { "required" } else { "optional" };
    ec2::InstanceMetadataOptionsResponse {
        state: Some("applied".to_owned()),
        http_tokens: Some(tokens.to_owned()),
        http_put_response_hop_limit: Some(instance.hop_limit),
        http_endpoint: Some("enabled".to_owned()),
        http_protocol_ipv6: Some("disabled".to_owned()),
        instance_metadata_tags: Some(if instance.metadata_tags { "enabled" } else { "disabled" }.to_owned()),
    }
}

pub(super) fn device_to_api(volume: &Volume) -> Option<ec2::InstanceBlockDeviceMapping> {
    let attachment = volume.attachment.as_ref()?;
    Some(ec2::InstanceBlockDeviceMapping {
        device_name: Some(attachment.device.clone()),
        ebs: Some(ec2::EbsInstanceBlockDevice {
            attach_time: Some(attachment.since),
            delete_on_termination: Some(attachment.delete_on_termination),
            status: Some(attachment.state.clone()),
            volume_id: Some(volume.id.clone()),
        }),
    })
}
