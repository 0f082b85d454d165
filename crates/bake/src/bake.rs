//! The bake: from a plan to an image, without launching an instance.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use jiff::SignedDuration;
use ovenbird_aws::Client;
use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Digest;
use ovenbird_core::instant;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::manifest;
use ovenbird_core::manifest::Manifest;
use ovenbird_core::tags;
use ovenbird_disk::blocks;
use ovenbird_disk::gpt;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;

use crate::archive;
use crate::disks::BaseDisk;
use crate::disks::ensure_base;
use crate::disks::working_copy;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::folder::drop_old_logs;
use crate::inspect::Inspection;
use crate::inspect::inspect;
use crate::journal::Entry;
use crate::journal::Journal;
use crate::layer::Workplace;
use crate::layer::run_layer;
use crate::layer::stop_if_interrupted;
use crate::plan::Plan;
use crate::plan::PlannedLayer;
use crate::plan::package_cache;
use crate::plan::remember;
use crate::register::register;
use crate::register::rendered_tags;
use crate::register::verify_name_free;
use crate::remote::NewSnapshot;
use crate::remote::put_changes;
use crate::remote::start_snapshot;
use crate::remote::undo_snapshot;
use crate::request::Request;
use crate::sandbox::Options;
use crate::sandbox::PackageCache;
use crate::source::Source;
use crate::source::ensure_owned;
use crate::source::find_source;

/// How old the package lists may be: bakes of the same hour see the same archive.
const LISTS: SignedDuration = SignedDuration::from_hours(1);

/// A finished bake.
#[derive(Clone, Debug)]
pub struct Baked {
    /// `ami-…`
    pub image: String,
    /// Its name.
    pub name: String,
    /// The image was there already; nothing was done.
    pub reused: bool,
    /// What it consists of; `None` where it was there already.
    pub manifest: Option<Manifest>,
}

/// Bakes the request: finds the source, plans, and does what the plan says.
///
/// # Errors
/// See [`BakeError`]. What the bake had created and is of no use was taken back then.
pub async fn bake(
    client: &Client,
    request: &Request,
    on_event: &mut dyn FnMut(Event),
) -> Result<(Plan, Baked), BakeError> {
    let source = find_source(client, &request.builder()?.source).await?;
    ensure_lists(client, request, &source, on_event).await?;
    let plan = Plan::make(client, request, source).await?;
    if let Some(existing) = &plan.existing {
        let baked = Baked { image: existing.id.clone(), name: existing.name.clone(), reused: true, manifest: None };
        return Ok((plan, baked));
    }
    verify_name_free(client, &plan).await?;
    let folder = BakeFolder::create(&request.folders)?;
    let logs = request.folders.logs().join(&folder.id);
    fs_err::create_dir_all(&logs).map_err(working("create the folder of the bake's log"))?;
    drop_old_logs(&request.folders).map_err(working("remove old logs"))?;
    let mut bake = Bake {
        client,
        request,
        plan: &plan,
        journal: Journal::open(&folder.path)?,
        folder: &folder,
        logs,
        kept: BTreeMap::new(),
        pending: None,
    };
    let ended = bake.run(on_event).await;
    // The failure is the news; what cannot be taken back now, `doctor` takes back by its tag.
    let undone = bake.undo().await;
    drop(bake);
    let removed = if undone.is_ok() { folder.remove() } else { Ok(()) };
    let baked = ended?;
    undone.and(removed)?;
    Ok((plan, baked))
}

/// Fetches the package lists, unless they were fetched within the hour.
async fn ensure_lists(
    client: &Client,
    request: &Request,
    source: &Source,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), BakeError> {
    let cache = package_cache(request, source);
    let stamp = cache.lists.with_extension("fetched");
    let fetched = fs_err::read_to_string(&stamp).ok().and_then(|text| instant::read(text.trim()).ok());
    if fetched.is_some_and(|fetched| request.wall.duration_since(fetched.instant).abs() < LISTS) {
        return Ok(());
    }
    let base = own_base(client, request, source, on_event).await?;
    on_event(Event::Phase { phase: Phase::Packages });
    let folder = BakeFolder::create(&request.folders)?;
    let read = read_lists(&folder, &base, &cache);
    let removed = folder.remove();
    read.and(removed)?;
    write_atomically(&stamp, &instant::write(request.wall))
}

