//! RunInstances.

use std::sync::Arc;

use ovenbird_aws::ec2::Reservation;
use ovenbird_aws::ec2::RunInstancesRequest;
use rusqlite::Connection;

use super::describe_instances;
use super::devices;
use super::key_pairs::own_key_pair;
use super::launch_templates;
use super::resources::mismatched_token;
use super::resources::visible_image;
use super::security_groups;
use crate::catalogue::images::Device;
use crate::catalogue::images::Image;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::tags;
use crate::catalogue::tokens;
use crate::catalogue::tokens::Spent;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Attachment;
use crate::catalogue::volumes::Volume;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::iam::is_profile_name;
use crate::ids::random_id;
use crate::instances as life;
use crate::regions;
use crate::regions::Zone;
use crate::tagging;
use crate::world::Call;

const ACTION: &str = "RunInstances";

/// Largest user data, before base64 (EC2 user guide, "Work with instance user data").
const MAX_USER_DATA: usize = 16_384;

/// Most instances of one call: this is one machine.
const MAX_COUNT: i32 = 50;

/// What a request says, once it was found to be sound.
struct Wanted {
    count: i32,
    instance_type: String,
    user_data: Option<Vec<u8>>,
    zone: Zone,
    profile: Option<String>,
    ends_terminated: bool,
    is_spot: bool,
    has_public_ip: bool,
}

/// What the catalogue says of a request.
struct Found {
    image: Image,
    public_key: Option<String>,
    security_groups: Vec<String>,
}

/// Launches instances of an image that the caller may see.
pub(crate) fn run_instances(call: &Call, request: &RunInstancesRequest) -> Answer<Reservation> {
    let request = &call.world.catalogue.transact(|db| launch_templates::complete(db, call, request))?;
    let request = &take_interface(request)?;
    let wanted = verify(call, request)?;
    let taggable = ["instance", "volume", "network-interface", "spot-instances-request"];
    let specified = tagging::specified(&request.tag_specifications, &taggable)?;
    let (instance_tags, volume_tags) = (specified("instance"), specified("volume"));
    let token = request.client_token.clone().filter(|token| !token.is_empty());
    let text = format!("{:?}", RunInstancesRequest { client_token: None, ..request.clone() });
    let (reservation, new) = call.world.catalogue.transact(|db| {
        if let Some(token) = &token {
            match tokens::find_spent(db, &call.scope, ACTION, token, &text)? {
                Spent::Same(reservation) => return Ok((reservation, Vec::new())),
                Spent::Differently => return mismatched_token(),
                Spent::Never => {}
            }
        }
        let image = visible_image(db, call, request.image_id.as_deref())?;
        if image.state != "available" {
            return refuse("InvalidAMIID.Unavailable", format!("The image '{}' is {}", image.id, image.state));
        }
        let devices = devices::of_new_instance(db, call, &image.devices, &request.block_device_mappings)?;
        let key_name = request.key_name.as_deref().filter(|name| !name.is_empty());
        let found = Found {
            public_key: key_name.map(|name| own_key_pair(db, call, name)).transpose()?.map(|pair| pair.public_key),
            security_groups: security_groups::of_new_instance(
                db,
                call,
                &request.security_group_ids,
                &request.security_groups,
            )?,
            image,
        };
        let reservation = random_id("r")?;
        let mut new = Vec::new();
        for launch_index in 0..wanted.count {
            let instance = new_instance(db, call, request, &wanted, &found, &reservation, launch_index)?;
            instances::insert_instance(db, &instance)?;
            tags::put_tags(db, &call.scope, &instance.id, &instance_tags)?;
            for device in devices.iter().filter(|device| device.virtual_name.is_none()) {
                let volume = new_volume(call, &instance, device)?;
                volumes::insert_volume(db, &volume)?;
                tags::put_tags(db, &call.scope, &volume.id, &volume_tags)?;
            }
            new.push(instance.id);
        }
        if let Some(token) = &token {
            tokens::spend(db, &call.scope, ACTION, token, &text, &reservation, call.now)?;
        }
        Ok((reservation, new))
    })?;
    // The answer shows what was asked for, before any of it could happen.
    let answer = call.world.catalogue.transact(|db| describe_instances::reservation(db, call, &reservation))?;
    for id in new {
        life::begin(Arc::clone(&call.world), id);
    }
    Ok(answer)
}

