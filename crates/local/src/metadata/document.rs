//! The JSON documents of the metadata service, and ids that are derived from the instance's own.

use jiff::SignedDuration;
use serde_json::json;

use super::InstanceFacts;
use super::RoleCredentials;

/// How long before their end role credentials are replaced; EC2 renews them hours ahead.
const RENEWED_BEFORE_END: SignedDuration = SignedDuration::from_hours(6);

/// A group of regions with a DNS domain of their own.
pub(super) struct Partition {
    pub(super) name: &'static str,
    pub(super) domain: &'static str,
}

pub(super) fn partition(region: &str) -> Partition {
    match region.split('-').take(2).collect::<Vec<_>>()[..] {
        ["cn", ..] => Partition { name: "aws-cn", domain: "amazonaws.com.cn" },
        ["us", "gov"] => Partition { name: "aws-us-gov", domain: "amazonaws.com" },
        _ => Partition { name: "aws", domain: "amazonaws.com" },
    }
}

/// The id of something that belongs to exactly one instance: its digits behind another prefix.
pub(crate) fn sibling_id(prefix: &str, instance_id: &str) -> String {
    format!("{prefix}-{}", instance_id.trim_start_matches("i-"))
}

/// `dynamic/instance-identity/document`
pub(super) fn identity(facts: &InstanceFacts) -> String {
    pretty(&json!({
        "accountId": facts.account,
        "architecture": facts.architecture,
        "availabilityZone": facts.zone,
        "billingProducts": null,
        "devpayProductCodes": null,
        "marketplaceProductCodes": null,
        "imageId": facts.image_id,
        "instanceId": facts.instance_id,
        "instanceType": facts.instance_type,
        "kernelId": null,
        "pendingTime": facts.pending_time,
        "privateIp": facts.private_ip,
        "ramdiskId": null,
        "region": facts.region,
        "version": "2017-09-30",
    }))
}

/// `iam/info`
pub(super) fn profile(facts: &InstanceFacts, role: &str) -> String {
    let partition = partition(&facts.region).name;
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": facts.pending_time,
        "InstanceProfileArn": format!("arn:{partition}:iam::{}:instance-profile/{role}", facts.account),
        "InstanceProfileId": sibling_id("AIPA", &facts.instance_id).replace('-', "").to_uppercase(),
    }))
}

/// `iam/security-credentials/ROLE`
pub(super) fn role_credentials(facts: &InstanceFacts, credentials: &RoleCredentials) -> String {
    let updated = credentials.expiration.checked_sub(RENEWED_BEFORE_END);
    pretty(&json!({
        "Code": "Success",
        "LastUpdated": updated.map_or_else(|_| facts.pending_time.clone(), ovenbird_core::instant::write),
        "Type": "AWS-HMAC",
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.token,
        "Expiration": ovenbird_core::instant::write(credentials.expiration),
    }))
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}
