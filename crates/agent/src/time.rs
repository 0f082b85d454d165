//! The one place that reads clocks and waits.

use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::time::Duration;
use std::time::Instant;

use jiff::Timestamp;

/// The wall clock.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the agent's edge: signatures and state files need the instance's own clock"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A moment after which nobody waits any more. It does not move when the wall clock is set.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
}

impl Deadline {
    /// The deadline `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self { end: Instant::now() + span }
    }

    /// The earlier one of this deadline and `span` from now.
    #[must_use]
    pub fn within(&self, span: Duration) -> Self {
        Self { end: self.end.min(Instant::now() + span) }
    }

    /// What is left; zero when it is over.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Waits for `span`; false, at once, when the deadline comes before its end.
    #[must_use]
    pub fn pause(&self, span: Duration) -> bool {
        let in_time = span < self.remaining();
        if in_time {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the poll that the ban points to; the agent does not depend on crates/disk"
            )]
            std::thread::sleep(span);
        }
        in_time
    }
}

/// Pauses between tries: random up to a bound that doubles, so that a fleet that starts together does not retry together
/// ("full jitter").
#[derive(Clone, Debug)]
pub struct Backoff {
    bound: Duration,
    most: Duration,
}

impl Backoff {
    /// Bounds from `first` to `most`.
    #[must_use]
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { bound: first, most }
    }

    /// The next pause; at least a tenth of the bound, so that a refused connection is no busy loop.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.bound.mul_f64(0.1 + 0.9 * random_fraction());
        self.bound = (self.bound * 2).min(self.most);
        pause
    }
}

/// Between 0 and 1.
#[expect(clippy::cast_precision_loss, reason = "a random number has no precision to lose")]
fn random_fraction() -> f64 {
    random_bits() as f64 / u64::MAX as f64
}

/// 64 random bits, good for jitter and message ids, not for keys.
#[must_use]
pub fn random_bits() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_never_passes_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(30));
        assert!(deadline.pause(Duration::from_millis(5)));
        let before = Instant::now();
        assert!(!deadline.pause(Duration::from_secs(60)));
        assert!(before.elapsed() < Duration::from_secs(1));
        assert!(!deadline.is_over() || deadline.remaining().is_zero());
    }

    #[test]
    fn pauses_grow_to_their_bound_and_differ() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let pauses: Vec<Duration> = (0..200).map(|_| backoff.next_pause()).collect();
        assert!(pauses[0] <= Duration::from_millis(100));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(1)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(500)));
        assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
