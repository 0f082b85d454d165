//! Elastic Compute Cloud, one file per resource.

mod block_devices;
mod create_image;
mod encryption_defaults;
mod filters;
mod fleets;
mod image_attributes;
mod image_lifecycle;
mod images;
mod instance_attributes;
mod instance_network_interfaces;
mod instance_power;
mod instance_status;
mod instance_types;
mod instances;
mod key_pairs;
mod launch_options;
mod launch_template_contents;
mod launch_templates;
mod regions;
mod run_instances;
mod security_group_rules;
mod security_groups;
mod snapshot_attributes;
mod snapshot_making;
mod snapshots;
mod tags;
mod volumes;
mod vpcs;

pub use block_devices::*;
pub use create_image::*;
pub use encryption_defaults::*;
pub use filters::*;
pub use fleets::*;
pub use image_attributes::*;
pub use image_lifecycle::*;
pub use images::*;
pub use instance_attributes::*;
pub use instance_network_interfaces::*;
pub use instance_power::*;
pub use instance_status::*;
pub use instance_types::*;
pub use instances::*;
pub use key_pairs::*;
pub use launch_options::*;
pub use launch_template_contents::*;
pub use launch_templates::*;
pub use regions::*;
pub use run_instances::*;
pub use security_group_rules::*;
pub use security_groups::*;
pub use snapshot_attributes::*;
pub use snapshot_making::*;
pub use snapshots::*;
pub use tags::*;
pub use volumes::*;
pub use vpcs::*;

use crate::wire::shape;

shape! {
    /// The answer of operations that have none; EC2 writes `<return>true</return>`.
    pub struct Nothing {
    }
}

impl Filter {
    /// The resources whose `name` has one of `values`.
    pub fn new<V: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { name: Some(name.into()), values: values.into_iter().map(Into::into).collect() }
    }

    /// The resources with this tag.
    #[must_use]
    pub fn tag(key: &str, value: &str) -> Self {
        Self::new(format!("tag:{key}"), [value])
    }
}

impl Tag {
    /// A tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: Some(key.into()), value: Some(value.into()) }
    }

    /// The value of `key` among `tags`.
    #[must_use]
    pub fn find<'a>(tags: &'a [Self], key: &str) -> Option<&'a str> {
        tags.iter().find(|tag| tag.key.as_deref() == Some(key)).and_then(|tag| tag.value.as_deref())
    }
}

impl TagSpecification {
    /// Tags that a resource of `resource_type` (`image`, `snapshot`, `instance`, `volume`) gets in its create call.
    #[must_use]
    pub fn new(resource_type: &str, tags: Vec<Tag>) -> Self {
        Self { resource_type: Some(resource_type.to_owned()), tags }
    }
}
