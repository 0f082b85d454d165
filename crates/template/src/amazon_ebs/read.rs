//! Reads the options of `amazon-ebs`.

use std::collections::BTreeMap;

use ovenbird_core::block::GIB;

use super::AmazonEbs;
use super::BlockDevice;
use super::SourceFilter;
use super::SourceImage;
use super::table::DEVICE_OPTIONS;
use super::table::FILTER_OPTIONS;
use super::table::OPTIONS;
use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::tree::Value;

/// Characters of an image's name besides letters and digits. (EC2 API reference, RegisterImage, Name)
const NAME_CHARACTERS: &str = "()[] ./-'@_";

/// Reads a builder. `None` when something that it cannot do without is missing or wrong; that has been reported.
pub(crate) fn read(fields: &Fields<'_>) -> Option<AmazonEbs> {
    options::check(fields, OPTIONS);
    check_communicator(fields);
    let source = source(fields);
    let ami_name = ami_name(fields);
    let ebs = AmazonEbs {
        region: fields.text("region"),
        source: SourceImage::Id(String::new()),
        instance_type: fields.text("instance_type"),
        ssh_username: fields.text("ssh_username"),
        ami_name: String::new(),
        ami_description: fields.deferred("ami_description"),
        tags: tags(fields, "tags", "tag"),
        snapshot_tags: tags(fields, "snapshot_tags", "snapshot_tag"),
        run_tags: tags(fields, "run_tags", "run_tag"),
        skip_ami_run_tags: fields.boolean("skip_ami_run_tags").unwrap_or(false),
        launch_block_device_mappings: devices(fields, "launch_block_device_mappings"),
        ami_block_device_mappings: devices(fields, "ami_block_device_mappings"),
    };
    Some(AmazonEbs { source: source?, ami_name: ami_name?, ..ebs })
}

fn check_communicator(fields: &Fields<'_>) {
    let Some(node) = fields.find("communicator") else { return };
    if fields.text("communicator").is_some_and(|name| name != "ssh") {
        let help = "Ovenbird bakes Linux images; remove it, or use `ssh`".to_owned();
        fields.findings.error(&node.span, "this communicator is not supported", Some(help));
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

fn source(fields: &Fields<'_>) -> Option<SourceImage> {
    let id = fields.find("source_ami").filter(|node| fields.asks_for(node));
    let filter = fields.find("source_ami_filter").filter(|node| fields.asks_for(node));
    match (id, filter) {
        (Some(_), Some(filter)) => {
            let help = "keep one of them".to_owned();
            fields.findings.error(&filter.span, "`source_ami` and `source_ami_filter` are both there", Some(help));
            None
        }
        (Some(_), None) => fields.text("source_ami").map(SourceImage::Id),
        (None, Some(_)) => {
            let filter = fields.objects("source_ami_filter", "source_ami_filter").into_iter().next()?;
            self::filter(&filter).map(SourceImage::Filter)
        }
        (None, None) => {
            fields.missing("source_ami_filter", "it says which image to start from; `source_ami` takes an id");
            None
        }
    }
}

fn filter(fields: &Fields<'_>) -> Option<SourceFilter> {
    options::check(fields, FILTER_OPTIONS);
    let values = |member: &crate::tree::Member| match &member.node.value {
        Value::Array(elements) => elements.iter().map(|element| fields.scalar(&member.key, element)).collect(),
        _ => fields.scalar(&member.key, &member.node).map(|value| vec![value]),
    };
    let mut filters: Vec<(String, Vec<String>)> = fields.map("filters", values).into_iter().collect();
    for pair in fields.objects("filter", "filter") {
        let (name, values) = (pair.required_text("name", "a filter of DescribeImages"), pair.texts("value"));
        filters.extend(name.map(|name| (name, values)));
    }
    let owners = fields.texts("owners");
    if owners.is_empty() {
        fields.missing(
            "owners",
            "anybody can publish an image with any name; name the account, such as \"136693071363\" for Debian",
        );
        return None;
    }
    Some(SourceFilter {
        filters,
        owners,
        most_recent: fields.boolean("most_recent").unwrap_or(false),
        include_deprecated: fields.boolean("include_deprecated").unwrap_or(false),
    })
}

/// `"tags": {…}`, with `"tag": [{"key": …, "value": …}]` over it.
fn tags(fields: &Fields<'_>, map: &str, list: &'static str) -> BTreeMap<String, Deferred> {
    let mut tags = fields.deferred_map(map);
    for pair in fields.objects(list, list) {
        let key = pair.required_text("key", "the tag's key");
        tags.extend(key.map(|key| (key, pair.deferred("value").unwrap_or_else(|| Deferred::literal("")))));
    }
    tags
}

fn devices(fields: &Fields<'_>, name: &'static str) -> Vec<BlockDevice> {
    fields.objects(name, name).iter().filter_map(device).collect()
}

fn device(fields: &Fields<'_>) -> Option<BlockDevice> {
    options::check(fields, DEVICE_OPTIONS);
    let volume_size = fields.count("volume_size").filter(|size| *size > 0);
    let bytes = volume_size.and_then(|size| size.checked_mul(GIB));
    if let (Some(size), None, Some(node)) = (volume_size, bytes, fields.find("volume_size")) {
        fields.findings.error(&node.span, format!("`volume_size` is in GiB, and {size} of them are too many"), None);
    }
    Some(BlockDevice {
        device_name: fields.required_text("device_name", "such as /dev/xvda")?,
        volume_size: bytes,
        volume_type: fields.text("volume_type"),
        iops: fields.count("iops").filter(|iops| *iops > 0),
        throughput: fields.count("throughput").filter(|throughput| *throughput > 0),
        encrypted: fields.boolean("encrypted"),
        kms_key_id: fields.text("kms_key_id"),
        snapshot_id: fields.text("snapshot_id"),
        delete_on_termination: fields.boolean("delete_on_termination"),
        no_device: fields.boolean("no_device").unwrap_or(false),
        virtual_name: fields.text("virtual_name"),
    })
}
