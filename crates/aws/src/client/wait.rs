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

/// How much sooner than the others the second look comes. Much is there at once, and what is not costs three looks more.
const SOONER: u32 = 8;

/// Asks until `look` finds it, at most for `patience`: soon at first, then every `every`.
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
    let mut pause = every / SOONER;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() + pause > deadline {
            return Err(TimedOut { what: what.into(), seconds: patience.as_secs() }.into());
        }
        tokio::time::sleep(pause).await;
        pause = every.min(pause * 2);
    }
}
