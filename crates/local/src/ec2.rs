//! The EC2 API, one file per resource, or per operation where it has much to decide.

pub(crate) mod attachments;
pub(crate) mod copy_image;
pub(crate) mod create_image;
pub(crate) mod create_snapshot;
pub(crate) mod deregister_image;
pub(crate) mod describe_image_attribute;
pub(crate) mod describe_images;
pub(crate) mod describe_instances;
mod devices;
pub(crate) mod encryption;
mod filters;
pub(crate) mod fleets;
pub(crate) mod image_lifecycle;
pub(crate) mod instance_attributes;
pub(crate) mod instance_power;
pub(crate) mod instance_status;
pub(crate) mod instance_types;
pub(crate) mod instances;
pub(crate) mod key_pairs;
pub(crate) mod launch_templates;
pub(crate) mod modify_image;
mod paging;
pub(crate) mod regions;
pub(crate) mod register_image;
mod resources;
pub(crate) mod run_instances;
pub(crate) mod security_group_rules;
pub(crate) mod security_groups;
pub(crate) mod snapshot_attributes;
pub(crate) mod snapshots;
pub(crate) mod tags;
#[cfg(test)]
mod tests;
pub(crate) mod volumes;
pub(crate) mod vpcs;
