//! Snapshots: their rows, their maps, the blocks put into pending ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ovenbird_core::block::Digest;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::Scope;
use super::blocks::hold;
use super::blocks::release;
use super::find;
use super::instant;
use super::list;
use super::millis;
use super::run;
use super::tags;
use super::tokens;
use crate::failure::Answer;

/// Block index to digest.
pub(crate) type Map = BTreeMap<u32, Digest>;

/// A snapshot without its map.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) scope: Scope,
    /// `pending`, `completed` or `error`.
    pub(crate) state: String,
    /// GiB.
    pub(crate) volume_size: i64,
    pub(crate) parent: Option<String>,
    /// The id of the first ancestor: snapshots that can be compared have the same.
    pub(crate) lineage: String,
    pub(crate) description: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) timeout_ms: i64,
    /// Percent.
    pub(crate) progress: i64,
    /// What CompleteSnapshot was told; `None` before it.
    pub(crate) changed_blocks: Option<i64>,
    /// When it becomes `completed`; `None` before CompleteSnapshot.
    pub(crate) completes_at: Option<Timestamp>,
    /// The volume that it was made of; `None` where the EBS direct APIs made it.
    pub(crate) volume: Option<String>,
    /// May everybody make volumes of it?
    pub(crate) public: bool,
    /// The ARN of its key; `None` where it is not encrypted.
    pub(crate) kms_key: Option<String>,
}

const COLUMNS: &str = "seq, id, account, region, state, volume_size, parent, lineage, description, started, timeout_ms, progress, \
                       changed_blocks, completes_at, volume, public, kms_key";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Snapshot> {
    Ok(Snapshot {
        seq: row.get("seq")?,
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        state: row.get("state")?,
        volume_size: row.get("volume_size")?,
        parent: row.get("parent")?,
        lineage: row.get("lineage")?,
        description: row.get("description")?,
        started: instant(row.get("started")?),
        timeout_ms: row.get("timeout_ms")?,
        progress: row.get("progress")?,
        changed_blocks: row.get("changed_blocks")?,
        completes_at: row.get::<_, Option<i64>>("completes_at")?.map(instant),
        volume: row.get("volume")?,
        public: row.get("public")?,
        kms_key: row.get("kms_key")?,
    })
}

/// The snapshot `id` of whatever account, in `region`.
pub(crate) fn find_snapshot(db: &Connection, region: &str, id: &str) -> Answer<Option<Snapshot>> {
    find(db, &format!("SELECT {COLUMNS} FROM snapshots WHERE id = ?1 AND region = ?2"), [id, region], from_row)
}

/// All snapshots of a name space, oldest first.
pub(crate) fn list_snapshots(db: &Connection, scope: &Scope) -> Answer<Vec<Snapshot>> {
    let sql = format!("SELECT {COLUMNS} FROM snapshots WHERE account = ?1 AND region = ?2 ORDER BY seq");
    list(db, &sql, [&scope.account, &scope.region], from_row)
}

/// How many snapshots of a name space are pending.
pub(crate) fn count_pending(db: &Connection, scope: &Scope) -> Answer<i64> {
    let sql = "SELECT count(*) FROM snapshots WHERE state = 'pending' AND account = ?1 AND region = ?2";
    Ok(db.query_row(sql, [&scope.account, &scope.region], |row| row.get(0))?)
}

/// Adds a snapshot whose map is `map`: its parent's while it is pending.
pub(crate) fn insert_snapshot(db: &Connection, snapshot: &Snapshot, map: &Map) -> Answer<()> {
    map.values().try_for_each(|digest| hold(db, digest))?;
    run(
        db,
        "INSERT INTO snapshots (id, account, region, state, volume_size, parent, lineage, description, started, timeout_ms, \
         last_put, progress, changed_blocks, completes_at, map, volume, kms_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, ?11, \
         ?12, ?13, ?14, ?15, ?16)",
        params![
            snapshot.id,
            snapshot.scope.account,
            snapshot.scope.region,
            snapshot.state,
            snapshot.volume_size,
            snapshot.parent,
            snapshot.lineage,
            snapshot.description,
            millis(snapshot.started),
            snapshot.timeout_ms,
            snapshot.progress,
            snapshot.changed_blocks,
            snapshot.completes_at.map(millis),
            encode_map(map),
            snapshot.volume,
            snapshot.kms_key,
        ],
    )?;
    Ok(())
}

/// Gives a pending snapshot of a volume its map, and completes it at `completes_at`.
pub(crate) fn fill_snapshot(db: &Connection, id: &str, map: &Map, completes_at: Timestamp) -> Answer<()> {
    map.values().try_for_each(|digest| hold(db, digest))?;
    let sql = "UPDATE snapshots SET map = ?2, completes_at = ?3, progress = 100 WHERE id = ?1 AND state = 'pending'";
    if run(db, sql, params![id, encode_map(map), millis(completes_at)])? == 0 {
        // It was deleted meanwhile.
        map.values().try_for_each(|digest| release(db, digest))?;
    }
    Ok(())
}

/// Pending snapshots of volumes, whose making was interrupted.
pub(crate) fn list_unfinished(db: &Connection) -> Answer<Vec<String>> {
    let sql = "SELECT id FROM snapshots WHERE state = 'pending' AND volume IS NOT NULL AND completes_at IS NULL";
    list(db, sql, [], |row| row.get(0))
}

/// Opens a snapshot to everybody, or closes it.
pub(crate) fn set_public(db: &Connection, id: &str, public: bool) -> Answer<()> {
    run(db, "UPDATE snapshots SET public = ?2 WHERE id = ?1", params![id, public])?;
    Ok(())
}

