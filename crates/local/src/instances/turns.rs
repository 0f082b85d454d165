//! One step at a time for each instance.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Everybody's turns.
#[derive(Default)]
pub(crate) struct Turns {
    turns: Mutex<HashMap<String, Turn>>,
}

/// The turns of one instance.
#[derive(Clone, Default)]
pub(crate) struct Turn(Arc<Mutex<()>>);

impl Turns {
    /// The turns of the instance `id`.
    pub(crate) fn of(&self, id: &str) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Turns that nobody holds need not be remembered.
        turns.retain(|_, turn| Arc::strong_count(&turn.0) > 1);
        turns.entry(id.to_owned()).or_default().clone()
    }
}

impl Turn {
    /// Has somebody the turn now?
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self.0.try_lock(), Err(std::sync::TryLockError::WouldBlock))
    }

    /// Waits until it is free, and has it until the answer is dropped.
    pub(crate) fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
