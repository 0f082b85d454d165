//! Key pairs: the public halves. The private half is in the answer of CreateKeyPair and nowhere else.

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
use crate::failure::Answer;

/// A key pair.
#[derive(Clone, Debug)]
pub(crate) struct KeyPair {
    /// `key-` and 17 hex digits.
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    /// `rsa` or `ed25519`.
    pub(crate) kind: String,
    /// In OpenSSH's form: type and base64.
    pub(crate) public_key: String,
    pub(crate) fingerprint: String,
    pub(crate) created: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<KeyPair> {
    Ok(KeyPair {
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        name: row.get("name")?,
        kind: row.get("kind")?,
        public_key: row.get("public_key")?,
        fingerprint: row.get("fingerprint")?,
        created: instant(row.get("created")?),
    })
}

/// All key pairs of a name space, oldest first.
pub(crate) fn list_key_pairs(db: &Connection, scope: &Scope) -> Answer<Vec<KeyPair>> {
    let sql = "SELECT * FROM key_pairs WHERE account = ?1 AND region = ?2 ORDER BY seq";
    list(db, sql, [&scope.account, &scope.region], from_row)
}

/// The key pair of this name or id.
pub(crate) fn find_key_pair(db: &Connection, scope: &Scope, name_or_id: &str) -> Answer<Option<KeyPair>> {
    let sql = "SELECT * FROM key_pairs WHERE account = ?1 AND region = ?2 AND (name = ?3 OR id = ?3)";
    find(db, sql, [&scope.account, &scope.region, name_or_id], from_row)
}

/// Adds a key pair; the name must be free.
pub(crate) fn insert_key_pair(db: &Connection, pair: &KeyPair) -> Answer<()> {
    run(
        db,
        "INSERT INTO key_pairs (id, account, region, name, kind, public_key, fingerprint, created) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            pair.id,
            pair.scope.account,
            pair.scope.region,
            pair.name,
            pair.kind,
            pair.public_key,
            pair.fingerprint,
            millis(pair.created)
        ],
    )?;
    Ok(())
}

/// Takes a key pair away, with its tags.
pub(crate) fn delete_key_pair(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM key_pairs WHERE id = ?1", [id])?;
    tags::delete_all(db, id)
}