fn read_lists(folder: &BakeFolder, base: &BaseDisk, cache: &PackageCache) -> Result<(), BakeError> {
    let root = gpt::find_root(&base.path).map_err(working("find the root partition of the base"))?;
    let mounted = LoopMount::ensure(&base.path, &root, &folder.path.join("base"), Access::ReadOnly)
        .map_err(working("mount the base"))?;
    fs_err::create_dir_all(&cache.archives).map_err(working("create the cache of packages"))?;
    archive::refresh(&[mounted.target().to_owned()], cache, &folder.path.join("lists"), &folder.id)
        .map_err(working("read the package archive"))?;
    mounted.unmount().map_err(working("unmount the base"))
}

async fn own_base(
    client: &Client,
    request: &Request,
    source: &Source,
    on_event: &mut dyn FnMut(Event),
) -> Result<BaseDisk, BakeError> {
    on_event(Event::Phase { phase: Phase::Base });
    let snapshot = ensure_owned(client, source, &request.account).await?;
    on_event(Event::Phase { phase: Phase::Fetch });
    ensure_base(client, &request.folders, &snapshot, |done, total| on_event(Event::Blocks { done, total })).await
}

/// A bake under way.
struct Bake<'a> {
    client: &'a Client,
    request: &'a Request,
    plan: &'a Plan,
    folder: &'a BakeFolder,
    logs: PathBuf,
    journal: Journal,
    /// The snapshots of the layers that ran.
    kept: BTreeMap<LayerKey, String>,
    /// A snapshot that is started and not completed: of no use to anybody.
    pending: Option<String>,
}

