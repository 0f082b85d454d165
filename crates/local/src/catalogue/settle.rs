//! What time alone changes: completion, time-outs, the end of what was kept for a while.

use jiff::Timestamp;
use rusqlite::Connection;

use super::instances;
use super::list;
use super::millis;
use super::run;
use super::snapshots;
use crate::failure::Answer;

/// A terminated instance is shown for an hour (EC2 user guide, "Terminate your instance").
const TERMINATED_SHOWN_MS: i64 = 3_600_000;

/// Client tokens are kept for a day.
const TOKENS_KEPT_MS: i64 = 86_400_000;

/// Brings every row to `now`; the ids of the instances that are shown no longer.
pub(crate) fn settle(db: &Connection, now: Timestamp) -> Answer<Vec<String>> {
    let now = millis(now);
    run(db, "UPDATE snapshots SET state = 'completed' WHERE state = 'pending' AND completes_at <= ?1", [now])?;
    run(db, "UPDATE images SET state = 'available' WHERE state = 'pending' AND available_at <= ?1", [now])?;
    let late =
        "SELECT id FROM snapshots WHERE state = 'pending' AND completes_at IS NULL AND last_put + timeout_ms <= ?1";
    for id in list(db, late, [now], |row| row.get::<_, String>(0))? {
        tracing::info!(snapshot = id, "no block was put for too long; the snapshot is in error now");
        snapshots::fail_snapshot(db, &id)?;
    }
    let gone = "SELECT id FROM instances WHERE state = 'terminated' AND ended <= ?1";
    let gone: Vec<String> = list(db, gone, [now - TERMINATED_SHOWN_MS], |row| row.get(0))?;
    gone.iter().try_for_each(|id| instances::delete_instance(db, id))?;
    run(db, "DELETE FROM tokens WHERE at <= ?1", [now - TOKENS_KEPT_MS])?;
    Ok(gone)
}
