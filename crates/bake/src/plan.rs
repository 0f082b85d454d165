//! The plan: what a bake would do, layer by layer, and why. Data; only a plan can be baked.

mod age;
mod draft;
mod galaxy;
mod inputs;
mod known;
mod layers;
mod lookup;

use std::path::PathBuf;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_core::block::Digest;
use ovenbird_core::layer::LayerInputs;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::layer::ParentRef;
use ovenbird_template::SourceAmi;
use serde::Serialize;

use crate::archive;
use crate::error::BakeError;
use crate::error::working;
use crate::path::BakePath;
use crate::path::PathChoice;
use crate::path::choose_path;
use crate::provision::Run;
use crate::request::Request;
use crate::sandbox::PackageCache;
use crate::sandbox::Tmp;
use crate::source::Source;

pub(crate) use inputs::user_data;
pub(crate) use known::remember;

/// What a bake will do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The image that it starts from.
    pub source: Source,
    /// How it gets there.
    pub path: PathChoice,
    /// The name that a new image gets.
    pub image_name: String,
    /// The layers, in order.
    pub layers: Vec<PlannedLayer>,
    /// What is run when one of them failed.
    pub error_cleanup: Option<Run>,
    /// What identifies the image: its last layer, and how it is registered.
    pub image_key: LayerKey,
    /// An image with this key, if the account has one.
    pub existing: Option<ExistingImage>,
    /// Seconds since 1970 that follow from the inputs: times in the image are clamped to it.
    pub epoch: i64,
}

/// A layer, and whether it must run.
#[derive(Clone, Debug)]
pub struct PlannedLayer {
    /// Such as `ansible web/web.yml`.
    pub title: String,
    /// What will be run, in order. One of them changes the image; it is the layer's name.
    pub runs: Vec<Run>,
    /// What becomes of `/tmp`.
    pub tmp: Tmp,
    /// Everything that decides the result.
    pub inputs: LayerInputs,
    /// The digest of the inputs.
    pub key: LayerKey,
    /// What becomes of it.
    pub fate: Fate,
}

/// Whether a layer must run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "fate")]
pub enum Fate {
    /// Its result is there.
    Reused {
        /// The snapshot that holds it.
        snapshot: String,
    },
    /// It must run.
    Run {
        /// Why: what changed since the nearest known one, or that none is known.
        why: Vec<String>,
    },
}

/// An image that is what the plan would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExistingImage {
    /// `ami-…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// The snapshot behind its root.
    pub snapshot: String,
    /// When it was made.
    pub made: Option<Timestamp>,
}

impl Plan {
    /// Plans a bake from `source`. Looks at files, at the state of the package archive that was fetched last, and at AWS;
    /// changes nothing.
    ///
    /// # Errors
    /// What the template asks for and cannot be had, unreadable inputs, AWS's refusals.
    pub async fn make(client: &Client, request: &Request, source: Source) -> Result<Self, BakeError> {
        let builder = request.builder()?;
        if let Some(unsupported) = request.recipe.unsupported_in(&request.build).first() {
            return Err(BakeError::Unsupported(unsupported.to_string()));
        }
        let path = choose_path(request.path, &source)?;
        let lists = package_cache(request, &source).lists;
        let doing = "read the state of the package archive";
        let (archive_state, epoch) = match path.path {
            BakePath::Direct => {
                let newest = archive::newest(&lists).map_err(working(doing))?;
                (archive::state(&lists).map_err(working(doing))?, newest.unwrap_or_default())
            }
            // The instance reads the archive itself, after the plan: nothing is known of it yet.
            BakePath::Launch => (Digest([0; 32]), 0),
        };
        let mut ami = describe_source(&source, client.region().unwrap_or_default());
        if path.path == BakePath::Launch {
            // Every bake has another instance: in a key its values' names stand for them.
            ami.instance.extend(INSTANCE_VALUES.map(|name| (name.to_owned(), format!("{{{name}}}"))));
        }
        let layers = layers::plan(request, &source, &ami, archive_state)?;
        let error_cleanup = request.build.error_cleanup.as_ref();
        let error_cleanup = error_cleanup.map(|cleanup| draft::draft(request, cleanup, &ami)).transpose()?;
        let parent = match layers.last() {
            Some(layer) => ParentRef::Layer(layer.key),
            None => ParentRef::Base { snapshot: source.snapshot.clone(), content: source.image.clone() },
        };
        let image_key = inputs::image_key(request, &path, &parent, (&source, &ami))?;
        let existing = lookup::find_image(client, &request.service, image_key).await?;
        let existing = existing.filter(|image| !request.rebuild && age::too_old(request, image.made).is_none());
        let error_cleanup = error_cleanup.map(|draft| draft.run);
        let image_name = builder.ami_name.clone();
        let mut plan = Self { source, path, image_name, layers, error_cleanup, image_key, existing, epoch };
        plan.decide_fates(client, request).await?;
        Ok(plan)
    }

