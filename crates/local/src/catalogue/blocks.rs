//! Who refers to which block.

use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use rusqlite::Connection;

use super::list;
use super::run;
use crate::blocks::zero_digest;
use crate::failure::Answer;

/// What the store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockCounts {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// One more refers to the block. The block of zeros needs nobody.
pub(super) fn hold(db: &Connection, digest: &Digest) -> Answer<()> {
    if *digest != zero_digest() {
        run(
            db,
            "INSERT INTO blocks (digest, refs) VALUES (?1, 1) ON CONFLICT DO UPDATE SET refs = refs + 1",
            [digest.0],
        )?;
    }
    Ok(())
}

/// The block is stored, and perhaps nobody refers to it.
pub(crate) fn note_block(db: &Connection, digest: &Digest) -> Answer<()> {
    if *digest != zero_digest() {
        run(db, "INSERT INTO blocks (digest, refs) VALUES (?1, 0) ON CONFLICT DO NOTHING", [digest.0])?;
    }
    Ok(())
}

/// One less refers to the block.
pub(super) fn release(db: &Connection, digest: &Digest) -> Answer<()> {
    if *digest != zero_digest() {
        run(db, "UPDATE blocks SET refs = refs - 1 WHERE digest = ?1", [digest.0])?;
    }
    Ok(())
}

/// Every block that has a row.
pub(crate) fn list_blocks(db: &Connection) -> Answer<Vec<Digest>> {
    list(db, "SELECT digest FROM blocks", [], |row| row.get(0).map(Digest))
}

/// Blocks that nobody refers to.
pub(crate) fn list_unreferenced(db: &Connection) -> Answer<Vec<Digest>> {
    list(db, "SELECT digest FROM blocks WHERE refs = 0", [], |row| row.get(0).map(Digest))
}

/// Takes the rows of removed blocks away.
pub(crate) fn forget_blocks(db: &Connection, digests: &[Digest]) -> Answer<()> {
    for digest in digests {
        run(db, "DELETE FROM blocks WHERE digest = ?1 AND refs = 0", [digest.0])?;
    }
    Ok(())
}

/// How many blocks are stored.
pub(crate) fn count_blocks(db: &Connection) -> Answer<BlockCounts> {
    let blocks: u32 = db.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0))?;
    let blocks = u64::from(blocks);
    Ok(BlockCounts { blocks, bytes: blocks * BLOCK_SIZE })
}
