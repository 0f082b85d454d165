//! Reads the options of `amazon-ebs`.

use std::collections::BTreeMap;

use super::AmazonEbs;
use super::SourceImage;
use super::device;
use super::launch;
use super::lifetime;
use super::network;
use super::sharing;
use super::source;
use super::spot;
use super::ssh;
use super::table;
use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// Characters of an image's name besides letters and digits. (EC2 API reference, RegisterImage, Name)
const NAME_CHARACTERS: &str = "()[] ./-'@_";

/// Reads a builder. `None` when something that it cannot do without is missing or wrong; that has been reported.
pub(crate) fn read(fields: &Fields<'_>) -> Option<AmazonEbs> {
    read_with(fields, &table::options())
}

/// Reads a builder whose options `table` lists.
pub(super) fn read_with(fields: &Fields<'_>, table: &[Row]) -> Option<AmazonEbs> {
    options::check(fields, table);
    check_communicator(fields);
    let source = source::read(fields);
    let ami_name = ami_name(fields);
    let ebs = AmazonEbs {
        region: fields.text("region"),
        source: SourceImage::Id(String::new()),
        instance_type: fields.text("instance_type"),
        ssh: ssh::read(fields),
        network: network::read(fields),
        launch: launch::read(fields),
        spot: spot::read(fields),
        ami_name: String::new(),
        ami_description: fields.deferred("ami_description"),
        tags: tags(fields, "tags", "tag"),
        snapshot_tags: tags(fields, "snapshot_tags", "snapshot_tag"),
        run_tags: tags(fields, "run_tags", "run_tag"),
        skip_ami_run_tags: fields.boolean("skip_ami_run_tags").unwrap_or(false),
        launch_block_device_mappings: device::read(fields, "launch_block_device_mappings"),
        ami_block_device_mappings: device::read(fields, "ami_block_device_mappings"),
        encrypt_boot: fields.boolean("encrypt_boot"),
        kms_key_id: kms_key_id(fields),
        copies: lifetime::copies(fields),
        sharing: sharing::read(fields),
        lifetime: lifetime::read(fields),
        imds_support: fields.one_of("imds_support", &["v2.0"]),
    };
    Some(AmazonEbs { source: source?, ami_name: ami_name?, ..ebs })
}

/// A key alone encrypts nothing, as in Packer.
fn kms_key_id(fields: &Fields<'_>) -> Option<String> {
    let key = fields.text("kms_key_id")?;
    if fields.boolean("encrypt_boot") == Some(true) {
        return Some(key);
    }
    if let Some(node) = fields.find("kms_key_id") {
        fields.findings.note(&node.span, "kms_key_id", "nothing is encrypted with it unless `encrypt_boot` is true");
    }
    None
}

fn check_communicator(fields: &Fields<'_>) {
    let Some(node) = fields.find("communicator") else { return };
    if let Some(name) = fields.text("communicator").filter(|name| name != "ssh" && !fields.is_open("communicator")) {
        let help = "Ovenbird bakes Linux images; remove it, or use `ssh`".to_owned();
        fields.findings.error(&node.span, format!("the communicator `{name}` is not supported"), Some(help));
    }
}

fn ami_name(fields: &Fields<'_>) -> Option<String> {
    let name = fields.required_text("ami_name", "such as \"web {{isotime \\\"2006-01-02 1504\\\"}}\"")?;
    let node = fields.find("ami_name")?;
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || NAME_CHARACTERS.contains(char);
    if let Some(bad) = name.chars().find(|char| !is_allowed(*char)) {
        let message = format!("`ami_name` gives `{name}`, but AWS does not allow `{bad}` in the name of an image");
        let help =
            format!("letters, digits and {NAME_CHARACTERS} are allowed; clean_resource_name replaces the others");
        fields.findings.error(&node.span, message, Some(help));
        return None;
    }
    if !(3..=128).contains(&name.len()) {
        let message = format!("`ami_name` gives `{name}`, which has {} characters; AWS allows 3 to 128", name.len());
        fields.findings.error(&node.span, message, None);
        return None;
    }
    Some(name)
}

/// `"tags": {…}`, with `"tag": [{"key": …, "value": …}]` over it.
pub(super) fn tags(fields: &Fields<'_>, map: &str, list: &'static str) -> BTreeMap<String, Deferred> {
    let mut tags = fields.deferred_map(map);
    for pair in fields.objects(list, list) {
        options::check(&pair, &[(&["key", "value"], Honoured)]);
        let key = pair.required_text("key", "the tag's key");
        tags.extend(key.map(|key| (key, pair.deferred("value").unwrap_or_else(|| Deferred::literal("")))));
    }
    tags
}
