//! The builder `amazon-ebs`. (packer.md 1.4)

use std::collections::BTreeMap;

use crate::deferred::Deferred;

mod read;
pub(crate) mod table;

pub(crate) use read::read;

/// Type of the builder in templates.
pub(crate) const TYPE: &str = "amazon-ebs";

/// An EBS-backed image, made from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmazonEbs {
    /// The region; `None`: the AWS profile's.
    pub region: Option<String>,
    /// What to start from.
    pub source: SourceImage,
    /// Type of the instance where one is launched, and of the service's instances where the project names none.
    pub instance_type: Option<String>,
    /// The user to log in as where an instance is launched, and the one that plays become by default.
    pub ssh_username: Option<String>,
    /// Name of the image: 3 to 128 of the characters that AWS allows.
    pub ami_name: String,
    /// Description of the image.
    pub ami_description: Option<Deferred>,
    /// Tags of the image and its snapshots, without [`Self::run_tags`].
    pub tags: BTreeMap<String, Deferred>,
    /// Further tags of the snapshots; they win over `tags`.
    pub snapshot_tags: BTreeMap<String, Deferred>,
    /// Tags of what exists during the bake.
    pub run_tags: BTreeMap<String, Deferred>,
    /// Whether the image gets `tags` alone, and not `run_tags` too.
    pub skip_ami_run_tags: bool,
    /// The volumes during the bake; the root volume's size becomes the image's.
    pub launch_block_device_mappings: Vec<BlockDevice>,
    /// The volumes that the image asks for.
    pub ami_block_device_mappings: Vec<BlockDevice>,
}

impl AmazonEbs {
    /// The tags of the image: those of the template, over those of the bake unless it says otherwise.
    #[must_use]
    pub fn image_tags(&self) -> BTreeMap<String, Deferred> {
        let mut tags = if self.skip_ami_run_tags { BTreeMap::new() } else { self.run_tags.clone() };
        tags.extend(self.tags.clone());
        tags
    }

    /// The tags of the image's snapshots.
    #[must_use]
    pub fn image_snapshot_tags(&self) -> BTreeMap<String, Deferred> {
        let mut tags = self.image_tags();
        tags.extend(self.snapshot_tags.clone());
        tags
    }
}

/// What a bake starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceImage {
    /// This image.
    Id(String),
    /// The image that matches.
    Filter(SourceFilter),
}

/// A search for the source image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFilter {
    /// Filters of `DescribeImages`, by name; values may have the wildcards `*` and `?`.
    pub filters: Vec<(String, Vec<String>)>,
    /// Accounts, or the aliases `self`, `amazon`, `aws-marketplace`. Never empty.
    pub owners: Vec<String>,
    /// Whether the newest of several matches is meant; otherwise several are an error.
    pub most_recent: bool,
    /// Whether deprecated images count.
    pub include_deprecated: bool,
}

/// A volume of a block device mapping. What is `None` comes from the source image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockDevice {
    /// Such as `/dev/xvda`.
    pub device_name: String,
    /// Bytes; the template writes GiB.
    pub volume_size: Option<u64>,
    /// `gp3`, `io2`, …
    pub volume_type: Option<String>,
    /// Provisioned I/O operations per second.
    pub iops: Option<u64>,
    /// MiB per second, as the API counts.
    pub throughput: Option<u64>,
    /// Whether the volume is encrypted.
    pub encrypted: Option<bool>,
    /// The key.
    pub kms_key_id: Option<String>,
    /// Snapshot to fill it from.
    pub snapshot_id: Option<String>,
    /// Whether it goes with its instance. Packer's default is that it stays.
    pub delete_on_termination: Option<bool>,
    /// Whether the source's mapping of this device is dropped.
    pub no_device: bool,
    /// `ephemeral0`, …
    pub virtual_name: Option<String>,
}
