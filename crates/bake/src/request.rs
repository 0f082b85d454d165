//! What is to be baked, and with what.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_template::AmazonEbs;
use ovenbird_template::Build;
use ovenbird_template::Builder;
use ovenbird_template::Recipe;

use crate::error::BakeError;
use crate::folder::Folders;
use crate::launch::Watch;
use crate::path::BakePath;

/// Everything that a plan is made from, besides AWS.
#[derive(Clone, Debug)]
pub struct Request {
    /// The service, for tags and the pointer.
    pub service: String,
    /// What the template asks for.
    pub recipe: Recipe,
    /// The one build of it.
    pub build: Build,
    /// The project's folder: where Packer would have been started, so playbooks' paths count from here.
    pub directory: PathBuf,
    /// Where this machine keeps disks, package archives and bakes.
    pub folders: Folders,
    /// The static `ovenbird-agent`, which the role `ovenbird.base.agent` puts into images.
    pub agent: PathBuf,
    /// The folder that holds `ansible_collections/ovenbird/base`.
    pub collections: PathBuf,
    /// The account of the credentials.
    pub account: String,
    /// The present: the image's `LastUsed` begins with it.
    pub now: Timestamp,
    /// The time of the day, which `now` may not be: how old caches are.
    pub wall: Timestamp,
    /// The way to bake, where the user wants a certain one.
    pub path: Option<BakePath>,
    /// What the template's random values come from: a bake that is resumed has the same.
    pub seed: u64,
    /// Run every layer, known or not.
    pub rebuild: bool,
    /// Results that are older than this are made anew.
    pub max_age: Option<SignedDuration>,
    /// Take the package lists that this machine has, however old they are: the bakes of one rebuild see one archive.
    pub keep_lists: bool,
    /// A failure takes nothing back, so that a person can look at it and resume.
    pub keep_on_failure: bool,
    /// Images that must not be replaced, with the pointer that names each.
    pub pointed: BTreeMap<String, String>,
    /// Is somebody there whom a breakpoint can ask?
    pub has_person: bool,
    /// What bakes of this process wait for together.
    pub watch: Arc<Watch>,
    /// The bake to go on with; see [`crate::find_resumable`].
    pub resume: Option<String>,
    /// Run Ansible's modules plainly, not by the fast path. No part of any key: the result is the same.
    pub plain_ansible: bool,
}

impl Request {
    /// The builder, if it is one that can be baked.
    ///
    /// # Errors
    /// [`BakeError::Unsupported`] with the way round.
    pub fn builder(&self) -> Result<&AmazonEbs, BakeError> {
        match &self.build.builder {
            Builder::AmazonEbs(builder) => Ok(&**builder),
            Builder::Unsupported(unsupported) => Err(BakeError::Unsupported(unsupported.to_string())),
        }
    }
}
