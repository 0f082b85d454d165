//! Snapshots of volumes: the blocks of their files, read in the background.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use jiff::Timestamp;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use rusqlite::Connection;
use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::blocks::zero_digest;
use crate::catalogue::instances;
use crate::catalogue::instances::State;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Map;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::volumes::Volume;
use crate::delays::Delay;
use crate::failure::Answer;
use crate::ids::random_id;
use crate::instances as life;
use crate::world::Call;
use crate::world::World;

/// A snapshot of a volume is never waited for longer than the longest of the EBS direct APIs: three days.
const TIMEOUT_MS: i64 = 259_200_000;

/// What is to be read: one volume into one snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) snapshot: String,
    pub(crate) volume: String,
    /// The snapshot that the volume was made of: what did not change is not written again.
    pub(crate) base: Option<String>,
}

/// Adds a pending snapshot of `volume`.
pub(crate) fn insert(db: &Connection, call: &Call, volume: &Volume, description: Option<String>) -> Answer<Reading> {
    let id = random_id("snap")?;
    let base = match &volume.snapshot {
        Some(base) => snapshots::find_snapshot(db, &call.scope.region, base)?,
        None => None,
    };
    let snapshot = Snapshot {
        seq: 0,
        id: id.clone(),
        scope: call.scope.clone(),
        state: "pending".to_owned(),
        volume_size: volume.size,
        parent: None,
        // Snapshots of one volume, and the one that it was made of, can be compared.
        lineage: base.as_ref().map_or_else(|| volume.id.clone(), |base| base.lineage.clone()),
        description,
        started: call.now,
        timeout_ms: TIMEOUT_MS,
        progress: 0,
        changed_blocks: None,
        completes_at: None,
        volume: Some(volume.id.clone()),
        public: false,
        kms_key: volume.kms_key.clone(),
    };
    snapshots::insert_snapshot(db, &snapshot, &Map::new())?;
    Ok(Reading { snapshot: id, volume: volume.id.clone(), base: base.map(|base| base.id) })
}

/// Reads volumes while `instance` stands still: it is stopped for it and started again if `reboots`, else only what it has
/// written is brought to its disks. `done` learns when all of it is over, as far as it went well; nobody else takes a turn
/// of the instance before it returns.
pub(crate) fn begin(
    world: Arc<World>,
    instance: Option<String>,
    reboots: bool,
    readings: Vec<Reading>,
    delay: Delay,
    done: impl FnOnce(&World, &Answer<()>, Timestamp) + Send + 'static,
) {
    std::thread::spawn(move || {
        let turn = world.turns.of(instance.as_deref().unwrap_or_default());
        let _turn = instance.is_some().then(|| turn.take());
        let due = world.delays.due(delay, world.clock.now());
        let read = read_at_rest(&world, instance.as_deref().filter(|_| reboots), &readings, due);
        if let Err(failure) = &read {
            tracing::error!(?readings, "{}", failure.chain());
            let failed = world
                .catalogue
                .transact(|db| readings.iter().try_for_each(|reading| snapshots::fail_snapshot(db, &reading.snapshot)));
            life::note(&readings[0].snapshot, failed);
        }
        done(&world, &read, due);
    });
}

fn read_at_rest(world: &Arc<World>, reboots: Option<&str>, readings: &[Reading], due: Timestamp) -> Answer<()> {
    let running = match reboots {
        Some(id) => world.catalogue.transact(|db| instances::find_any(db, id))?,
        None => None,
    };
    let running = running.filter(|instance| instance.state == State::Running);
    let machine = running.map(|instance| life::machine_of(world, &instance)).transpose()?;
    if let Some(machine) = &machine {
        world.engine.stop(machine)?;
    } else {
        // File systems of containers are this machine's: what they hold back goes to their disks.
        rustix::fs::sync();
    }
    let read = readings.iter().try_for_each(|reading| read_volume(world, reading, due));
    if let Some(machine) = &machine {
        world.engine.start(machine)?;
    }
    read
}

fn read_volume(world: &World, reading: &Reading, due: Timestamp) -> Answer<()> {
    // Until the catalogue refers to them, no collection may take the blocks.
    let _kept = world.blocks.keep();
    let base = match &reading.base {
        Some(base) => world.catalogue.transact(|db| snapshots::map_of(db, base))?,
        None => Map::new(),
    };
    let file = File::open(world.folder.volume(&reading.volume))?;
    let (map, new) = read_blocks(&file, &base, |digest, bytes| world.blocks.put(digest, bytes))?;
    world.blocks.sync_names(new.keys())?;
    tracing::info!(snapshot = reading.snapshot, blocks = map.len(), new = new.len(), "read a volume");
    world.catalogue.transact(|db| snapshots::fill_snapshot(db, &reading.snapshot, &map, due))
}

/// The map of a disk, and the blocks that `base` does not have at their places. Zeros are told where the base has other
/// content, and left out elsewhere.
fn read_blocks(
    file: &File,
    base: &Map,
    mut put: impl FnMut(&Digest, &[u8]) -> io::Result<()>,
) -> io::Result<(Map, HashMap<Digest, ()>)> {
    let (mut map, mut new) = (Map::new(), HashMap::new());
    let length = file.metadata()?.len();
    let mut bytes = vec![0; usize::try_from(BLOCK_SIZE).unwrap_or_default()];
    let mut offset = 0;
    while offset < length {
        // Holes are as zeros, and not read.
        let Some(at) = next_content(file, offset)? else { break };
        offset = at - at % BLOCK_SIZE;
        let block = u32::try_from(offset / BLOCK_SIZE).map_err(io::Error::other)?;
        let whole = usize::try_from((length - offset).min(BLOCK_SIZE)).unwrap_or_default();
        bytes.fill(0);
        file.read_exact_at(&mut bytes[..whole], offset)?;
        let digest = Digest::of(&bytes);
        if digest != zero_digest() {
            if base.get(&block) != Some(&digest) {
                put(&digest, &bytes)?;
                new.insert(digest, ());
            }
            map.insert(block, digest);
        }
        offset += BLOCK_SIZE;
    }
    for block in base.keys() {
        map.entry(*block).or_insert_with(zero_digest);
    }
    Ok((map, new))
}

fn next_content(file: &File, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(at) => Ok(Some(at)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::filled;

    #[test]
    fn holes_are_left_out_and_zeros_over_content_are_told() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(6 * BLOCK_SIZE).expect("sparse");
        file.write_all_at(&filled(1), BLOCK_SIZE).expect("written");
        file.write_all_at(&filled(2), 4 * BLOCK_SIZE).expect("written");
        let (one, two) = (Digest::of(&filled(1)), Digest::of(&filled(2)));
        let base = Map::from([(1, one), (3, two)]);
        let mut put = Vec::new();
        let (map, new) = read_blocks(&file, &base, |digest, _| {
            put.push(*digest);
            Ok(())
        })
        .expect("read");
        assert_eq!(map, Map::from([(1, one), (3, zero_digest()), (4, two)]));
        assert_eq!(put, [two]);
        assert_eq!(new.len(), 1);
    }
}
