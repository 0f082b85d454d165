//! System tests take turns, whatever runs them: one that launches instances runs alone, of those that only bake two may run side by side.
//!
//! A bake takes a copy of all mounts of the machine, and would hold those of an instance that goes meanwhile; bakes mount where no other sees it.

use std::fs::File;
use std::time::Duration;

use ovenbird_disk::wait::wait_until;

use super::home::shared_cache;

/// As many as the smallest machine has processors.
const SIDE_BY_SIDE: usize = 2;
/// Longer than all tests together.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The right to use the machine, until it is dropped. The kernel drops it for a process that dies.
pub struct Turn {
    _places: Vec<File>,
}

impl Turn {
    /// Waits for all others to end.
    pub fn alone() -> Self {
        let take = |place| {
            let file = open(place);
            file.lock().expect("the lock is free sooner or later");
            file
        };
        Self { _places: (0..SIDE_BY_SIDE).map(take).collect() }
    }

    /// Waits for a place beside another that takes it so.
    pub fn beside_another() -> Self {
        let find = || (0..SIDE_BY_SIDE).map(open).find(|file| file.try_lock().is_ok());
        let place = wait_until(DAY, Duration::from_millis(100), find).expect("a place is free sooner or later");
        Self { _places: vec![place] }
    }
}

fn open(place: usize) -> File {
    fs_err::File::create(shared_cache().join(format!("system-tests-{place}.lock"))).expect("the lock").into_file()
}
