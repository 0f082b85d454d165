//! Launch templates; each has one version.

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::params;

use super::Scope;
use super::find;
use super::instant;
use super::millis;
use super::run;
use super::tags;
use super::tokens;
use crate::failure::Answer;

/// A launch template.
#[derive(Clone, Debug)]
pub(crate) struct LaunchTemplate {
    /// `lt-` and 17 hex digits.
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// The request that made it, as a form.
    pub(crate) contents: Vec<u8>,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<LaunchTemplate> {
    Ok(LaunchTemplate {
        id: row.get("id")?,
        scope: Scope { account: row.get("account")?, region: row.get("region")? },
        name: row.get("name")?,
        created: instant(row.get("created")?),
        contents: row.get("contents")?,
    })
}

/// The template of this name or id.
pub(crate) fn find_template(db: &Connection, scope: &Scope, name_or_id: &str) -> Answer<Option<LaunchTemplate>> {
    let sql = "SELECT * FROM launch_templates WHERE account = ?1 AND region = ?2 AND (name = ?3 OR id = ?3)";
    find(db, sql, [&scope.account, &scope.region, name_or_id], from_row)
}

/// Adds a template; the name must be free.
pub(crate) fn insert_template(db: &Connection, template: &LaunchTemplate) -> Answer<()> {
    let sql =
        "INSERT INTO launch_templates (id, account, region, name, created, contents) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let LaunchTemplate { id, scope, name, created, contents } = template;
    run(db, sql, params![id, scope.account, scope.region, name, millis(*created), contents])?;
    Ok(())
}

/// Takes a template away, with its tags.
pub(crate) fn delete_template(db: &Connection, id: &str) -> Answer<()> {
    run(db, "DELETE FROM launch_templates WHERE id = ?1", [id])?;
    tags::delete_all(db, id)?;
    tokens::forget(db, id)
}