fn verify(call: &Call, request: &RunInstancesRequest) -> Answer<Wanted> {
    let (min, max) = (required(request.min_count, "MinCount")?, required(request.max_count, "MaxCount")?);
    if min < 1 || max < min {
        return refuse(
            "InvalidParameterValue",
            format!("MinCount {min} and MaxCount {max} must be at least 1, and in this order"),
        );
    }
    if min > MAX_COUNT {
        return refuse(
            "InstanceLimitExceeded",
            format!("You have requested more instances ({min}) than your limit of {MAX_COUNT} allows"),
        );
    }
    Ok(Wanted {
        count: max.min(MAX_COUNT),
        instance_type: verify_type(request.instance_type.as_deref())?,
        user_data: decode_user_data(request.user_data.as_deref())?,
        zone: verify_zone(call, request)?,
        profile: profile(request)?,
        ends_terminated: verify_shutdown_behavior(request.instance_initiated_shutdown_behavior.as_deref())?,
        is_spot: match request.instance_market_options.as_ref().and_then(|options| options.market_type.as_deref()) {
            None => false,
            Some("spot") => true,
            Some(other) => return refuse("InvalidParameterValue", format!("MarketType cannot be `{other}`")),
        },
        // Default subnets give out public addresses.
        has_public_ip: request.network_interfaces.first().and_then(|it| it.associate_public_ip_address).unwrap_or(true),
    })
}

/// `terminate`? The default is `stop`.
pub(super) fn verify_shutdown_behavior(behavior: Option<&str>) -> Answer<bool> {
    match behavior {
        None | Some("stop") => Ok(false),
        Some("terminate") => Ok(true),
        Some(other) => {
            refuse("InvalidParameterValue", format!("InstanceInitiatedShutdownBehavior cannot be `{other}`"))
        }
    }
}

/// The request in the older form: subnet, groups and address of its one network interface are the instance's.
fn take_interface(request: &RunInstancesRequest) -> Answer<RunInstancesRequest> {
    let mut request = request.clone();
    let [interface, others @ ..] = request.network_interfaces.as_slice() else { return Ok(request) };
    if !others.is_empty() || interface.device_index.unwrap_or(0) != 0 || interface.network_interface_id.is_some() {
        let text = "An instance of the embedded EC2 has one network interface, which is made for it";
        return refuse("UnsupportedOperation", text);
    }
    let has_groups = !request.security_group_ids.is_empty() || !request.security_groups.is_empty();
    if request.subnet_id.is_some() || has_groups {
        let what = if request.subnet_id.is_some() { "subnet ID" } else { "security groups" };
        let text = format!("Network interfaces and an instance-level {what} may not be specified on the same request");
        return refuse("InvalidParameterCombination", text);
    }
    request.subnet_id = interface.subnet_id.clone();
    request.security_group_ids = interface.groups.clone();
    request.private_ip_address = request.private_ip_address.or_else(|| interface.private_ip_address.clone());
    Ok(request)
}

/// Any `family.size`; t2.micro and the like are all the same machine here.
pub(super) fn verify_type(name: Option<&str>) -> Answer<String> {
    let name = name.unwrap_or("m1.small");
    if is_type(name) {
        return Ok(name.to_owned());
    }
    refuse("InvalidParameterValue", format!("Invalid value '{name}' for InstanceType."))
}

/// Is it a family and a size?
pub(super) fn is_type(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    name.split_once('.').is_some_and(|(family, size)| is_word(family) && is_word(size))
}

fn decode_user_data(text: Option<&str>) -> Answer<Option<Vec<u8>>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let compact: String = text.split_ascii_whitespace().collect();
    let Ok(bytes) = data_encoding::BASE64.decode(compact.as_bytes()) else {
        return refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
    };
    verify_user_data(bytes)
}

/// User data that fit; none where they are empty.
pub(super) fn verify_user_data(bytes: Vec<u8>) -> Answer<Option<Vec<u8>>> {
    if bytes.len() > MAX_USER_DATA {
        return refuse(
            "InvalidParameterValue",
            format!("User data is limited to {MAX_USER_DATA} bytes; this is {} bytes", bytes.len()),
        );
    }
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// The zone asked for (an empty name asks for none), or that of the subnet asked for, or the Region's first.
fn verify_zone(call: &Call, request: &RunInstancesRequest) -> Answer<Zone> {
    let zones = regions::list_zones(&call.scope.region);
    let named = request.placement.as_ref().and_then(|placement| placement.availability_zone.as_deref());
    let named = named.filter(|name| !name.is_empty());
    let found = match (named, request.subnet_id.as_deref().filter(|subnet| !subnet.is_empty())) {
        (Some(name), _) => zones.iter().find(|zone| zone.name == name),
        (None, Some(subnet)) => match zones.iter().find(|zone| life::subnet_of(&call.scope, &zone.name) == subnet) {
            None => return refuse("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet}' does not exist")),
            found => found,
        },
        (None, None) => zones.first(),
    };
    match found {
        Some(zone) => Ok(zone.clone()),
        None => refuse("InvalidParameterValue", format!("Invalid availability zone: [{}]", named.unwrap_or_default())),
    }
}

