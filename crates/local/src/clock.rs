//! The endpoint's one clock.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use jiff::Timestamp;

/// The time as the endpoint knows it: the machine's, moved by what a test asks for.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead_seconds.load(Ordering::Relaxed));
        #[expect(clippy::disallowed_methods, reason = "this is the endpoint's clock that the ban points to")]
        let now = Timestamp::now();
        now.saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock by this many seconds, for everybody who holds a clone of it.
    pub fn advance(&self, seconds: i64) {
        self.ahead_seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}
