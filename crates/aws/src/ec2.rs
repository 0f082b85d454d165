//! Elastic Compute Cloud, one file per resource.

mod block_devices;
mod filters;
mod image_attributes;
mod images;
mod instances;
mod regions;
mod snapshots;
mod tags;
mod volumes;

pub use block_devices::*;
pub use filters::*;
pub use image_attributes::*;
pub use images::*;
pub use instances::*;
pub use regions::*;
pub use snapshots::*;
pub use tags::*;
pub use volumes::*;

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
