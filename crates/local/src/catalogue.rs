//! The catalogue: every resource of every account and Region, in one SQLite file.
//!
//! Functions here read and write rows; the rules of the API stand in `ec2`, `direct` and `ssm`.

mod blocks;
pub(crate) mod encryption_defaults;
pub(crate) mod images;
pub(crate) mod instances;
pub(crate) mod key_pairs;
pub(crate) mod launch_templates;
pub(crate) mod parameters;
mod schema;
pub(crate) mod security_groups;
mod settle;
pub(crate) mod snapshots;
pub(crate) mod tags;
pub(crate) mod tokens;
pub(crate) mod volumes;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::TransactionBehavior;

use crate::failure::Answer;

pub(crate) use blocks::count_blocks;
pub(crate) use blocks::forget_blocks;
pub(crate) use blocks::list_blocks;
pub(crate) use blocks::list_unreferenced;
pub(crate) use blocks::note_block;
pub(crate) use settle::settle;

/// The name space of a call: whose resources, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    /// 12 digits.
    pub(crate) account: String,
    /// Such as `us-east-1`.
    pub(crate) region: String,
}

/// The open catalogue.
pub(crate) struct Catalogue {
    connection: Mutex<Connection>,
}

impl Catalogue {
    /// Opens `file`, made or brought to the newest schema where needed.
    pub(crate) fn open(file: &Path) -> Answer<Self> {
        let mut connection = Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A killed process loses nothing; after a power cut the newest commits may be gone, never half of one.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(200);
        schema::migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs `work` as one transaction: all of it happens when it answers, nothing when it fails.
    pub(crate) fn transact<T>(&self, work: impl FnOnce(&Connection) -> Answer<T>) -> Answer<T> {
        let mut connection = self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = work(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Makes all that was committed durable, against power cuts too.
    pub(crate) fn sync(&self) -> Answer<()> {
        let connection = self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(()))?;
        Ok(())
    }
}

/// Milliseconds since 1970, as rows hold instants.
pub(crate) fn millis(instant: Timestamp) -> i64 {
    instant.as_millisecond()
}

/// The instant of a row's milliseconds.
pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// All rows of a query that is prepared once.
fn list<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Answer<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params, row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The first row of a query.
fn find<T>(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Answer<Option<T>> {
    Ok(list(db, sql, params, row)?.into_iter().next())
}

/// Runs a statement; the number of rows that it changed.
fn run(db: &Connection, sql: &str, params: impl rusqlite::Params) -> Answer<usize> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}
