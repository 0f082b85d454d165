//! What an image holds, as far as people compare images: files, packages, units, users and groups.
//!
//! Every part is a map from a name to what counts of it, so that comparing two images is comparing maps ([`crate::diff`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::block::Digest;

mod class;
mod units;

pub use class::Class;
pub use class::class;
pub use units::units;

/// The version of the format that this build writes.
pub const VERSION: u32 = 1;

/// What an image holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Version of this format, [`VERSION`].
    pub version: u32,
    /// `ID`, `VERSION_ID` and `PRETTY_NAME` of os-release(5).
    pub release: BTreeMap<String, String>,
    /// Installed packages by name (`name:architecture` where it is not the image's own).
    pub packages: BTreeMap<String, Package>,
    /// Units of systemd that are started by themselves, or that nothing can start.
    pub units: BTreeMap<String, UnitState>,
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Files by absolute path. A byte that is not UTF-8 is written `\xff`, a backslash `\\`.
    pub files: BTreeMap<String, File>,
}

/// An entry of the tree, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What is on the disk.
    #[serde(flatten)]
    pub entry: Entry,
    /// The package that brought it; `None`: the bake or the base made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}

/// What counts of an entry of a file tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permission bits with set-id and sticky.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes, of a plain file.
    pub size: u64,
    /// SHA-256 of a plain file's content, of a link's target, of a device's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
    /// Digest of the extended attributes, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Digest>,
}

/// Types of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are stat(2)'s")]
pub enum Kind {
    File,
    Folder,
    Link,
    CharacterDevice,
    BlockDevice,
    Pipe,
    Socket,
}

/// An installed package of the distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its version, as the distribution writes it.
    pub version: String,
    /// Such as `amd64` or `all`.
    pub architecture: String,
    /// The source package, where it has another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who looks after it, `Name <address>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintainer: Option<String>,
}

/// Whether systemd starts a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    /// A target or another unit pulls it in.
    Enabled,
    /// It is a link to /dev/null: nothing can start it.
    Masked,
}

/// A line of passwd(5), without its password field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Number.
    pub uid: u32,
    /// Number of the first group.
    pub gid: u32,
    /// Home folder.
    pub home: String,
    /// Shell.
    pub shell: String,
}

/// A line of group(5), without its password field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Number.
    pub gid: u32,
    /// Members by name, sorted.
    pub members: Vec<String>,
}

impl Contents {
    /// Bytes of all plain files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.values().map(|file| file.entry.size).sum()
    }

    /// Version by package.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.packages.iter().map(|(name, package)| (name.clone(), package.version.clone())).collect()
    }
}