/// Shares a snapshot with an account, or takes that back.
pub(crate) fn set_share(db: &Connection, id: &str, account: &str, is_shared: bool) -> Answer<()> {
    let sql = if is_shared {
        "INSERT OR IGNORE INTO snapshot_shares (snapshot, account) VALUES (?1, ?2)"
    } else {
        "DELETE FROM snapshot_shares WHERE snapshot = ?1 AND account = ?2"
    };
    run(db, sql, [id, account])?;
    Ok(())
}

/// The accounts that the snapshot is shared with by name.
pub(crate) fn list_shares(db: &Connection, id: &str) -> Answer<Vec<String>> {
    list(db, "SELECT account FROM snapshot_shares WHERE snapshot = ?1 ORDER BY account", [id], |row| row.get(0))
}

/// May the account make volumes and copies of it?
pub(crate) fn is_readable_by(db: &Connection, snapshot: &Snapshot, account: &str) -> Answer<bool> {
    Ok(snapshot.scope.account == account
        || snapshot.public
        || list_shares(db, &snapshot.id)?.iter().any(|shared| shared == account))
}

/// Notes that a pending snapshot has this block now.
pub(crate) fn put_block(
    db: &Connection,
    id: &str,
    block: u32,
    digest: &Digest,
    progress: Option<i64>,
    now: Timestamp,
) -> Answer<()> {
    let before =
        find(db, "SELECT digest FROM puts WHERE snapshot = ?1 AND block = ?2", params![id, block], |row| row.get(0))?;
    if let Some(before) = before {
        release(db, &Digest(before))?;
    }
    hold(db, digest)?;
    run(db, "INSERT OR REPLACE INTO puts (snapshot, block, digest) VALUES (?1, ?2, ?3)", params![id, block, digest.0])?;
    let sql = "UPDATE snapshots SET last_put = ?2, progress = coalesce(?3, progress) WHERE id = ?1";
    run(db, sql, params![id, millis(now), progress])?;
    Ok(())
}

/// The blocks that were put into a pending snapshot.
pub(crate) fn list_puts(db: &Connection, id: &str) -> Answer<Map> {
    let sql = "SELECT block, digest FROM puts WHERE snapshot = ?1";
    Ok(list(db, sql, [id], |row| Ok((row.get(0)?, Digest(row.get(1)?))))?.into_iter().collect())
}

/// Seals a pending snapshot: its map is its parent's and, over it, what was put. It is `completed` at `completes_at`.
pub(crate) fn seal_snapshot(db: &Connection, id: &str, puts: &Map, completes_at: Timestamp) -> Answer<()> {
    let mut map = map_of(db, id)?;
    for (block, digest) in puts {
        // The reference of the put becomes the map's.
        if let Some(before) = map.insert(*block, *digest) {
            release(db, &before)?;
        }
    }
    run(db, "DELETE FROM puts WHERE snapshot = ?1", [id])?;
    let changed = i64::try_from(puts.len()).unwrap_or(i64::MAX);
    let sql = "UPDATE snapshots SET map = ?2, changed_blocks = ?3, completes_at = ?4, progress = 100 WHERE id = ?1";
    run(db, sql, params![id, encode_map(&map), changed, millis(completes_at)])?;
    Ok(())
}

/// A snapshot that failed: it keeps its row and loses its blocks.
pub(crate) fn fail_snapshot(db: &Connection, id: &str) -> Answer<()> {
    release_blocks(db, id)?;
    run(db, "UPDATE snapshots SET state = 'error', completes_at = NULL, map = x'' WHERE id = ?1", [id])?;
    Ok(())
}

/// Takes a snapshot away, with its tags and references.
pub(crate) fn delete_snapshot(db: &Connection, id: &str) -> Answer<()> {
    release_blocks(db, id)?;
    run(db, "DELETE FROM snapshots WHERE id = ?1", [id])?;
    tags::delete_all(db, id)?;
    tokens::forget(db, id)
}

fn release_blocks(db: &Connection, id: &str) -> Answer<()> {
    map_of(db, id)?.values().chain(list_puts(db, id)?.values()).try_for_each(|digest| release(db, digest))?;
    run(db, "DELETE FROM puts WHERE snapshot = ?1", [id])?;
    Ok(())
}

/// The map of a snapshot; empty where there is none of this id.
pub(crate) fn map_of(db: &Connection, id: &str) -> Answer<Map> {
    let bytes: Option<Vec<u8>> = find(db, "SELECT map FROM snapshots WHERE id = ?1", [id], |row| row.get(0))?;
    Ok(decode_map(&bytes.unwrap_or_default()))
}

fn encode_map(map: &Map) -> Vec<u8> {
    map.iter().flat_map(|(block, digest)| block.to_be_bytes().into_iter().chain(digest.0)).collect()
}

fn decode_map(bytes: &[u8]) -> Map {
    let (entries, _) = bytes.as_chunks::<36>();
    entries
        .iter()
        .filter_map(|entry| {
            let (block, digest) = entry.split_first_chunk::<4>()?;
            Some((u32::from_be_bytes(*block), Digest(digest.try_into().ok()?)))
        })
        .collect()
}

/// Fails every snapshot that needs one of `missing`.
pub(crate) fn fail_those_with(db: &Connection, missing: &[Digest]) -> Answer<()> {
    let ids: Vec<String> = list(db, "SELECT id FROM snapshots WHERE state <> 'error'", [], |row| row.get(0))?;
    for id in ids {
        let (map, puts) = (map_of(db, &id)?, list_puts(db, &id)?);
        if map.values().chain(puts.values()).any(|digest| missing.contains(digest)) {
            fail_snapshot(db, &id)?;
        }
    }
    Ok(())
}
