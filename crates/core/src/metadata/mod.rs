//! An instance's metadata: the JSON that its launcher passes as user data, and the schema that its image was baked with.
//!
//! User data is data, never code. What does not fit is refused with one sentence that a person understands; what fits is handed on
//! only in the canonical form that is written here, so no other program ever reads what a stranger wrote (reference boot.md, section 6).

mod fault;
mod json;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub use fault::Looks;
pub use fault::MetadataError;
pub use schema::Filesystem;
pub use schema::Kind;
pub use schema::Parameter;
pub use schema::Schema;
pub use schema::SchemaError;
pub use schema::VolumeUse;

/// The most user data in bytes, before base64 (EC2 User Guide, "user data is limited to 16 KB").
pub const MAX_BYTES: usize = 16_384;

/// What an instance was told about itself, checked against the [`Schema`] of its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// One of the image's environments.
    pub environment: String,
    /// The keys that the image declares; every one is there.
    pub keys: BTreeMap<String, Value>,
    /// Optional values and feature flags of this instance.
    pub extra: BTreeMap<String, Value>,
}

impl Metadata {
    /// Compact JSON with sorted keys, in the shape of the user data. The same metadata always gives the same bytes.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        compose(&self.environment, &self.keys, &self.extra)
    }

    /// The id of the volume that a declared key or extra key names; `None` if this instance was given none.
    #[must_use]
    pub fn volume_id(&self, name: &str) -> Option<&str> {
        self.keys.get(name).or_else(|| self.extra.get(name))?.as_str()
    }
}

/// Reads user data under the image's schema.
///
/// # Errors
/// Every fault is one sentence for a person, without any value from the user data except short plain names.
pub fn parse(bytes: &[u8], schema: &Schema) -> Result<Metadata, MetadataError> {
    schema.fit(json::read_object(bytes)?)
}

/// User data for a launch: canonical JSON with `environment` and the declared keys at the top and the rest under `extra`.
#[must_use]
pub fn compose(environment: &str, keys: &BTreeMap<String, Value>, extra: &BTreeMap<String, Value>) -> Vec<u8> {
    let mut whole = keys.clone();
    whole.insert("environment".to_owned(), Value::from(environment));
    if !extra.is_empty() {
        whole.insert("extra".to_owned(), json::object(extra.clone()));
    }
    json::sorted(json::object(whole)).to_string().into_bytes()
}

/// Whether bytes may be passed as user data at all. Stricter than [`parse`] where other readers on the instance are laxer.
///
/// # Errors
/// Besides what any schema would refuse: what cloud-init takes for something else (boot.md 1.4: anything but `{` first, and
/// `mime-version:` in the first 4 KiB), and names that smell of secrets, since every process on the instance can read user data.
pub fn check_for_launch(bytes: &[u8]) -> Result<(), MetadataError> {
    let whole = json::read_object(bytes)?;
    if bytes.first() != Some(&b'{') {
        return Err(MetadataError::FirstByte);
    }
    let head = &bytes[..bytes.len().min(4096)];
    if head.to_ascii_lowercase().windows(13).any(|window| window == b"mime-version:") {
        return Err(MetadataError::LooksLikeMime);
    }
    match json::find_name(&whole, &smells_of_secret) {
        Some(name) => Err(MetadataError::Secret { name }),
        None => Ok(()),
    }
}

/// Whether `text` is the id of an EBS volume: `vol-` and 8 or 17 lower-case hex digits.
#[must_use]
pub fn is_volume_id(text: &str) -> bool {
    text.strip_prefix("vol-").is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Names of keys, services' parameters and so on: `[a-z][a-z0-9_]{0,63}`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn smells_of_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "secret", "token", "private_key"].iter().any(|smell| name.contains(smell))
}
