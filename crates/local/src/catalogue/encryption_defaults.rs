//! What accounts say of the encryption of their new volumes and snapshots.

use rusqlite::Connection;
use rusqlite::params;

use super::Scope;
use super::find;
use super::run;
use crate::failure::Answer;

/// An account's word on encryption in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EncryptionDefaults {
    /// Is everything new encrypted, whether asked for or not?
    pub(crate) is_on: bool,
    /// The ARN of the key where none is named; `None` for the one that AWS manages.
    pub(crate) kms_key: Option<String>,
}

/// The word of `scope`; off where it never said any.
pub(crate) fn of_scope(db: &Connection, scope: &Scope) -> Answer<EncryptionDefaults> {
    let sql = "SELECT is_on, kms_key FROM encryption_defaults WHERE account = ?1 AND region = ?2";
    let found = find(db, sql, [&scope.account, &scope.region], |row| {
        Ok(EncryptionDefaults { is_on: row.get("is_on")?, kms_key: row.get("kms_key")? })
    })?;
    Ok(found.unwrap_or_default())
}

/// Replaces the word of `scope`.
pub(crate) fn put(db: &Connection, scope: &Scope, defaults: &EncryptionDefaults) -> Answer<()> {
    let sql = "INSERT OR REPLACE INTO encryption_defaults (account, region, is_on, kms_key) VALUES (?1, ?2, ?3, ?4)";
    run(db, sql, params![scope.account, scope.region, defaults.is_on, defaults.kms_key])?;
    Ok(())
}
