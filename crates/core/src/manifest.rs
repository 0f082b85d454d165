//! The manifest: what an image is, wherever its blocks are.
//!
//! Blocks are transport and ids differ from region to region; the manifest says what was put in and what came out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::block::Digest;
use crate::layer::LayerInputs;
use crate::layer::LayerKey;

/// The version of the format that this build writes.
pub const VERSION: u32 = 1;

/// An image's identity card, stored beside it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format, [`VERSION`].
    pub version: u32,
    /// The service that the image is for.
    pub service: String,
    /// The image's name, as in `DescribeImages`.
    pub name: String,
    /// The instant of the bake.
    pub created: Timestamp,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// What the bake started from.
    pub base: Base,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// Digest of the file tree: two images with the same one hold the same files.
    pub tree: Digest,
    /// Package to version, of every package of the distribution that is installed.
    pub packages: BTreeMap<String, String>,
    /// The volume.
    pub blocks: Blocks,
    /// Region to the image's ids there.
    pub regions: BTreeMap<String, RegionalImage>,
}

/// The base image of a bake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// `ami-…`.
    pub image: String,
    /// Its root snapshot, `snap-…`.
    pub snapshot: String,
    /// Its name when it was resolved.
    pub name: String,
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The layer's key; always the key of `inputs`.
    pub key: LayerKey,
    /// Everything that the key was made from.
    pub inputs: LayerInputs,
    /// The provisioner as people know it, such as `ansible common.yml`.
    pub provisioner: String,
    /// The snapshot that holds the volume after this layer; `None` when it was not kept.
    pub snapshot: Option<String>,
}

/// The size of an image's volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// Blocks of 512 KiB that are not all zeros.
    pub count: u64,
    /// Size of the volume in bytes.
    pub volume_size: u64,
}

/// The ids of an image in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionalImage {
    /// `ami-…`.
    pub image: String,
    /// Its root snapshot, `snap-…`.
    pub snapshot: String,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is not the JSON of a manifest.
    #[error("the manifest is damaged; bake the image again to get a new one")]
    Damaged(#[source] serde_json::Error),
    /// A newer Ovenbird wrote it.
    #[error("the manifest has version {0}, this Ovenbird reads up to {VERSION}; use the Ovenbird that baked the image")]
    TooNew(u32),
    /// A layer's key is not the key of its inputs.
    #[error(
        "layer `{0}` of the manifest does not match its own inputs: the manifest was edited or damaged; bake the image again"
    )]
    Forged(String),
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// When the text is no manifest, is of a newer version, or a layer's key is not that of its inputs.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(text).map_err(ManifestError::Damaged)?;
        if version > VERSION {
            return Err(ManifestError::TooNew(version));
        }
        let manifest: Self = serde_json::from_str(text).map_err(ManifestError::Damaged)?;
        match manifest.layers.iter().find(|layer| layer.inputs.key() != layer.key) {
            Some(layer) => Err(ManifestError::Forged(layer.provisioner.clone())),
            None => Ok(manifest),
        }
    }

    /// The manifest as JSON that people can read, with a final newline.
    ///
    /// # Errors
    /// Never for data of these types; the writer's signature allows for it.
    pub fn to_json(&self) -> Result<String, ManifestError> {
        let mut text = serde_json::to_string_pretty(self).map_err(ManifestError::Damaged)?;
        text.push('\n');
        Ok(text)
    }

    /// The key of the uppermost layer: the tag `ovenbird:key`. `None` for an image without provisioners.
    #[must_use]
    pub fn key(&self) -> Option<LayerKey> {
        self.layers.last().map(|layer| layer.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::ParentRef;

    fn manifest() -> Manifest {
        let inputs = LayerInputs {
            parent: ParentRef::Base { snapshot: "snap-1".to_owned(), content: "map".to_owned() },
            files: [("common.yml".to_owned(), Digest::of(b"---"))].into(),
            options: BTreeMap::new(),
            tools: BTreeMap::new(),
            architecture: "x86_64".to_owned(),
            archive: Digest::of(b""),
        };
        let layer = Layer { key: inputs.key(), inputs, provisioner: "ansible common.yml".to_owned(), snapshot: None };
        Manifest {
            version: VERSION,
            service: "web".to_owned(),
            name: "web 1".to_owned(),
            created: Timestamp::UNIX_EPOCH,
            architecture: "x86_64".to_owned(),
            base: Base { image: "ami-1".to_owned(), snapshot: "snap-1".to_owned(), name: "debian".to_owned() },
            layers: vec![layer],
            tree: Digest::of(b"tree"),
            packages: [("nginx".to_owned(), "1.22".to_owned())].into(),
            blocks: Blocks { count: 3, volume_size: 8 << 30 },
            regions: BTreeMap::new(),
        }
    }

    #[test]
    fn is_read_back() {
        let text = manifest().to_json().expect("plain data");
        assert_eq!(Manifest::from_json(&text).expect("own writing"), manifest());
    }

    #[test]
    fn refuses_a_newer_version_before_it_looks_at_the_rest() {
        let error = Manifest::from_json(r#"{"version": 2, "surprise": true}"#).expect_err("newer");
        assert!(matches!(error, ManifestError::TooNew(2)), "{error}");
    }

    #[test]
    fn refuses_a_layer_that_does_not_match_its_inputs() {
        let mut forged = manifest();
        forged.layers[0].inputs.architecture = "arm64".to_owned();
        let error = Manifest::from_json(&forged.to_json().expect("plain data")).expect_err("forged");
        assert!(matches!(error, ManifestError::Forged(_)), "{error}");
    }

    #[test]
    fn refuses_other_json() {
        for text in ["", "[]", "{}", r#"{"version": 1}"#, r#"{"version": -1}"#] {
            assert!(matches!(Manifest::from_json(text), Err(ManifestError::Damaged(_))), "{text}");
        }
    }
}
