//! Client tokens: the same call made twice makes one thing.

use jiff::Timestamp;
use ovenbird_core::block::Digest;
use rusqlite::Connection;
use rusqlite::params;

use super::Scope;
use super::find;
use super::millis;
use super::run;
use crate::failure::Answer;

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// Not used yet.
    Never,
    /// Used by the same request, which made this id.
    Same(String),
    /// Used by another request.
    Differently,
}

/// What `action` made with `token`. `request` is the request's text: two requests are the same when their texts are.
pub(crate) fn find_spent(db: &Connection, scope: &Scope, action: &str, token: &str, request: &str) -> Answer<Spent> {
    let sql = "SELECT request, made FROM tokens WHERE account = ?1 AND region = ?2 AND action = ?3 AND token = ?4";
    let found = find(db, sql, params![scope.account, scope.region, action, token], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    Ok(match found {
        None => Spent::Never,
        Some((before, made)) if before == Digest::of(request.as_bytes()).hex() => Spent::Same(made),
        Some(_) => Spent::Differently,
    })
}

/// Notes that `action` made `made` with `token`.
pub(crate) fn spend(
    db: &Connection,
    scope: &Scope,
    action: &str,
    token: &str,
    request: &str,
    made: &str,
    now: Timestamp,
) -> Answer<()> {
    let request = Digest::of(request.as_bytes()).hex();
    let sql =
        "INSERT INTO tokens (account, region, action, token, request, made, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    run(db, sql, params![scope.account, scope.region, action, token, request, made, millis(now)])?;
    Ok(())
}

/// What was made is gone; its token may be used anew.
pub(crate) fn forget(db: &Connection, made: &str) -> Answer<()> {
    run(db, "DELETE FROM tokens WHERE made = ?1", [made])?;
    Ok(())
}
