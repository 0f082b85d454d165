//! Work that one process of a machine does for all, while the others wait for it instead of doing it too.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ovenbird_aws::client::wait;
use ovenbird_disk::wait::WaitError;
use ovenbird_disk::wait::wait_until;

use crate::error::BakeError;
use crate::error::working;
use crate::interrupt::stop_if_interrupted;

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
        let lock = open(file, doing)?;
        let taken = wait_until(PATIENCE, Duration::from_millis(100), || lock.try_lock().is_ok().then_some(()));
        taken.map_err(|error| match error {
            WaitError::Interrupted => BakeError::Interrupted,
            WaitError::Deadline(_) => working(format!("{doing}: another process does so, and does not end"))(error),
        })?;
        Ok(Self { _lock: lock })
    }

    /// The same for work that other bakes of this thread may be at: they go on meanwhile.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) async fn wait_for(file: &Path, doing: &str) -> Result<Self, BakeError> {
        let lock = open(file, doing)?;
        wait(format!("another bake to {doing}"), PATIENCE, Duration::from_secs(1), async || {
            stop_if_interrupted()?;
            Ok::<_, BakeError>(lock.try_lock().is_ok().then_some(()))
        })
        .await?;
        Ok(Self { _lock: lock })
    }
}

fn open(file: &Path, doing: &str) -> Result<File, BakeError> {
    if let Some(folder) = file.parent() {
        fs_err::create_dir_all(folder).map_err(working(doing))?;
    }
    let open = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(file);
    Ok(open.map_err(working(doing))?.into_parts().0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::atomic::Ordering;

    use super::*;

    #[tokio::test]
    async fn those_of_one_thread_wait_for_each_other() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, working) = (dir.path().join("lock"), AtomicU32::new(0));
        let work = async || {
            let _turn = Turn::wait_for(&file, "test").await.expect("a turn");
            assert_eq!(working.fetch_add(1, Ordering::SeqCst), 0);
            tokio::time::sleep(Duration::from_millis(10)).await;
            working.fetch_sub(1, Ordering::SeqCst);
        };
        futures::future::join(work(), work()).await;
    }

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
