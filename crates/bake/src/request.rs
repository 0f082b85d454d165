//! What is to be baked, and with what.

use std::path::PathBuf;

use jiff::Timestamp;
use ovenbird_template::AmazonEbs;
use ovenbird_template::Ansible;
use ovenbird_template::Build;
use ovenbird_template::Builder;
use ovenbird_template::Provisioner;
use ovenbird_template::ProvisionerKind;
use ovenbird_template::Recipe;

use crate::error::BakeError;
use crate::folder::Folders;

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
    /// Run every layer, known or not.
    pub rebuild: bool,
}

impl Request {
    /// The builder, if it is one that can be baked.
    ///
    /// # Errors
    /// [`BakeError::Unsupported`] with the way round.
    pub fn builder(&self) -> Result<&AmazonEbs, BakeError> {
        match &self.build.builder {
            Builder::AmazonEbs(builder) => Ok(builder),
            Builder::Unsupported(unsupported) => Err(BakeError::Unsupported(unsupported.to_string())),
        }
    }

    /// The provisioners in order, if all of them can be run.
    ///
    /// # Errors
    /// [`BakeError::Unsupported`] with the way round.
    pub fn provisioners(&self) -> Result<Vec<(&Provisioner, &Ansible)>, BakeError> {
        let kind = |provisioner: &'_ Provisioner| match &provisioner.kind {
            ProvisionerKind::Ansible(_) => Ok(()),
            ProvisionerKind::Unsupported(unsupported) => Err(BakeError::Unsupported(unsupported.to_string())),
        };
        self.build.provisioners.iter().try_for_each(kind)?;
        let provisioners = self.build.provisioners.iter().filter_map(|provisioner| match &provisioner.kind {
            ProvisionerKind::Ansible(ansible) => Some((provisioner, &**ansible)),
            ProvisionerKind::Unsupported(_) => None,
        });
        Ok(provisioners.collect())
    }
}
