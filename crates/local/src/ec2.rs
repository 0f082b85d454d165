//! The EC2 API, one file per resource, or per operation where it has much to decide.

pub(crate) mod attachments;
pub(crate) mod copy_image;
pub(crate) mod deregister_image;
pub(crate) mod describe_image_attribute;
pub(crate) mod describe_images;
pub(crate) mod describe_instances;
mod devices;
mod filters;
pub(crate) mod instances;
pub(crate) mod modify_image;
mod paging;
pub(crate) mod regions;
pub(crate) mod register_image;
mod resources;
pub(crate) mod run_instances;
pub(crate) mod snapshots;
pub(crate) mod tags;
#[cfg(test)]
mod tests;
pub(crate) mod volumes;
