//! Which of the two ways a bake takes.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::error::BakeError;
use crate::source::Source;

/// How the provisioners meet the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BakePath {
    /// On this machine, over the base's blocks: no instance, and every provisioner a layer that is kept.
    Direct,
    /// On an instance that is launched for it, as Packer does.
    Launch,
}

impl fmt::Display for BakePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::Launch => "launch",
        })
    }
}

/// The way that is taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathChoice {
    /// The way.
    pub path: BakePath,
    /// Why, a half sentence.
    pub why: String,
}

/// Chooses the way for a bake from `source`; `asked` is what the user wants.
///
/// # Errors
/// [`BakeError::Unsupported`] where what is asked for cannot be.
pub(crate) fn choose_path(asked: Option<BakePath>, source: &Source) -> Result<PathChoice, BakeError> {
    let choice = |path, why: String| Ok(PathChoice { path, why });
    // RegisterImage takes billing codes from nowhere, so an image that carries them would lose them (offline.md 1.6).
    let billed = source.billing.as_ref().map(|code| format!("the source image carries the {code}"));
    match (asked, billed) {
        (Some(BakePath::Launch), _) => choice(BakePath::Launch, "it was asked for".to_owned()),
        (None, Some(billed)) => choice(BakePath::Launch, format!("{billed}, which a direct bake would lose")),
        (Some(BakePath::Direct), Some(billed)) => Err(BakeError::Unsupported(format!(
            "{billed}, which a direct bake of {} would lose; bake it on an instance: `--launch`",
            source.image
        ))),
        (Some(BakePath::Direct), None) => choice(BakePath::Direct, "it was asked for".to_owned()),
        (None, None) => choice(BakePath::Direct, "the base's blocks may be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(billing: Option<&str>) -> Source {
        Source {
            image: "ami-1".to_owned(),
            name: String::new(),
            owner: String::new(),
            owner_alias: None,
            architecture: String::new(),
            created: String::new(),
            boot_mode: None,
            root_device: String::new(),
            snapshot: String::new(),
            size: 1,
            tags: Vec::new(),
            billing: billing.map(str::to_owned),
            is_encrypted: false,
            copy_key: None,
        }
    }

    #[test]
    fn billing_codes_are_never_lost() {
        let chosen = |asked, billing| choose_path(asked, &source(billing)).ok().map(|choice| choice.path);
        assert_eq!(chosen(None, None), Some(BakePath::Direct));
        assert_eq!(chosen(None, Some("RunInstances:0010")), Some(BakePath::Launch));
        assert_eq!(chosen(Some(BakePath::Direct), Some("RunInstances:0010")), None);
        assert_eq!(chosen(Some(BakePath::Direct), None), Some(BakePath::Direct));
        assert_eq!(chosen(Some(BakePath::Launch), None), Some(BakePath::Launch));
    }
}
