//! Volumes and what they are attached to.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::Scope;
use super::find;
use super::instant;
use super::list;
use super::millis;
use super::run;
use super::tags;
use super::tokens;
use crate::failure::Answer;

/// A volume.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) zone: String,
    /// GiB.
    pub(crate) size: i64,
    pub(crate) snapshot: Option<String>,
    /// Such as `gp3`.
    pub(crate) kind: String,
    pub(crate) iops: Option<i32>,
    pub(crate) throughput: Option<i32>,
    /// The ARN of its key; `None` where it is not encrypted.
    pub(crate) kms_key: Option<String>,
    /// `creating`, `available`, `in-use`, `deleting` or `error`.
    pub(crate) state: String,
    pub(crate) created: Timestamp,
    pub(crate) attachment: Option<Attachment>,
}

/// A volume's place in an instance.
#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub(crate) instance: String,
    pub(crate) device: String,
    /// `attaching`, `attached`, `detaching` or `busy`.
    pub(crate) state: String,
    pub(crate) since: Timestamp,
    pub(crate) delete_on_termination: bool,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Volume> {
    let attachment = match row.get::<_, Option<String>>("instance")? {
        None => None,
        Some(instance_id) => Some(Attachment {
            instance: instance_id,
            device: row.get("device")?,
            state: row.get("attachment")?,
            since: instant(row.get("attached_at")?),
            delete_on_termination: row.get("delete_on_termination")?,
        }),
    };
    Ok(Volume {
        seq: row.get("seq")?,
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        zone: row.get("zone")?,
        size: row.get("size")?,
        snapshot: row.get("snapshot")?,
        kind: row.get("kind")?,
        iops: row.get("iops")?,
        throughput: row.get("throughput")?,
        kms_key: row.get("kms_key")?,
        state: row.get("state")?,
        created: instant(row.get("created")?),
        attachment,
    })
}

/// All volumes of a name space, oldest first.
pub(crate) fn list_volumes(db: &Connection, scope: &Scope) -> Answer<Vec<Volume>> {
    let sql = "SELECT * FROM volumes WHERE account = ?1 AND region = ?2 ORDER BY seq";
    list(db, sql, [&scope.account, &scope.region], from_row)
}

/// The volume `id` of a name space.
pub(crate) fn find_volume(db: &Connection, scope: &Scope, id: &str) -> Answer<Option<Volume>> {
    let sql = "SELECT * FROM volumes WHERE account = ?1 AND region = ?2 AND id = ?3";
    find(db, sql, [&scope.account, &scope.region, id], from_row)
}

/// The volumes of an instance, in the order in which they were made.
pub(crate) fn list_attached(db: &Connection, instance: &str) -> Answer<Vec<Volume>> {
    list(db, "SELECT * FROM volumes WHERE instance = ?1 ORDER BY seq", [instance], from_row)
}

/// Volumes on their own whose making was interrupted, of all accounts.
pub(crate) fn list_unfinished(db: &Connection) -> Answer<Vec<Volume>> {
    list(db, "SELECT * FROM volumes WHERE state = 'creating' AND instance IS NULL", [], from_row)
}

/// The ids of all volumes, of all accounts.
pub(crate) fn list_ids(db: &Connection) -> Answer<Vec<String>> {
    list(db, "SELECT id FROM volumes", [], |row| row.get(0))
}

/// Adds a volume.
pub(crate) fn insert_volume(db: &Connection, volume: &Volume) -> Answer<()> {
    run(
        db,
        "INSERT INTO volumes (id, account, region, zone, size, snapshot, kind, iops, throughput, state, created, kms_key) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            volume.id,
            volume.scope.account,
            volume.scope.region,
            volume.zone,
            volume.size,
            volume.snapshot,
            volume.kind,
            volume.iops,
            volume.throughput,
            volume.state,
            millis(volume.created),
            volume.kms_key,
        ],
    )?;
    if let Some(attachment) = &volume.attachment {
        attach(db, &volume.id, attachment)?;
        set_state(db, &volume.id, &volume.state)?;
    }
    Ok(())
}

/// Gives a volume its place in an instance.
pub(crate) fn attach(db: &Connection, id: &str, attachment: &Attachment) -> Answer<()> {
    let sql = "UPDATE volumes SET state = 'in-use', instance = ?2, device = ?3, attachment = ?4, attached_at = ?5, \
               delete_on_termination = ?6 WHERE id = ?1";
    let Attachment { instance, device, state, since, delete_on_termination } = attachment;
    run(db, sql, params![id, instance, device, state, millis(*since), delete_on_termination])?;
    Ok(())
}

/// Changes the state of a volume's attachment.
pub(crate) fn set_attachment(db: &Connection, id: &str, state: &str) -> Answer<()> {
    run(db, "UPDATE volumes SET attachment = ?2 WHERE id = ?1 AND instance IS NOT NULL", [id, state])?;
    Ok(())
}

/// Takes a volume out of its instance.
pub(crate) fn detach(db: &Connection, id: &str) -> Answer<()> {
    let sql = "UPDATE volumes SET state = 'available', instance = NULL, device = NULL, attachment = NULL, attached_at = NULL, \
               delete_on_termination = 0 WHERE id = ?1";
    run(db, sql, [id])?;
    Ok(())
}

/// Changes a volume's state.
pub(crate) fn set_state(db: &Connection, id: &str, state: &str) -> Answer<()> {
    run(db, "UPDATE volumes SET state = ?2 WHERE id = ?1", [id, state])?;
    Ok(())
}

/// Takes a volume away, with its tags.
pub(crate) fn delete_volume(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM volumes WHERE id = ?1", [id])?;
    tags::delete_all(db, id)?;
    tokens::forget(db, id)
}
