//! Layer keys: when two provisioning runs must give the same result, so that one of them need not run.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

use crate::block::Digest;

mod difference;

pub use difference::Difference;

/// Names a layer by everything that went into it: two layers with the same key are interchangeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LayerKey(pub Digest);

impl LayerKey {
    /// Lower-case hex, 64 characters: the value of the tags `ovenbird:layer` and `ovenbird:key`.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.hex()
    }

    /// Reads the hex form; `None` unless it is 64 hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Digest::from_hex(text).map(Self)
    }

    /// The first twelve hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl fmt::Display for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a layer stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParentRef {
    /// The base image: the layer is the first of its bake.
    Base {
        /// The base's root snapshot, `snap-…`; shown to people, not part of the key's meaning beyond its text.
        snapshot: String,
        /// What identifies the content: the digest of its block map, or an image id where blocks may not be read.
        content: String,
    },
    /// Another layer.
    Layer(LayerKey),
}

/// Everything that a layer's result depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerInputs {
    /// What the play ran on top of.
    pub parent: ParentRef,
    /// Path (as the play names it) to content, of every file that the play can reach.
    pub files: BTreeMap<String, Digest>,
    /// The provisioner's options in canonical text; sensitive values as their digests.
    pub options: BTreeMap<String, String>,
    /// Tool to version, such as `ansible-core` to `2.14.18`.
    pub tools: BTreeMap<String, String>,
    /// `x86_64` or `arm64`, as the EC2 API writes it.
    pub architecture: String,
    /// State of the package archive: a digest over its `InRelease` files.
    pub archive: Digest,
}

impl LayerInputs {
    /// The layer's key. Every field is written with its name, its length and, for maps, its count, so that no two
    /// different inputs can give the same bytes.
    #[must_use]
    pub fn key(&self) -> LayerKey {
        let mut text = Canonical::new("ovenbird layer 1");
        match &self.parent {
            ParentRef::Base { snapshot, content } => {
                text.put(b"base").put(snapshot.as_bytes()).put(content.as_bytes());
            }
            ParentRef::Layer(key) => {
                text.put(b"layer").put(&key.0.0);
            }
        }
        text.put_map("files", self.files.iter().map(|(path, digest)| (path, digest.0.as_slice())));
        text.put_map("options", self.options.iter().map(|(name, value)| (name, value.as_bytes())));
        text.put_map("tools", self.tools.iter().map(|(name, version)| (name, version.as_bytes())));
        text.put(b"architecture").put(self.architecture.as_bytes());
        text.put(b"archive").put(&self.archive.0);
        text.key()
    }

    /// What `other` has changed compared to `self`, in the order of the fields; empty if and only if the keys are equal.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Vec<Difference> {
        difference::between(self, other)
    }
}

/// A hash over length-prefixed parts.
struct Canonical(Sha256);

impl Canonical {
    fn new(domain: &str) -> Self {
        let mut text = Self(Sha256::new());
        text.put(domain.as_bytes());
        text
    }

    fn put(&mut self, part: &[u8]) -> &mut Self {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    fn put_map<'a>(&mut self, name: &str, entries: impl ExactSizeIterator<Item = (&'a String, &'a [u8])>) {
        self.put(name.as_bytes()).put(&(entries.len() as u64).to_be_bytes());
        for (key, value) in entries {
            self.put(key.as_bytes()).put(value);
        }
    }

    fn key(self) -> LayerKey {
        LayerKey(Digest(self.0.finalize().into()))
    }
}

#[cfg(test)]
mod tests;
