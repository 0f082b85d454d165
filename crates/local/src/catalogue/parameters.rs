//! Parameters and their history: every version is a row.

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

/// A version of a parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) version: i64,
    /// `String`, `StringList` or `SecureString`.
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) data_type: String,
    pub(crate) description: Option<String>,
    pub(crate) tier: String,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) modified: Timestamp,
    pub(crate) modified_by: String,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Parameter> {
    Ok(Parameter {
        name: row.get("name")?,
        version: row.get("version")?,
        kind: row.get("kind")?,
        value: row.get("value")?,
        data_type: row.get("data_type")?,
        description: row.get("description")?,
        tier: row.get("tier")?,
        allowed_pattern: row.get("allowed_pattern")?,
        modified: instant(row.get("modified")?),
        modified_by: row.get("modified_by")?,
    })
}

/// The newest version of `name`, or the one asked for.
pub(crate) fn find_parameter(
    db: &Connection,
    scope: &Scope,
    name: &str,
    version: Option<i64>,
) -> Answer<Option<Parameter>> {
    let sql = "SELECT * FROM parameters WHERE account = ?1 AND region = ?2 AND name = ?3 AND (?4 IS NULL OR version = ?4) \
               ORDER BY version DESC LIMIT 1";
    find(db, sql, params![scope.account, scope.region, name, version], from_row)
}

/// Every version of `name`, oldest first.
pub(crate) fn list_versions(db: &Connection, scope: &Scope, name: &str) -> Answer<Vec<Parameter>> {
    let sql = "SELECT * FROM parameters WHERE account = ?1 AND region = ?2 AND name = ?3 ORDER BY version";
    list(db, sql, params![scope.account, scope.region, name], from_row)
}

/// The newest version of every parameter whose name begins with `prefix`, by name.
pub(crate) fn list_newest(db: &Connection, scope: &Scope, prefix: &str) -> Answer<Vec<Parameter>> {
    let sql = "SELECT * FROM parameters AS newest WHERE account = ?1 AND region = ?2 AND substr(name, 1, length(?3)) = ?3 \
               AND version = (SELECT max(version) FROM parameters WHERE account = ?1 AND region = ?2 AND name = newest.name) \
               ORDER BY name";
    list(db, sql, params![scope.account, scope.region, prefix], from_row)
}

/// Adds a version, and drops those that are older than the newest `keep`.
pub(crate) fn insert_version(db: &Connection, scope: &Scope, parameter: &Parameter, keep: i64) -> Answer<()> {
    let sql = "INSERT INTO parameters (account, region, name, version, kind, value, data_type, description, tier, allowed_pattern, \
               modified, modified_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let Parameter { name, version, kind, value, data_type, description, tier, allowed_pattern, modified, modified_by } =
        parameter;
    run(
        db,
        sql,
        params![
            scope.account,
            scope.region,
            name,
            version,
            kind,
            value,
            data_type,
            description,
            tier,
            allowed_pattern,
            millis(*modified),
            modified_by
        ],
    )?;
    let sql = "DELETE FROM parameters WHERE account = ?1 AND region = ?2 AND name = ?3 AND version <= ?4";
    run(db, sql, params![scope.account, scope.region, name, version - keep])?;
    Ok(())
}

/// Takes a parameter away with its history; was there one?
pub(crate) fn delete_parameter(db: &Connection, scope: &Scope, name: &str) -> Answer<bool> {
    let sql = "DELETE FROM parameters WHERE account = ?1 AND region = ?2 AND name = ?3";
    let deleted = run(db, sql, params![scope.account, scope.region, name])?;
    tags::delete_all(db, &format!("parameter{name}"))?;
    Ok(deleted > 0)
}
