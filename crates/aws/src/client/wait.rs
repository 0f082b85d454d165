//! The one wait for something in AWS to come about.

use std::time::Duration;

use tokio::time::Instant;

/// It did not come about in time.
#[derive(Debug, thiserror::Error)]
#[error("waited {seconds} s for {what}, and it did not come; it may still: look again with `ovenbird doctor`")]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// For how long.
    pub seconds: u64,
}

/// Asks every `every` until `look` finds it, at most for `patience`.
///
/// # Errors
/// What `look` failed with, or [`TimedOut`].
pub async fn wait<T, E: From<TimedOut>>(
    what: impl Into<String>,
    patience: Duration,
    every: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>, E>,
) -> Result<T, E> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() + every > deadline {
            return Err(TimedOut { what: what.into(), seconds: patience.as_secs() }.into());
        }
        tokio::time::sleep(every).await;
    }
}
