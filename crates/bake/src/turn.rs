//! Work that one process of a machine does for all, while the others wait for it instead of doing it too.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ovenbird_disk::wait::WaitError;
use ovenbird_disk::wait::wait_until;

use crate::error::BakeError;
use crate::error::working;

/// How long the work of another process may take before we give up on it.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The right to do the work, until it is dropped. The kernel drops it for a process that dies.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until nobody else has `file`. Then look first whether there is anything left to do.
    ///
    /// # Errors
    /// The disk's; [`BakeError::Interrupted`].
    pub(crate) fn take(file: &Path, doing: &str) -> Result<Self, BakeError> {
        if let Some(folder) = file.parent() {
            fs_err::create_dir_all(folder).map_err(working(doing))?;
        }
        let open = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(file);
        let lock = open.map_err(working(doing))?.into_parts().0;
        let taken = wait_until(PATIENCE, Duration::from_millis(100), || lock.try_lock().is_ok().then_some(()));
        taken.map_err(|error| match error {
            WaitError::Interrupted => BakeError::Interrupted,
            WaitError::Deadline(_) => working(format!("{doing}: another process does so, and does not end"))(error),
        })?;
        Ok(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn one_works_at_a_time() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, working) = (dir.path().join("a/lock"), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let _turn = Turn::take(&file, "test").expect("a turn");
                    assert_eq!(working.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    working.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }
}
