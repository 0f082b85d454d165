//! How long and how often a call is tried.

use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// Bounds of one call. The defaults suit AWS; an instance that boots against a deadline, or a test, has less patience.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Until a connection stands.
    pub connect: Duration,
    /// One try, from connect to the last byte. Block uploads are known to hang for ever without it (coldsnap#437).
    pub attempt: Duration,
    /// All tries of one call together.
    pub call: Duration,
    /// Tries of one call, the first included. Packer's default too; throttled accounts need them.
    pub attempts: u32,
    /// The longest pause before the second try; it doubles with every further one, and the pause itself is drawn by chance.
    pub first_backoff: Duration,
    /// The longest pause between two tries.
    pub max_backoff: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(20),
            call: Duration::from_secs(120),
            attempts: 10,
            first_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(10),
        }
    }
}

impl Patience {
    pub(super) fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.call)
            .build()
    }

    pub(super) fn retries(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(self.first_backoff)
            .with_max_backoff(self.max_backoff)
    }
}
