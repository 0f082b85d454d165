//! DescribeImages.

use std::collections::HashMap;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::DescribeImagesRequest;
use ovenbird_aws::ec2::DescribeImagesResult;

use super::devices;
use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use super::resources::Kind;
use crate::accounts::is_account;
use crate::catalogue::images;
use crate::catalogue::images::Image;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::tagging;
use crate::world::Call;

/// Accounts that the API knows by an alias.
const ALIASES: [(&str, &str); 1] = [("amazon", "137112412989")];

struct Listed {
    image: Image,
    tags: Vec<Tag>,
}

/// The images that the caller may see and asked for.
pub(crate) fn describe_images(call: &Call, request: &DescribeImagesRequest) -> Answer<DescribeImagesResult> {
    request.image_ids.iter().try_for_each(|id| Kind::Image.verify_id(id))?;
    let owners = request.owners.iter().map(|owner| read_owner(call, owner)).collect::<Answer<Vec<_>>>()?;
    let (mut all, mut tags) = call.world.catalogue.transact(|db| {
        Ok((images::list_visible(db, &call.scope)?, tags::map_tags(db, &call.scope, Kind::Image.prefix())?))
    })?;
    all.retain(|image| call.sees(image.created));
    let known: HashMap<&str, ()> = all.iter().map(|image| (image.id.as_str(), ())).collect();
    if let Some(unknown) = request.image_ids.iter().find(|id| !known.contains_key(id.as_str())) {
        return Kind::Image.not_found(unknown);
    }
    let mut listed = Vec::new();
    for image in all {
        let is_asked_for = request.image_ids.is_empty() || request.image_ids.contains(&image.id);
        if is_asked_for
            && is_shown(call, request, &image)
            && (owners.is_empty() || owners.contains(&image.scope.account))
            && may_run(call, request, &image)?
        {
            listed.push(Listed { tags: tags.remove(&image.id).unwrap_or_default(), image });
        }
    }
    let paging = Paging {
        action: "DescribeImages",
        max_results: request.max_results,
        allowed: 1..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.image.seq)?;
    Ok(DescribeImagesResult { next_token, images: page.iter().map(to_api).collect() })
}

/// A deprecated image is listed by nobody but its owner, unless it is asked for by its id (EC2 user guide, "Deprecate an AMI").
fn is_shown(call: &Call, request: &DescribeImagesRequest, image: &Image) -> bool {
    let is_deprecated = image.deprecate_at.is_some_and(|at| at <= call.now);
    !is_deprecated
        || image.scope.account == call.scope.account
        || request.include_deprecated == Some(true)
        || request.image_ids.contains(&image.id)
}

fn read_owner(call: &Call, owner: &str) -> Answer<String> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == owner).map(|(_, account)| (*account).to_owned());
    match alias {
        Some(account) => Ok(account),
        None if owner == "self" => Ok(call.scope.account.clone()),
        None if is_account(owner) => Ok(owner.to_owned()),
        None if matches!(owner, "aws-marketplace" | "aws-backup-vault" | "microsoft") => Ok(String::new()),
        None => refuse("InvalidUserID.Malformed", format!("Invalid user id: \"{owner}\"")),
    }
}

/// `ExecutableBy`: `self` and account ids ask for explicit permission, `all` for public images.
fn may_run(call: &Call, request: &DescribeImagesRequest, image: &Image) -> Answer<bool> {
    for user in &request.executable_users {
        let may = match user.as_str() {
            "all" => image.public,
            "self" => is_shared(call, image, &call.scope.account)?,
            account => is_shared(call, image, account)?,
        };
        if may {
            return Ok(true);
        }
    }
    Ok(request.executable_users.is_empty())
}