    async fn decide_fates(&mut self, client: &Client, request: &Request) -> Result<(), BakeError> {
        if self.path.path == BakePath::Launch {
            let why = "the provisioners of a launch run on one instance, and none is kept alone";
            self.layers.iter_mut().for_each(|layer| layer.fate = Fate::Run { why: vec![why.to_owned()] });
            return Ok(());
        }
        let keys: Vec<LayerKey> = self.layers.iter().map(|layer| layer.key).collect();
        let found = if request.rebuild { Default::default() } else { lookup::find_layers(client, &keys).await? };
        for layer in &mut self.layers {
            layer.fate = match found.get(&layer.key) {
                Some(found) => match age::too_old(request, found.made) {
                    None => Fate::Reused { snapshot: found.snapshot.clone() },
                    Some(why) => {
                        // An image that was registered of it since is as old as its layers.
                        self.existing = None;
                        Fate::Run { why: vec![why] }
                    }
                },
                None if request.rebuild => Fate::Run { why: vec!["--rebuild was given".to_owned()] },
                None => Fate::Run { why: known::why_not(&request.folders, layer) },
            };
        }
        Ok(())
    }

    /// The layers that must run: all from the first that is not there, even where a later one is.
    #[must_use]
    pub fn to_run(&self) -> &[PlannedLayer] {
        &self.layers[self.reused().len()..]
    }

    /// The layers that are taken as they are: all up to the last that is there. A layer's snapshot holds those below it.
    #[must_use]
    pub fn reused(&self) -> &[PlannedLayer] {
        let last = self.layers.iter().rposition(|layer| matches!(layer.fate, Fate::Reused { .. }));
        &self.layers[..last.map_or(0, |last| last + 1)]
    }
}

/// The package lists for bakes from `source`, one state for all of them, and the archives of all bakes: a `.deb`'s name holds
/// its version, and apt checks what it finds.
pub(crate) fn package_cache(request: &Request, source: &Source) -> PackageCache {
    let folder = request.folders.cache.join("packages");
    let name: String = source
        .name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect();
    PackageCache {
        lists: folder.join(format!("{}-{name}", source.owner)).join("lists"),
        archives: folder.join("archives"),
    }
}

/// Where it is written down when the lists of `cache` were fetched.
pub(crate) fn package_stamp(cache: &PackageCache) -> PathBuf {
    cache.lists.with_extension("fetched")
}

/// Has this machine read the package archive of `source`? Without it, keys are not known.
#[must_use]
pub fn has_package_lists(request: &Request, source: &Source) -> bool {
    package_cache(request, source).lists.is_dir()
}

/// Values of a launched instance that a template may ask for.
pub(crate) const INSTANCE_VALUES: [&str; 7] =
    ["ID", "Host", "Port", "User", "ConnType", "SSHPrivateKeyFile", "PackerRunUUID"];

/// The source as the template's deferred values see it.
pub(crate) fn describe_source(source: &Source, region: &str) -> SourceAmi {
    SourceAmi {
        id: source.image.clone(),
        name: source.name.clone(),
        creation_date: source.created.clone(),
        owner: source.owner.clone(),
        owner_name: source.owner_alias.clone().unwrap_or_default(),
        tags: source.tags.iter().cloned().collect(),
        region: region.to_owned(),
        instance: Default::default(),
    }
}
