//! Volumes as raw, sparse files.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use ovenbird_core::block::GIB;

use crate::blocks::zero_digest;
use crate::catalogue::snapshots;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Volume;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::world::World;

/// Threads that copy blocks into a volume: hashing and writing overlap.
const WRITERS: usize = 4;

/// Makes the file of a new volume in the background, and then the volume `available`.
pub(crate) fn begin(world: Arc<World>, volume: Volume) {
    std::thread::spawn(move || {
        let made = ensure(&world, &volume);
        let state = if made.is_ok() { "available" } else { "error" };
        let noted = world.catalogue.transact(|db| volumes::set_state(db, &volume.id, state));
        for failure in made.err().into_iter().chain(noted.err()) {
            tracing::error!(volume = volume.id, "{}", failure.chain());
        }
    });
}

/// Makes the file of a volume: empty, or with the content of its snapshot.
pub(crate) fn ensure(world: &World, volume: &Volume) -> Answer<()> {
    let path = world.folder.volume(&volume.id);
    // Under this no block goes, whatever becomes of the snapshot meanwhile.
    let _kept = world.blocks.keep();
    let map = match &volume.snapshot {
        Some(snapshot) => world.catalogue.transact(|db| snapshots::map_of(db, snapshot))?,
        None => snapshots::Map::new(),
    };
    let file = fs_err::File::create(&path)?.into_file();
    file.set_len(u64::try_from(volume.size).unwrap_or_default() * GIB)?;
    let blocks: Vec<(u32, Digest)> = map.into_iter().filter(|(_, digest)| *digest != zero_digest()).collect();
    let share = blocks.len().div_ceil(WRITERS).max(1);
    std::thread::scope(|scope| {
        let writers: Vec<_> =
            blocks.chunks(share).map(|blocks| scope.spawn(|| write_blocks(world, &file, blocks))).collect();
        writers.into_iter().try_for_each(|writer| {
            writer.join().unwrap_or_else(|_| Err(Failure::internal("write a volume", "its writer panicked")))
        })
    })
}

fn write_blocks(world: &World, file: &File, blocks: &[(u32, Digest)]) -> Answer<()> {
    for (block, digest) in blocks {
        file.write_all_at(&world.blocks.get(digest)?, u64::from(*block) * BLOCK_SIZE)?;
    }
    Ok(())
}

/// Removes the file of a volume, where there is one.
pub(crate) fn remove(world: &World, id: &str) -> Answer<()> {
    match fs_err::remove_file(world.folder.volume(id)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
