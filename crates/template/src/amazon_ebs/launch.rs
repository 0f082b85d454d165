//! What a launched instance is like.

use std::collections::BTreeMap;

use super::read::tags;
use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// What a launched instance is like. A direct bake launches none. What is `None` is as EC2 has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// What cloud-init gets.
    pub user_data: Option<UserData>,
    /// Name of the instance profile, and so the instance's rights.
    pub iam_instance_profile: Option<String>,
    /// Tags of the volumes during the bake, over `run_tags`.
    pub run_volume_tags: BTreeMap<String, Deferred>,
    /// Bandwidth of its own for EBS.
    pub ebs_optimized: Option<bool>,
    /// The instance's metadata service.
    pub metadata: MetadataOptions,
    /// `stop` or `terminate`: what happens when the instance shuts itself down; `None`: terminate.
    pub shutdown_behavior: Option<String>,
    /// Whether a burstable instance may cost more than its credits.
    pub unlimited_credits: bool,
    /// Whether a play stops the instance itself.
    pub disable_stop_instance: bool,
    /// Whether it may run enclaves.
    pub nitro_enclave: bool,
    /// The hardware below it.
    pub placement: Placement,
    /// Capacity that was paid before.
    pub capacity_reservation: CapacityReservation,
    /// License configurations, by ARN.
    pub license_configurations: Vec<String>,
}

/// What cloud-init gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserData {
    /// This text.
    Text(String),
    /// This file.
    File(String),
}

/// The instance's metadata service. (EC2 API reference, InstanceMetadataOptionsRequest)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataOptions {
    /// `enabled` or `disabled`.
    pub http_endpoint: Option<String>,
    /// `required` or `optional`; `None`: required.
    pub http_tokens: Option<String>,
    /// How many network hops an answer may go.
    pub http_put_response_hop_limit: Option<u64>,
    /// `enabled` or `disabled`: whether tags can be read.
    pub instance_metadata_tags: Option<String>,
}

/// The hardware below an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// `default`, `dedicated` or `host`.
    pub tenancy: Option<String>,
    /// `h-…`
    pub host_id: Option<String>,
    /// ARN.
    pub host_resource_group_arn: Option<String>,
}

/// Capacity that was paid before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapacityReservation {
    /// `open`, `none` or `capacity-reservations-only`.
    pub preference: Option<String>,
    /// `cr-…`
    pub id: Option<String>,
    /// ARN.
    pub group_arn: Option<String>,
}

pub(super) const METADATA_OPTIONS: &[Row] =
    &[(&["http_endpoint", "http_tokens", "http_put_response_hop_limit", "instance_metadata_tags"], Honoured)];
pub(super) const PLACEMENT_OPTIONS: &[Row] = &[(&["tenancy", "host_id", "host_resource_group_arn"], Honoured)];
pub(super) const LICENSE_OPTIONS: &[Row] = &[(&["license_configuration_request"], Honoured)];
pub(super) const LICENSE_REQUEST_OPTIONS: &[Row] = &[(&["license_configuration_arn"], Honoured)];

pub(super) fn read(fields: &Fields<'_>) -> Launch {
    let unlimited = fields.boolean("enable_unlimited_credits").or_else(|| fields.boolean("enable_t2_unlimited"));
    Launch {
        user_data: user_data(fields),
        iam_instance_profile: fields.text("iam_instance_profile"),
        run_volume_tags: tags(fields, "run_volume_tags", "run_volume_tag"),
        ebs_optimized: fields.boolean("ebs_optimized"),
        metadata: metadata(fields),
        shutdown_behavior: fields.one_of("shutdown_behavior", &["stop", "terminate"]),
        unlimited_credits: unlimited.unwrap_or(false),
        disable_stop_instance: fields.boolean("disable_stop_instance").unwrap_or(false),
        nitro_enclave: fields.boolean("enable_nitro_enclave").unwrap_or(false),
        placement: placement(fields),
        capacity_reservation: CapacityReservation {
            preference: fields
                .one_of("capacity_reservation_preference", &["open", "none", "capacity-reservations-only"]),
            id: fields.text("capacity_reservation_id"),
            group_arn: fields.text("capacity_reservation_group_arn"),
        },
        license_configurations: licenses(fields),
    }
}

fn user_data(fields: &Fields<'_>) -> Option<UserData> {
    let (text, file) = (fields.text("user_data"), fields.text("user_data_file"));
    if let (Some(_), Some(_), Some(node)) = (&text, &file, fields.find("user_data_file")) {
        let help = "keep one of them".to_owned();
        fields.findings.error(&node.span, "`user_data` and `user_data_file` are both there", Some(help));
    }
    text.map(UserData::Text).or(file.map(UserData::File))
}

fn metadata(fields: &Fields<'_>) -> MetadataOptions {
    let Some(fields) = fields.objects("metadata_options", "metadata_options").into_iter().next() else {
        return MetadataOptions::default();
    };
    options::check(&fields, METADATA_OPTIONS);
    MetadataOptions {
        http_endpoint: fields.one_of("http_endpoint", &["enabled", "disabled"]),
        http_tokens: fields.one_of("http_tokens", &["required", "optional"]),
        http_put_response_hop_limit: fields.count("http_put_response_hop_limit").filter(|hops| *hops > 0),
        instance_metadata_tags: fields.one_of("instance_metadata_tags", &["enabled", "disabled"]),
    }
}

fn placement(fields: &Fields<'_>) -> Placement {
    let tenancy = |fields: &Fields<'_>| fields.one_of("tenancy", &["default", "dedicated", "host"]);
    // `tenancy` is older than `placement`, and beside it.
    let own = tenancy(fields);
    let Some(fields) = fields.objects("placement", "placement").into_iter().next() else {
        return Placement { tenancy: own, ..Placement::default() };
    };
    options::check(&fields, PLACEMENT_OPTIONS);
    Placement {
        tenancy: tenancy(&fields).or(own),
        host_id: fields.text("host_id"),
        host_resource_group_arn: fields.text("host_resource_group_arn"),
    }
}

fn licenses(fields: &Fields<'_>) -> Vec<String> {
    let mut arns = Vec::new();
    for license in fields.objects("license_specifications", "license_specifications") {
        options::check(&license, LICENSE_OPTIONS);
        for request in license.objects("license_configuration_request", "license_configuration_request") {
            options::check(&request, LICENSE_REQUEST_OPTIONS);
            arns.extend(request.required_text("license_configuration_arn", "the license configuration's ARN"));
        }
    }
    arns
}
