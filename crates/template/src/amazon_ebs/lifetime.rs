//! What becomes of the image: copies in other regions, the image before, the end.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// Further regions that the image is copied to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// The regions.
    pub regions: Vec<String>,
    /// Keys that copies are encrypted with, by region. An empty key is the account's default key there.
    pub kms_key_ids: BTreeMap<String, String>,
    /// How long a copy may take, for which AWS then vouches; a multiple of 15.
    pub duration_minutes: Option<u64>,
}

/// What becomes of the image of the same name before, and of this one in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// Whether an image of the same name is replaced: the new one is made and verified before the old one is retired.
    pub replaces: bool,
    /// Whether the replaced image's snapshots are deleted too.
    pub replaces_snapshots: bool,
    /// When the image becomes deprecated.
    pub deprecate_at: Option<Timestamp>,
    /// Whether the image can be deregistered at once.
    pub protection: Option<DeregistrationProtection>,
}

/// That an image cannot be deregistered before its protection is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeregistrationProtection {
    /// Whether it stays protected for a day after that.
    pub with_cooldown: bool,
}

pub(super) const PROTECTION_OPTIONS: &[Row] = &[(&["enabled", "with_cooldown"], Honoured)];

pub(super) fn copies(fields: &Fields<'_>) -> Copies {
    let duration_minutes = fields.count("snapshot_copy_duration_minutes").filter(|minutes| *minutes > 0);
    if let (Some(minutes), Some(node)) = (duration_minutes, fields.find("snapshot_copy_duration_minutes"))
        && (!minutes.is_multiple_of(15) || minutes > 2880)
    {
        let message = "`snapshot_copy_duration_minutes` must be a multiple of 15, and 2880 at most";
        fields.findings.error(&node.span, message, None);
    }
    let regions: Vec<String> = fields.texts("ami_regions").into_iter().filter(|region| !region.is_empty()).collect();
    let kms_key_ids = fields.map("region_kms_key_ids", |member| fields.scalar(&member.key, &member.node));
    let own = fields.text("region");
    let is_known = |region: &String| {
        fields.is_open("ami_regions") || regions.contains(region) || own.as_ref().is_none_or(|own| own == region)
    };
    if let (Some(region), Some(node)) =
        (kms_key_ids.keys().find(|region| !is_known(region)), fields.find("region_kms_key_ids"))
    {
        let help = format!("add `{region}` to ami_regions, or remove its key");
        fields.findings.error(&node.span, format!("no copy goes to `{region}`, which has a key"), Some(help));
    }
    let is_without = |region: &&String| !kms_key_ids.is_empty() && !kms_key_ids.contains_key(*region);
    let without = regions.iter().find(is_without).filter(|_| !fields.is_open("ami_regions"));
    if let (Some(region), Some(node)) = (without, fields.find("region_kms_key_ids")) {
        let help = format!("add its key; `{region}: \"\"` is that region's default key");
        fields.findings.error(&node.span, format!("the copy in `{region}` has no key, and others have"), Some(help));
    }
    Copies { regions, kms_key_ids, duration_minutes }
}

pub(super) fn read(fields: &Fields<'_>) -> Lifetime {
    let protection = fields.objects("deregistration_protection", "deregistration_protection").into_iter().next();
    Lifetime {
        replaces: fields.boolean("force_deregister").unwrap_or(false),
        replaces_snapshots: fields.boolean("force_delete_snapshot").unwrap_or(false),
        deprecate_at: deprecate_at(fields),
        protection: protection.and_then(|fields| self::protection(&fields)),
    }
}

fn protection(fields: &Fields<'_>) -> Option<DeregistrationProtection> {
    options::check(fields, PROTECTION_OPTIONS);
    let with_cooldown = fields.boolean("with_cooldown").unwrap_or(false);
    fields.boolean("enabled").unwrap_or(false).then_some(DeregistrationProtection { with_cooldown })
}

fn deprecate_at(fields: &Fields<'_>) -> Option<Timestamp> {
    let text = fields.text("deprecate_at").filter(|_| !fields.is_open("deprecate_at"))?;
    let instant = text.parse();
    if let (Err(_), Some(node)) = (&instant, fields.find("deprecate_at")) {
        let help = "write it as 2027-01-31T12:00:00Z".to_owned();
        fields.findings.error(&node.span, format!("`deprecate_at` must be an instant, this is `{text}`"), Some(help));
    }
    instant.ok()
}
