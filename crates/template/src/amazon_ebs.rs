//! The builder `amazon-ebs`. (packer.md 1.4)

use std::collections::BTreeMap;

use crate::deferred::Deferred;

pub(crate) mod chroot;
mod device;
mod launch;
mod lifetime;
mod network;
mod read;
mod sharing;
mod source;
mod spot;
mod ssh;
pub(crate) mod table;

pub use device::BlockDevice;
pub use device::takes_iops;
pub use device::takes_throughput;
pub use launch::CapacityReservation;
pub use launch::Launch;
pub use launch::MetadataOptions;
pub use launch::Placement;
pub use launch::UserData;
pub use lifetime::Copies;
pub use lifetime::DeregistrationProtection;
pub use lifetime::Lifetime;
pub use network::Network;
pub use network::SecurityGroups;
pub use network::Subnet;
pub use network::SubnetSearch;
pub use network::Vpc;
pub(crate) use read::read;
pub use sharing::Sharing;
pub use source::Filters;
pub use source::SourceFilter;
pub use source::SourceImage;
pub(crate) use source::search;
pub use spot::Spot;
pub use spot::SpotPrice;
pub use ssh::Bastion;
pub use ssh::Interface;
pub use ssh::Key;
pub use ssh::Ssh;

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
    /// How to log in where an instance is launched.
    pub ssh: Ssh,
    /// Where an instance is launched.
    pub network: Network,
    /// What a launched instance is like.
    pub launch: Launch,
    /// Launch on the spot market; `None`: on demand.
    pub spot: Option<Spot>,
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
    /// Whether the image is encrypted: `encrypt_boot`; `None`: as its source image or the account says.
    pub encrypt_boot: Option<bool>,
    /// The key in the bake's region; `None`: the account's default key.
    pub kms_key_id: Option<String>,
    /// Further regions that the image is copied to.
    pub copies: Copies,
    /// Who may use the image.
    pub sharing: Sharing,
    /// What becomes of the image of the same name before, and of this one in the end.
    pub lifetime: Lifetime,
    /// `v2.0`: instances of the image need IMDSv2. Ovenbird's images always do.
    pub imds_support: Option<String>,
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
