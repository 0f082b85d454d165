//! Tags. They belong to the account that wrote them, also on a resource of somebody else.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::params;

use super::Scope;
use super::list;
use super::run;
use crate::failure::Answer;

/// Key and value.
pub(crate) type Tag = (String, String);

/// The tags of a resource, by key.
pub(crate) fn list_tags(db: &Connection, scope: &Scope, resource: &str) -> Answer<Vec<Tag>> {
    let sql = "SELECT key, value FROM tags WHERE account = ?1 AND region = ?2 AND resource = ?3 ORDER BY key";
    list(db, sql, params![scope.account, scope.region, resource], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// All tags of a name space whose resource's id begins with `prefix`, by resource.
pub(crate) fn map_tags(db: &Connection, scope: &Scope, prefix: &str) -> Answer<HashMap<String, Vec<Tag>>> {
    let sql = "SELECT resource, key, value FROM tags WHERE account = ?1 AND region = ?2 AND resource >= ?3 AND resource < ?4 \
               ORDER BY resource, key";
    let (from, to) = (format!("{prefix}-"), format!("{prefix}."));
    let mut map: HashMap<String, Vec<Tag>> = HashMap::new();
    for (resource, key, value) in list(db, sql, params![scope.account, scope.region, from, to], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
    })? {
        map.entry(resource).or_default().push((key, value));
    }
    Ok(map)
}

/// Every tag of a name space: resource, key, value.
pub(crate) fn list_all(db: &Connection, scope: &Scope) -> Answer<Vec<(String, String, String)>> {
    let sql = "SELECT resource, key, value FROM tags WHERE account = ?1 AND region = ?2 ORDER BY resource, key";
    list(db, sql, [&scope.account, &scope.region], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Writes tags over those of the same keys.
pub(crate) fn put_tags(db: &Connection, scope: &Scope, resource: &str, tags: &[Tag]) -> Answer<()> {
    for (key, value) in tags {
        let sql = "INSERT OR REPLACE INTO tags (account, region, resource, key, value) VALUES (?1, ?2, ?3, ?4, ?5)";
        run(db, sql, params![scope.account, scope.region, resource, key, value])?;
    }
    Ok(())
}

/// Deletes the tag `key`, only where it has `value` if one is given.
pub(crate) fn delete_tag(db: &Connection, scope: &Scope, resource: &str, key: &str, value: Option<&str>) -> Answer<()> {
    let sql = "DELETE FROM tags WHERE account = ?1 AND region = ?2 AND resource = ?3 AND key = ?4 AND (?5 IS NULL OR value = ?5)";
    run(db, sql, params![scope.account, scope.region, resource, key, value])?;
    Ok(())
}

/// Deletes every tag of a resource that is gone.
pub(crate) fn delete_all(db: &Connection, resource: &str) -> Answer<()> {
    run(db, "DELETE FROM tags WHERE resource = ?1", [resource])?;
    Ok(())
}