fn is_shared(call: &Call, image: &Image, account: &str) -> Answer<bool> {
    call.world.catalogue.transact(|db| images::is_shared_with(db, &image.id, account))
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "architecture",
        "block-device-mapping.delete-on-termination",
        "block-device-mapping.device-name",
        "block-device-mapping.encrypted",
        "block-device-mapping.snapshot-id",
        "block-device-mapping.volume-size",
        "block-device-mapping.volume-type",
        "boot-mode",
        "creation-date",
        "description",
        "ena-support",
        "hypervisor",
        "image-id",
        "image-type",
        "is-public",
        "name",
        "owner-alias",
        "owner-id",
        "platform",
        "platform-details",
        "root-device-name",
        "root-device-type",
        "source-image-id",
        "source-image-region",
        "source-instance-id",
        "state",
        "usage-operation",
        "virtualization-type",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let image = &self.image;
        if let Some(of_device) = filter.strip_prefix("block-device-mapping.") {
            return image.devices.iter().filter_map(|device| device_value(device, of_device)).collect();
        }
        let value = match filter {
            "architecture" => Some(image.architecture.clone()),
            "boot-mode" => image.boot_mode.clone(),
            "creation-date" => Some(creation_date(image)),
            "description" => image.description.clone(),
            "ena-support" => Some(image.ena.to_string()),
            "hypervisor" => Some("xen".to_owned()),
            "image-id" => Some(image.id.clone()),
            "image-type" => Some("machine".to_owned()),
            "is-public" => Some(image.public.to_string()),
            "name" => Some(image.name.clone()),
            "owner-alias" => alias(image),
            "owner-id" => Some(image.scope.account.clone()),
            "root-device-name" => image.root_device.clone(),
            "root-device-type" => Some("ebs".to_owned()),
            "source-image-id" => image.source_image.clone(),
            "source-image-region" => image.source_region.clone(),
            "source-instance-id" => image.source_instance.clone(),
            "state" => Some(image.state.clone()),
            "virtualization-type" => Some(image.virtualization_type.clone()),
            "platform" => platform(image),
            "platform-details" => Some(image.billing.platform_details.clone()),
            "usage-operation" => Some(image.billing.usage_operation.clone()),
            _ => None,
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

fn device_value(device: &images::Device, filter: &str) -> Option<String> {
    match filter {
        "delete-on-termination" => Some(device.delete_on_termination.to_string()),
        "device-name" => Some(device.name.clone()),
        "encrypted" => Some(device.kms_key.is_some().to_string()),
        "snapshot-id" => device.snapshot.clone(),
        "volume-size" => Some(device.size.to_string()),
        _ => Some(device.kind.clone()),
    }
}

fn alias(image: &Image) -> Option<String> {
    ALIASES.iter().find(|(_, account)| *account == image.scope.account).map(|(alias, _)| (*alias).to_owned())
}

/// Only Windows images have a platform.
fn platform(image: &Image) -> Option<String> {
    image.billing.platform_details.starts_with("Windows").then(|| "windows".to_owned())
}

/// Such as `2026-01-31T12:00:00.000Z`.
fn creation_date(image: &Image) -> String {
    image.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn to_api(listed: &Listed) -> ec2::Image {
    let image = &listed.image;
    ec2::Image {
        platform_details: Some(image.billing.platform_details.clone()),
        usage_operation: Some(image.billing.usage_operation.clone()),
        platform: platform(image),
        block_device_mappings: image.devices.iter().map(devices::to_api).collect(),
        description: image.description.clone(),
        ena_support: Some(image.ena),
        hypervisor: Some("xen".to_owned()),
        image_owner_alias: alias(image),
        name: Some(image.name.clone()),
        root_device_name: image.root_device.clone(),
        root_device_type: Some("ebs".to_owned()),
        sriov_net_support: image.sriov.clone(),
        tags: tagging::to_api(&listed.tags),
        virtualization_type: Some(image.virtualization_type.clone()),
        boot_mode: image.boot_mode.clone(),
        tpm_support: image.tpm_support.clone(),
        imds_support: image.imds_support.clone(),
        deregistration_protection: Some(if image.is_protected { "enabled" } else { "disabled" }.to_owned()),
        deprecation_time: image.deprecate_at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()),
        source_instance_id: image.source_instance.clone(),
        state_reason: image.failure.as_ref().map(|failure| ec2::StateReason {
            code: Some("Client.InternalError".to_owned()),
            message: Some(failure.clone()),
        }),
        source_image_id: image.source_image.clone(),
        source_image_region: image.source_region.clone(),
        image_id: Some(image.id.clone()),
        image_location: Some(format!("{}/{}", image.scope.account, image.name)),
        state: Some(image.state.clone()),
        owner_id: Some(image.scope.account.clone()),
        creation_date: Some(creation_date(image)),
        public: Some(image.public),
        architecture: Some(image.architecture.clone()),
        image_type: Some("machine".to_owned()),
        ..ec2::Image::default()
    }
}
