//! Faults that AWS is known for, made to happen: what a client has to survive (offline.md section 9).
//!
//! Which call meets which fault is one pure decision ([`decide`]); the door makes it come true, between believing a request and
//! dispatching it. With the same seed the same call (the third put of block 7, say) meets the same fault.

mod decide;
mod mode;
mod refusals;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use ovenbird_aws::ApiError;
use ovenbird_aws::wire::Service;

use decide::Asked;
use decide::fault_for;
pub use mode::Mode;
pub use table::BadFaults;
pub use table::FaultTable;

/// What happens to one call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// It is refused, and has no effect.
    Refuse(ApiError),
    /// It is never answered, and has no effect.
    Hang,
    /// It is answered late.
    Slow(Duration),
    /// It has its effect, and the connection ends in the middle of the answer.
    Cut,
    /// It has its effect, and the connection ends without an answer.
    Lose,
    /// It is answered otherwise than it should be.
    Twist(Twist),
}

/// How an answer differs from what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Twist {
    /// A first page without anything, and a token for the next.
    EmptyPage,
    /// A page with one thing.
    ShortPage,
    /// What was created within this time is not seen yet.
    Stale(Duration),
    /// A block with a byte that it does not have.
    WrongBlock,
    /// The block or page token has expired.
    ExpiredToken,
    /// What the call makes will fail.
    Doomed,
}

/// The faults of an endpoint. Clones share it, so it can be changed while the endpoint runs. By default there are none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    table: FaultTable,
    /// How often each kind of call came.
    asked: HashMap<(String, String), u64>,
    /// Pending snapshots in the order in which they were first written to, and how often each was.
    written: HashMap<String, (u64, u64)>,
    injected: BTreeMap<Mode, u64>,
}

impl Faults {
    /// The faults of this table.
    #[must_use]
    pub fn of(table: FaultTable) -> Self {
        let faults = Self::default();
        faults.set(table);
        faults
    }

    /// Puts another table in the place of the one before, and forgets what was counted.
    pub fn set(&self, table: FaultTable) {
        *self.lock() = State { table, ..State::default() };
    }

    /// What is switched on.
    #[must_use]
    pub fn table(&self) -> FaultTable {
        self.lock().table.clone()
    }

    /// How often each fault happened.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<Mode, u64> {
        self.lock().injected.clone()
    }

    /// What happens to this call.
    pub(crate) fn next(&self, service: Service, action: &str, path: &str) -> Option<Fault> {
        let mut state = self.lock();
        if state.table.is_empty() {
            return None;
        }
        let block = path.split_once("/blocks/").map_or("", |(_, block)| block);
        let nth = count(state.asked.entry((action.to_owned(), block.to_owned())).or_default());
        let is_write = matches!(action, "PutSnapshotBlock" | "CompleteSnapshot");
        let written = path.split('/').find(|part| is_write && part.starts_with("snap-")).map(|snapshot| {
            let known = state.written.len() as u64;
            let (ordinal, writes) = state.written.entry(snapshot.to_owned()).or_insert((known, 0));
            (*ordinal, count(writes))
        });
        let (mode, fault) = fault_for(&state.table, &Asked { service, action, block, nth, written })?;
        *state.injected.entry(mode).or_default() += 1;
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number so far; the next is one more.
fn count(number: &mut u64) -> u64 {
    *number += 1;
    *number - 1
}