impl Bake<'_> {
    async fn run(&mut self, on_event: &mut dyn FnMut(Event)) -> Result<Baked, BakeError> {
        let region = self.client.region().unwrap_or_default().to_owned();
        let (service, account) = (self.request.service.clone(), self.request.account.clone());
        self.journal.append(&Entry::Began { service, account, region, image: self.plan.image_name.clone() })?;
        let base = own_base(self.client, self.request, &self.plan.source, on_event).await?;
        let mut snapshot = base.snapshot.clone();
        for layer in self.plan.reused() {
            if let crate::plan::Fate::Reused { snapshot: reused } = &layer.fate {
                snapshot.clone_from(reused);
                on_event(Event::Reused { layer: layer.title.clone(), snapshot: reused.clone() });
            }
        }
        on_event(Event::Phase { phase: Phase::Copy });
        let disk = self.folder.path.join("disk.raw");
        let mut map =
            working_copy(self.client, &base, &snapshot, &disk, |done, total| on_event(Event::Blocks { done, total }))
                .await?;
        stop_if_interrupted()?;
        for layer in self.plan.to_run() {
            if let crate::plan::Fate::Run { why } = &layer.fate {
                on_event(Event::Runs { layer: layer.title.clone(), why: why.clone() });
            }
            run_layer(&self.workplace(&disk), layer, on_event)?;
            snapshot = self.keep_layer(layer, &disk, &mut map, &snapshot, on_event).await?;
        }
        let inspection = inspect(&self.folder.path, &disk)?;
        stop_if_interrupted()?;
        on_event(Event::Phase { phase: Phase::Register });
        self.journal.append(&Entry::Registers { snapshot: snapshot.clone() })?;
        let image =
            register(self.client, self.request, self.plan, (&self.folder.id, &snapshot, inspection.tree)).await?;
        let manifest = self.manifest(&image, &snapshot, &map, inspection);
        let text = manifest.to_json().map_err(working("write the manifest"))?;
        write_atomically(&self.request.folders.manifest(&image), &text)?;
        Ok(Baked { image, name: self.plan.image_name.clone(), reused: false, manifest: Some(manifest) })
    }

    fn workplace<'a>(&'a self, disk: &'a Path) -> Workplace<'a> {
        let room: PathBuf = self.folder.path.join("room");
        let packages = Some(package_cache(self.request, &self.plan.source));
        Workplace {
            folder: &self.folder.path,
            logs: &self.logs,
            options: Options { bake: self.folder.id.clone(), room, packages, epoch: self.plan.epoch },
            disk,
        }
    }

    /// Makes the disk's new content a snapshot over the one before, and answers it.
    async fn keep_layer(
        &mut self,
        layer: &PlannedLayer,
        disk: &Path,
        map: &mut BlockMap,
        parent: &str,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<String, BakeError> {
        on_event(Event::Phase { phase: Phase::Scan });
        let now = blocks::scan(disk).map_err(working("look for changed blocks"))?;
        let changes = now.changes_since(map);
        on_event(Event::Phase { phase: Phase::Upload });
        self.journal.append(&Entry::StartsSnapshot { layer: layer.key.hex() })?;
        let snapshot = start_snapshot(self.client, &self.new_snapshot(layer, &now, parent)?).await?;
        self.pending = Some(snapshot.clone());
        put_changes(self.client, &snapshot, disk, &changes, |done, total| on_event(Event::Blocks { done, total }))
            .await?;
        self.journal.append(&Entry::Kept { snapshot: snapshot.clone() })?;
        self.pending = None;
        self.kept.insert(layer.key, snapshot.clone());
        remember(&self.request.folders, layer)?;
        *map = now;
        let changed_blocks = changes.len() as u64;
        on_event(Event::Kept { layer: layer.title.clone(), snapshot: snapshot.clone(), changed_blocks });
        Ok(snapshot)
    }

    fn new_snapshot(&self, layer: &PlannedLayer, now: &BlockMap, parent: &str) -> Result<NewSnapshot, BakeError> {
        let ami = crate::plan::describe_source(&self.plan.source, self.client.region().unwrap_or_default());
        let mut marks = rendered_tags(self.request.builder()?, &ami)?.snapshot;
        marks.entry(tags::NAME.to_owned()).or_insert_with(|| format!("{} · {}", self.request.service, layer.title));
        marks.insert(tags::LAYER.to_owned(), layer.key.hex());
        marks.insert(tags::BAKE.to_owned(), self.folder.id.clone());
        if let ovenbird_core::layer::ParentRef::Layer(below) = &layer.inputs.parent {
            marks.insert(tags::PARENT.to_owned(), below.hex());
        }
        let token = Digest::of(format!("{} {}", self.folder.id, layer.key.hex()).as_bytes()).hex();
        Ok(NewSnapshot {
            volume_size: now.volume_size,
            parent: Some(parent.to_owned()),
            client_token: token,
            description: format!("Layer {} of {}, baked by Ovenbird", layer.title, self.request.service),
            tags: marks.into_iter().collect(),
        })
    }

    async fn undo(&mut self) -> Result<(), BakeError> {
        match self.pending.take() {
            Some(snapshot) => undo_snapshot(self.client, &snapshot).await,
            None => Ok(()),
        }
    }

    fn manifest(&self, image: &str, snapshot: &str, map: &BlockMap, inspection: Inspection) -> Manifest {
        let source = &self.plan.source;
        let layer = |layer: &PlannedLayer| manifest::Layer {
            key: layer.key,
            inputs: layer.inputs.clone(),
            provisioner: layer.title.clone(),
            snapshot: match &layer.fate {
                crate::plan::Fate::Reused { snapshot } => Some(snapshot.clone()),
                crate::plan::Fate::Run { .. } => self.kept.get(&layer.key).cloned(),
            },
        };
        let regional = manifest::RegionalImage { image: image.to_owned(), snapshot: snapshot.to_owned() };
        Manifest {
            version: manifest::VERSION,
            service: self.request.service.clone(),
            name: self.plan.image_name.clone(),
            created: self.request.now,
            architecture: source.architecture.clone(),
            base: manifest::Base {
                image: source.image.clone(),
                snapshot: source.snapshot.clone(),
                name: source.name.clone(),
            },
            layers: self.plan.layers.iter().map(layer).collect(),
            tree: inspection.tree,
            packages: inspection.packages,
            blocks: manifest::Blocks { count: map.blocks.len() as u64, volume_size: map.volume_size },
            regions: BTreeMap::from([(self.client.region().unwrap_or_default().to_owned(), regional)]),
        }
    }
}
