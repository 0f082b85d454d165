//! What the steps of a bake share: whom they work for, what they work with, and what they have so far.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ovenbird_aws::Client;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::manifest::Manifest;

use crate::ansible::Early;
use crate::copying::Copying;
use crate::disks::KeptDisk;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::folder::BakeFolder;
use crate::folder::drop_old_logs;
use crate::inspect::Inspecting;
use crate::inspect::Inspection;
use crate::journal::Journal;
use crate::launch::Launched;
use crate::layer::load_ansible;
use crate::plan::PlannedLayer;
use crate::request::Request;
use crate::step::Mishaps;
use crate::upload::Upload;
use crate::working_disk::WorkingDisk;

/// A bake under way. What a step leaves here is known to those after it; none of it needs to outlive the process, since `ensure` finds it
/// again.
pub(crate) struct Oven<'a> {
    pub(crate) client: &'a Client,
    pub(crate) request: &'a Request,
    pub(crate) folder: &'a BakeFolder,
    pub(crate) journal: Journal,
    /// Where the logs of provisioners go; they outlive the bake.
    pub(crate) logs: PathBuf,
    pub(crate) on_event: &'a mut dyn FnMut(Event),
    pub(crate) mishaps: &'a mut Mishaps<'a>,
    /// A failure leaves everything as it is, for a person to look at and to resume.
    pub(crate) keeps_failure: bool,
    /// Nothing stays that anybody must take back.
    pub(crate) is_clean: bool,
    /// Something could not be taken back.
    pub(crate) has_left: bool,

    /// Our own snapshot of the base.
    pub(crate) base_snapshot: Option<String>,
    /// The base's disk on this machine.
    pub(crate) base: Option<KeptDisk>,
    /// The disk that was copied to bake on: the base's, or that of a layer.
    pub(crate) below: Option<KeptDisk>,
    /// The disk that is baked on.
    pub(crate) disk: Option<WorkingDisk>,
    /// The copy of `below` that it will be.
    pub(crate) copying: Option<Copying>,
    /// Ansible, loaded for the play that comes next.
    pub(crate) early: Option<Early>,
    /// The layer that is on its way to AWS.
    pub(crate) upload: Option<Upload>,
    /// The snapshots of the layers that are kept.
    pub(crate) kept: BTreeMap<LayerKey, String>,
    /// What a launch has so far.
    pub(crate) launched: Launched,
    /// A look at the finished disk, under way.
    pub(crate) inspecting: Option<Inspecting>,
    /// What the finished disk holds.
    pub(crate) inspection: Option<Inspection>,
    /// `ami-…`
    pub(crate) image: Option<String>,
    /// Its copies, by region.
    pub(crate) copies: BTreeMap<String, String>,
    /// The image's identity.
    pub(crate) manifest: Option<Manifest>,
}

impl<'a> Oven<'a> {
    /// Opens the journal of the bake whose folder it is.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn open(
        client: &'a Client,
        request: &'a Request,
        folder: &'a BakeFolder,
        on_event: &'a mut dyn FnMut(Event),
        mishaps: &'a mut Mishaps<'a>,
    ) -> Result<Self, BakeError> {
        let logs = request.folders.logs().join(&folder.id);
        fs_err::create_dir_all(&logs).map_err(working("create the folder of the bake's log"))?;
        drop_old_logs(&request.folders).map_err(working("remove old logs"))?;
        Ok(Self {
            client,
            request,
            folder,
            journal: Journal::open(&folder.path)?,
            logs,
            on_event,
            mishaps,
            keeps_failure: request.keep_on_failure,
            is_clean: request.resume.is_none(),
            has_left: false,
            base_snapshot: None,
            base: None,
            below: None,
            disk: None,
            copying: None,
            early: None,
            upload: None,
            kept: BTreeMap::new(),
            launched: Launched::default(),
            inspecting: None,
            inspection: None,
            image: None,
            copies: BTreeMap::new(),
            manifest: None,
        })
    }

    /// The layer is run next.
    pub(crate) fn load_ansible_for(&mut self, layer: Option<&PlannedLayer>) {
        self.early = layer.and_then(|layer| load_ansible(layer, &self.logs, &self.request.folders, &self.folder.id));
    }

    pub(crate) fn tell(&mut self, event: Event) {
        (self.on_event)(event);
    }

    /// The image and its copies: region and id, the home region first.
    ///
    /// # Errors
    /// When there is no image yet.
    pub(crate) fn all_images(&self) -> Result<Vec<(String, String)>, BakeError> {
        let image = needed(self.image.clone(), "an image")?;
        let copies = self.copies.iter().map(|(region, image)| (region.clone(), image.clone()));
        Ok(std::iter::once((self.region(), image)).chain(copies).collect())
    }

    /// The region that is baked in.
    pub(crate) fn region(&self) -> String {
        self.client.region().unwrap_or_default().to_owned()
    }
}

/// What a step needs of one before it.
///
/// # Errors
/// When the list of steps lacks that one, which is a mistake of the list.
pub(crate) fn needed<T>(found: Option<T>, what: &str) -> Result<T, BakeError> {
    found.ok_or_else(|| working("go on with the bake")(format!("no step before has made {what}")))
}
