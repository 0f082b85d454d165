//! How fast calls may come: the EBS direct APIs have quotas of calls a second, for the account and for each snapshot.
//!
//! All calls of one client and its clones wait for the same places, so all that a process does together keeps to the quotas. Processes
//! that know of each other take a part each; the calls of all others are felt as throttles, at which the rate is halved.

mod bucket;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use bucket::Bucket;

use crate::wire::ApiError;
use crate::wire::Service;

/// Lanes of snapshots that were not used for this long are forgotten.
const IDLE: Duration = Duration::from_secs(60);

/// Calls a second that an action may make. A tenth under the quotas of Service Quotas (L-C125AE42, L-028ACFB9, L-AFAE1BE8, L-1774F84A,
/// L-18E976AB, L-DB2FBAA1, L-AFEBDF7A, L-1D4D9345), so that others get a word in.
fn rate_of(action: &str) -> Option<f64> {
    match action {
        "GetSnapshotBlock" | "PutSnapshotBlock" => Some(900.0),
        "ListSnapshotBlocks" | "ListChangedBlocks" => Some(45.0),
        "StartSnapshot" | "CompleteSnapshot" => Some(9.0),
        _ => None,
    }
}

/// Who waits for the same places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Lane {
    Account { region: String, action: &'static str },
    Snapshot { snapshot: String, action: &'static str },
}

/// The places of all lanes.
#[derive(Debug)]
pub(super) struct Pace {
    /// So many processes, this one among them, share the account's quotas.
    sharers: u16,
    buckets: Mutex<HashMap<Lane, Bucket>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::shared(1)
    }
}

/// The lanes of one call. Actions without a quota have none.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    rate: f64,
    account: Lane,
    snapshot: Option<Lane>,
}

impl Lanes {
    /// The lanes of a call, which reads or writes a block of this snapshot or none.
    pub(super) fn find(region: &str, service: Service, action: &'static str, snapshot: Option<&str>) -> Option<Self> {
        let rate = rate_of(action).filter(|_| service == Service::Ebs)?;
        let snapshot = snapshot.map(|id| Lane::Snapshot { snapshot: id.to_owned(), action });
        Some(Self { rate, account: Lane::Account { region: region.to_owned(), action }, snapshot })
    }

    fn all(&self) -> impl Iterator<Item = &Lane> {
        self.snapshot.iter().chain([&self.account])
    }
}

impl Pace {
    /// The places of one of `sharers` processes. A snapshot is read or written by one of them alone, so its lane is as wide as ever.
    pub(super) fn shared(sharers: u16) -> Self {
        Self { sharers: sharers.max(1), buckets: Mutex::default() }
    }

    fn rate(&self, lanes: &Lanes, lane: &Lane) -> f64 {
        match lane {
            Lane::Account { .. } => lanes.rate / f64::from(self.sharers),
            Lane::Snapshot { .. } => lanes.rate,
        }
    }

    /// Takes a place in each lane; the answer is how long it is until the later of them.
    pub(super) fn reserve(&self, lanes: &Lanes, now: Instant) -> Duration {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > 64 {
            buckets.retain(|_, bucket| !bucket.is_idle(now, IDLE));
        }
        let mut wait = |lane: &Lane| {
            let rate = self.rate(lanes, lane);
            buckets.entry(lane.clone()).or_insert_with(|| Bucket::new(rate, now)).reserve(now)
        };
        lanes.all().map(&mut wait).max().unwrap_or_default()
    }

    /// A call was throttled: the lane that the service names goes at half its rate, and gets faster again from there.
    pub(super) fn slow_down(&self, lanes: &Lanes, refusal: &ApiError, now: Instant) {
        let is_accounts =
            refusal.code == "ThrottlingException" || refusal.reason.as_deref() == Some("ACCOUNT_THROTTLED");
        let lane = lanes.snapshot.as_ref().filter(|_| !is_accounts).unwrap_or(&lanes.account);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(lane) {
            bucket.slow_down(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_without_a_quota_do_not_wait() {
        assert!(Lanes::find("eu-west-1", Service::Ec2, "DescribeImages", None).is_none());
        assert!(Lanes::find("eu-west-1", Service::Ebs, "ListSnapshotBlocks", None).is_some());
    }

    #[test]
    fn a_throttle_slows_the_lane_that_it_names() {
        let (pace, now) = (Pace::default(), Instant::now());
        let lanes =
            |snapshot: &str| Lanes::find("eu-west-1", Service::Ebs, "PutSnapshotBlock", Some(snapshot)).expect("lanes");
        let waits = |pace: &Pace, snapshot: &str| {
            let later = now + Duration::from_secs(1);
            (0..500).map(|_| pace.reserve(&lanes(snapshot), later)).max().expect("some")
        };
        pace.reserve(&lanes("snap-1"), now);
        let throttled = |code: &str| ApiError::client(code, "");
        pace.slow_down(&lanes("snap-1"), &throttled("RequestThrottledException"), now);
        let (slow, full) = (waits(&pace, "snap-1"), Duration::from_millis(460));
        assert!(slow > full * 3 / 2, "{slow:?}");
        let pace = Pace::default();
        pace.reserve(&lanes("snap-1"), now);
        pace.slow_down(&lanes("snap-1"), &throttled("ThrottlingException"), now);
        let others = waits(&pace, "snap-2");
        assert!(others > full * 3 / 2, "all snapshots of the account: {others:?}");
    }

    #[test]
    fn processes_share_the_accounts_places() {
        let (pace, now) = (Pace::shared(3), Instant::now());
        let lanes = Lanes::find("eu-west-1", Service::Ebs, "PutSnapshotBlock", Some("snap-1")).expect("lanes");
        let last = (0..600).map(|_| pace.reserve(&lanes, now)).max().expect("some");
        assert!(last > Duration::from_millis(1800), "a third of 900 a second: {last:?}");
    }

    #[test]
    fn snapshots_share_the_accounts_places() {
        let (pace, now) = (Pace::default(), Instant::now());
        let reserve = |number: u32| {
            let snapshot = format!("snap-{}", number % 8);
            pace.reserve(
                &Lanes::find("eu-west-1", Service::Ebs, "GetSnapshotBlock", Some(&snapshot)).expect("lanes"),
                now,
            )
        };
        let last = (0..1900).map(reserve).max().expect("some");
        assert!(last > Duration::from_millis(1900), "{last:?}");
    }
}
