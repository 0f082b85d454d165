//! One lane's places in time. Pure: the time comes from outside.

use std::time::Duration;

use tokio::time::Instant;

/// The share of a second's calls that may come at once after a rest. With it and the rate together no second has more calls than the
/// quota that the rate stays a tenth under.
const BURST: f64 = 0.1;
/// The lowest rate, as a share of the highest.
const FLOOR: f64 = 0.1;
/// The rate gets back from nothing to its highest within this time.
const RECOVERY: Duration = Duration::from_secs(20);
/// Throttles within this time are of one cause, and count once.
const ONE_CAUSE: Duration = Duration::from_millis(500);

/// Gives places at a rate that is halved with every throttle and grows steadily without.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Calls a second at most.
    highest: f64,
    /// The rate at `since`.
    base: f64,
    since: Instant,
    throttled: Option<Instant>,
    /// When the next place would be, if places were given at the rate without any rest.
    next: Instant,
}

impl Bucket {
    pub(super) fn new(highest: f64, now: Instant) -> Self {
        Self { highest, base: highest, since: now, throttled: None, next: now }
    }

    /// Calls a second now.
    pub(super) fn rate(&self, now: Instant) -> f64 {
        let grown = now.saturating_duration_since(self.since).as_secs_f64() / RECOVERY.as_secs_f64() * self.highest;
        (self.base + grown).min(self.highest)
    }

    /// Takes the next place: how long it is until then. Places are in the order in which they are asked for.
    pub(super) fn reserve(&mut self, now: Instant) -> Duration {
        let ahead = Duration::from_secs_f64(BURST);
        self.next = self.next.max(now.checked_sub(ahead).unwrap_or(now));
        let wait = self.next.saturating_duration_since(now);
        self.next += Duration::from_secs_f64(1.0 / self.rate(now));
        wait
    }

    /// The service said that calls come too fast.
    pub(super) fn slow_down(&mut self, now: Instant) {
        if self.throttled.is_some_and(|last| now.saturating_duration_since(last) < ONE_CAUSE) {
            return;
        }
        self.base = (self.rate(now) / 2.0).max(self.highest * FLOOR);
        (self.since, self.throttled) = (now, Some(now));
    }

    /// Was it not used for this long?
    pub(super) fn is_idle(&self, now: Instant, time: Duration) -> bool {
        now.saturating_duration_since(self.next) > time && now.saturating_duration_since(self.since) > time
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Milliseconds until the next event, and whether it is a throttle.
    fn events() -> impl Strategy<Value = Vec<(u64, bool)>> {
        proptest::collection::vec(
            (prop_oneof![4 => Just(0), 2 => 0..5_u64, 1 => 0..3000_u64], prop::bool::weighted(0.02)),
            1..2500,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_second_has_more_calls_than_the_quota(rate in 1..=1000_u32, events in events()) {
            let rate = f64::from(rate);
            let mut now = Instant::now();
            let mut bucket = Bucket::new(rate, now);
            let mut calls: Vec<Instant> = Vec::new();
            for (later, is_throttle) in events {
                now += Duration::from_millis(later);
                if is_throttle {
                    bucket.slow_down(now);
                }
                calls.push(now + bucket.reserve(now));
            }
            prop_assert!(calls.is_sorted(), "places are in the order in which they are asked for");
            let quota = (rate * (1.0 + BURST)).ceil() + 1.0;
            for (first, start) in calls.iter().enumerate() {
                let within = calls[first..].iter().take_while(|call| **call < *start + Duration::from_secs(1)).count();
                prop_assert!(within as f64 <= quota, "{within} calls in a second at {rate}/s");
            }
        }

        #[test]
        fn the_rate_is_halved_has_a_floor_and_comes_back(throttles in proptest::collection::vec(0..4000_u64, 1..60)) {
            let mut now = Instant::now();
            let mut bucket = Bucket::new(900.0, now);
            let mut last = None;
            for later in throttles {
                now += Duration::from_millis(later);
                let before = bucket.rate(now);
                let counts = last.is_none_or(|last| now - last >= ONE_CAUSE);
                bucket.slow_down(now);
                let after = bucket.rate(now);
                if counts {
                    prop_assert!((after - (before / 2.0).max(90.0)).abs() < 1e-6);
                    last = Some(now);
                } else {
                    prop_assert!((after - before).abs() < 1e-6, "one cause counts once");
                }
                prop_assert!((90.0..=900.0).contains(&after));
            }
            prop_assert!((bucket.rate(now + RECOVERY) - 900.0).abs() < 1e-6);
        }
    }
}
