//! All that a handler can reach, and who is asking.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::accounts::Identity;
use crate::blocks::BlockStore;
use crate::calls::Calls;
use crate::catalogue;
use crate::catalogue::Catalogue;
use crate::catalogue::Scope;
use crate::clock::Clock;
use crate::delays::Delays;
use crate::engine::Engine;
use crate::failure::Answer;
use crate::faults::Faults;
use crate::faults::Twist;
use crate::folder::StateFolder;
use crate::instances::Turns;
use crate::seal::Secret;

/// The endpoint without its door.
pub(crate) struct World {
    pub(crate) folder: StateFolder,
    pub(crate) secret: Secret,
    pub(crate) catalogue: Catalogue,
    pub(crate) blocks: BlockStore,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) delays: Delays,
    pub(crate) calls: Calls,
    pub(crate) turns: Turns,
    closing: AtomicBool,
    /// The port that the API answers on.
    pub(crate) port: u16,
    /// For calls that name no Region.
    pub(crate) default_region: String,
}

/// A call that was proved to come from `identity`.
pub(crate) struct Call {
    pub(crate) world: Arc<World>,
    pub(crate) scope: Scope,
    pub(crate) identity: Identity,
    pub(crate) now: Timestamp,
    /// How a fault that is switched on changes the answer.
    pub(crate) twist: Option<Twist>,
}

impl Call {
    /// Why what the call makes will fail, where the fault says so.
    pub(crate) fn doom(&self) -> Option<&'static str> {
        (self.twist == Some(Twist::Doomed)).then_some("Client.InternalError: it fails, as a fault that is switched on")
    }

    /// Does the call see what was created then? Descriptions are eventually consistent where the fault says so.
    pub(crate) fn sees(&self, created: Timestamp) -> bool {
        let Some(Twist::Stale(age)) = self.twist else { return true };
        created.saturating_add(age).is_ok_and(|seen| seen <= self.now)
    }
}

impl World {
    /// Opens the state in `folder`, and takes away what a crash left.
    pub(crate) fn open(
        folder: StateFolder,
        engine: Arc<dyn Engine>,
        (clock, faults, delays): (Clock, Faults, Delays),
        port: u16,
        default_region: String,
    ) -> Answer<Self> {
        folder.ensure()?;
        let world = Self {
            secret: Secret::ensure(&folder.secret())?,
            catalogue: Catalogue::open(&folder.catalogue())?,
            blocks: BlockStore::open(&folder.blocks())?,
            calls: Calls::default(),
            turns: Turns::default(),
            closing: AtomicBool::new(false),
            folder,
            engine,
            clock,
            faults,
            delays,
            port,
            default_region,
        };
        world.sweep()?;
        Ok(world)
    }

    /// From now on nothing waits for what EC2 would take.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Does the daemon end?
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Brings the catalogue to now, and frees what nobody refers to any more.
    pub(crate) fn settle(&self) -> Answer<()> {
        let now = self.clock.now();
        let (gone, garbage) =
            self.catalogue.transact(|db| Ok((catalogue::settle(db, now)?, catalogue::list_unreferenced(db)?)))?;
        for folder in gone.iter().map(|id| self.folder.instance(id)).filter(|folder| folder.exists()) {
            fs_err::remove_dir_all(folder)?;
        }
        if garbage.is_empty() { Ok(()) } else { self.collect() }
    }

    /// Removes the blocks without references: first the files, then the rows, so that a crash between leaves a row to try again.
    fn collect(&self) -> Answer<()> {
        let collecting = self.blocks.collect();
        let garbage = self.catalogue.transact(catalogue::list_unreferenced)?;
        self.blocks.remove(&garbage, &collecting)?;
        self.catalogue.transact(|db| catalogue::forget_blocks(db, &garbage))?;
        tracing::debug!(blocks = garbage.len(), "freed blocks");
        Ok(())
    }

    /// Files that no row knows, and rows whose file is gone.
    fn sweep(&self) -> Answer<()> {
        self.settle()?;
        let (known, volumes, instances) = self.catalogue.transact(|db| {
            Ok((catalogue::list_blocks(db)?, catalogue::volumes::list_ids(db)?, catalogue::instances::list_ids(db)?))
        })?;
        let swept = self.blocks.sweep(&known)?;
        if swept.partial + swept.unknown > 0 {
            tracing::info!(partial = swept.partial, unknown = swept.unknown, "removed what an interrupted put left");
        }
        if !swept.missing.is_empty() {
            tracing::error!(blocks = swept.missing.len(), "blocks are missing; snapshots with them are in error now");
            self.catalogue.transact(|db| catalogue::snapshots::fail_those_with(db, &swept.missing))?;
            self.settle()?;
        }
        let is_volume = |name: &str| volumes.iter().any(|id| name.strip_suffix(".raw") == Some(id));
        remove_unknown(&self.folder.volumes(), is_volume)?;
        remove_unknown(&self.folder.instances(), |name| instances.iter().any(|id| id == name))
    }
}

fn remove_unknown(folder: &std::path::Path, is_known: impl Fn(&str) -> bool) -> Answer<()> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if is_known(name) {
            continue;
        }
        tracing::info!(path = %path.display(), "removed what no row knows");
        if path.is_dir() { fs_err::remove_dir_all(&path)? } else { fs_err::remove_file(&path)? }
    }
    Ok(())
}