/// The profile's name; none where it is empty, as Packer names what it leaves open. Any name is a profile with one role of
/// the same name, since nothing here keeps roles.
fn profile(request: &RunInstancesRequest) -> Answer<Option<String>> {
    let Some(profile) = &request.iam_instance_profile else { return Ok(None) };
    let of_arn = profile.arn.as_deref().map(|arn| arn.rsplit('/').next().unwrap_or_default());
    let Some(name) = profile.name.as_deref().or(of_arn).filter(|name| !name.is_empty()) else { return Ok(None) };
    if is_profile_name(name) {
        return Ok(Some(name.to_owned()));
    }
    refuse("InvalidParameterValue", format!("Value ({name}) for parameter iamInstanceProfile.name is invalid."))
}

fn new_instance(
    db: &Connection,
    call: &Call,
    request: &RunInstancesRequest,
    wanted: &Wanted,
    found: &Found,
    reservation: &str,
    launch_index: i32,
) -> Answer<Instance> {
    let image = &found.image;
    let Some(root) = image.root() else {
        return refuse("InvalidAMIID.Unavailable", format!("The image '{}' has no root device", image.id));
    };
    let options = request.metadata_options.clone().unwrap_or_default();
    let tokens =
        options.http_tokens.as_deref().unwrap_or(if image.imds_support.is_some() { "required" } else { "optional" });
    Ok(Instance {
        seq: 0,
        id: random_id("i")?,
        scope: call.scope.clone(),
        zone: wanted.zone.name.clone(),
        reservation: reservation.to_owned(),
        launch_index,
        image: image.id.clone(),
        instance_type: wanted.instance_type.clone(),
        architecture: image.architecture.clone(),
        boot_mode: image.boot_mode.clone(),
        state: State::Pending,
        reason: None,
        launched: call.now,
        root_device: root.name.clone(),
        private_ip: life::pick_address(db, wanted.zone.position, request.private_ip_address.as_deref())?,
        mac: life::pick_mac()?,
        user_data: wanted.user_data.clone(),
        key_name: request.key_name.clone().filter(|name| !name.is_empty()),
        profile: wanted.profile.clone(),
        tokens_required: tokens == "required",
        hop_limit: options.http_put_response_hop_limit.unwrap_or(if image.imds_support.is_some() { 2 } else { 1 }),
        metadata_tags: options.instance_metadata_tags.as_deref() == Some("enabled"),
        ends_terminated: wanted.ends_terminated,
        client_token: request.client_token.clone(),
        public_key: found.public_key.clone(),
        security_groups: found.security_groups.clone(),
        is_spot: wanted.is_spot,
        has_public_ip: wanted.has_public_ip,
        termination_protected: request.disable_api_termination == Some(true),
        stop_protected: request.disable_api_stop == Some(true),
        billing: image.billing.clone(),
    })
}

fn new_volume(call: &Call, instance: &Instance, device: &Device) -> Answer<Volume> {
    Ok(Volume {
        seq: 0,
        id: random_id("vol")?,
        scope: call.scope.clone(),
        zone: instance.zone.clone(),
        size: device.size,
        snapshot: device.snapshot.clone(),
        kind: device.kind.clone(),
        iops: device.iops,
        throughput: device.throughput,
        kms_key: device.kms_key.clone(),
        state: "creating".to_owned(),
        created: call.now,
        attachment: Some(Attachment {
            instance: instance.id.clone(),
            device: device.name.clone(),
            state: "attaching".to_owned(),
            since: call.now,
            delete_on_termination: device.delete_on_termination,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_data_is_base64_of_at_most_16_kib() {
        let encode = |length: usize| data_encoding::BASE64.encode(&vec![b'x'; length]);
        assert_eq!(
            decode_user_data(Some(&encode(MAX_USER_DATA))).expect("fits").map(|bytes| bytes.len()),
            Some(MAX_USER_DATA)
        );
        assert!(decode_user_data(Some(&encode(MAX_USER_DATA + 1))).is_err());
        assert!(decode_user_data(Some("{}")).is_err());
        assert_eq!(decode_user_data(Some("eyJh\nfQ==\n")).expect("wrapped"), Some(b"{\"a}".to_vec()));
        assert_eq!(decode_user_data(Some("")).expect("none"), None);
    }

    #[test]
    fn types_are_a_family_and_a_size() {
        for name in ["t3.micro", "u-12tb1.112xlarge", "m7i-flex.large"] {
            assert!(verify_type(Some(name)).is_ok(), "{name}");
        }
        for name in ["", "t3", "t3.", ".micro", "T3.micro", "a.b c"] {
            assert!(verify_type(Some(name)).is_err(), "{name}");
        }
    }
}
