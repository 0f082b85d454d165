//! System tests take turns: whatever runs them, two never run side by side.

use std::fs::File;

use super::home::shared_cache;

/// The right to use the machine, until it is dropped. The kernel drops it for a process that dies.
pub struct Turn {
    _lock: File,
}

impl Turn {
    pub fn take() -> Self {
        let file = fs_err::File::create(shared_cache().join("system-tests.lock")).expect("the lock").into_file();
        file.lock().expect("the lock is free sooner or later");
        Self { _lock: file }
    }
}
