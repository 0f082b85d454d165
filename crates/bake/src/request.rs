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
    /// A failure takes nothing back, so that a person can look at it and resume.
    pub keep_on_failure: bool,
    /// The bake to go on with; see [`crate::find_resumable`].
    pub resume: Option<String>,
}

impl Request {
    /// The builder, if it is one that can be baked.
    ///
    /// # Errors
    /// [`BakeError::Unsupported`] with the way round.
    pub fn builder(&self) -> Result<&AmazonEbs, BakeError> {
        match &self.build.builder {
            Builder::AmazonEbs(builder) => refuse_unfinished(builder).map(|()| &**builder),
            Builder::Unsupported(unsupported) => Err(BakeError::Unsupported(unsupported.to_string())),
        }
    }

    /// The provisioners in order, if all of them can be run.
    ///
    /// # Errors
    /// [`BakeError::Unsupported`] with the way round.
    pub fn provisioners(&self) -> Result<Vec<(&Provisioner, &Ansible)>, BakeError> {
        match &self.build.error_cleanup {
            Some(cleanup) => Err(unfinished(cleanup)),
            None => self.build.provisioners.iter().map(find_play).collect(),
        }
    }
}

fn find_play(provisioner: &Provisioner) -> Result<(&Provisioner, &Ansible), BakeError> {
    match &provisioner.kind {
        ProvisionerKind::Ansible(ansible) => Ok((provisioner, ansible)),
        ProvisionerKind::Unsupported(unsupported) => Err(BakeError::Unsupported(unsupported.to_string())),
        ProvisionerKind::AnsibleLocal(_)
        | ProvisionerKind::Shell(_)
        | ProvisionerKind::File(_)
        | ProvisionerKind::ShellLocal(_)
        | ProvisionerKind::Breakpoint(_)
        | ProvisionerKind::Sleep(_) => Err(unfinished(provisioner)),
    }
}

/// What a template may have and a bake cannot run yet.
fn unfinished(provisioner: &Provisioner) -> BakeError {
    BakeError::Unsupported(format!(
        "{}: `{}` cannot be baked yet; make it a task of a playbook",
        provisioner.place, provisioner.kind
    ))
}

/// Options that a template may have and a bake does not do yet: never ignored in silence.
fn refuse_unfinished(builder: &AmazonEbs) -> Result<(), BakeError> {
    let asked = [
        ("ami_users, ami_groups, …", !builder.sharing.is_private()),
        ("ami_regions", !builder.copies.regions.is_empty()),
        ("encrypt_boot", builder.encrypt_boot == Some(true)),
        ("force_deregister", builder.lifetime.replaces),
        ("deprecate_at", builder.lifetime.deprecate_at.is_some()),
        ("deregistration_protection", builder.lifetime.protection.is_some()),
        ("skip_create_ami", builder.skip_create_ami),
    ];
    match asked.iter().find(|(_, is_asked)| *is_asked) {
        Some((option, _)) => {
            Err(BakeError::Unsupported(format!("`{option}` of amazon-ebs cannot be baked yet; remove it")))
        }
        None => Ok(()),
    }
}
