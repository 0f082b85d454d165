//! One look for all: bakes that wait at the same time ask AWS with one call of each kind a second, however many they are.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use tokio::time::Instant;

use crate::error::BakeError;
use crate::error::calling;
use crate::interrupt::stop_if_interrupted;

/// How often AWS is asked. Packer's waits cost some 90 s per bake by asking every 15 to 120 s (packer.md 1.2).
const TICK: Duration = Duration::from_secs(1);
/// Values that one filter may have. (EC2 API reference, `Filter`)
const VALUES: usize = 200;

/// What bakes of one account and region wait for. Share it between bakes of a process.
#[derive(Debug, Default)]
pub struct Watch {
    pub(crate) instances: Board<ec2::Instance>,
    pub(crate) images: Board<ec2::Image>,
}

/// Things of one kind that are waited for, and how they looked last.
#[derive(Debug)]
pub(crate) struct Board<T> {
    /// How many wait for each.
    wanted: Mutex<BTreeMap<String, usize>>,
    seen: tokio::sync::Mutex<Seen<T>>,
}

#[derive(Debug)]
struct Seen<T> {
    at: Option<Instant>,
    asked: Vec<String>,
    found: BTreeMap<String, T>,
}

impl<T> Default for Board<T> {
    fn default() -> Self {
        Self {
            wanted: Mutex::default(),
            seen: tokio::sync::Mutex::new(Seen { at: None, asked: Vec::new(), found: BTreeMap::new() }),
        }
    }
}

/// What can be listed by ids. A thing that a listing does not have yet is no error: answers of AWS come before its listings.
pub(crate) trait Listed: Clone {
    /// Those of `ids` that there are.
    async fn list(client: &Client, ids: Vec<String>) -> Result<BTreeMap<String, Self>, aws::Error>;
}

impl<T: Listed> Board<T> {
    /// Looks every second until `judge` finds what it waits for.
    ///
    /// # Errors
    /// AWS's refusals, what `judge` fails with, an interrupt, or the end of `patience`.
    pub(crate) async fn wait_for<R>(
        &self,
        client: &Client,
        id: &str,
        (what, patience): (&str, Duration),
        mut judge: impl FnMut(Option<T>) -> Result<Option<R>, BakeError>,
    ) -> Result<R, BakeError> {
        let _waiting = Waiting::enter(&self.wanted, id);
        wait(what, patience, TICK, async || {
            stop_if_interrupted()?;
            let found = self.look(client, id).await.map_err(calling(format!("wait for {what}")))?;
            judge(found)
        })
        .await
    }

    /// How the thing looks: by the last look of anybody if that is fresh, else by a new one for all.
    async fn look(&self, client: &Client, id: &str) -> Result<Option<T>, aws::Error> {
        let mut seen = self.seen.lock().await;
        let is_fresh = seen.at.is_some_and(|at| at.elapsed() < TICK) && seen.asked.iter().any(|asked| asked == id);
        if !is_fresh {
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect::<Vec<_>>();
            let mut found = BTreeMap::new();
            for some in wanted.chunks(VALUES) {
                found.extend(T::list(client, some.to_vec()).await?);
            }
            *seen = Seen { at: Some(Instant::now()), asked: wanted, found };
        }
        Ok(seen.found.get(id).cloned())
    }
}

/// Somebody who waits.
struct Waiting<'a> {
    wanted: &'a Mutex<BTreeMap<String, usize>>,
    id: &'a str,
}

impl<'a> Waiting<'a> {
    fn enter(wanted: &'a Mutex<BTreeMap<String, usize>>, id: &'a str) -> Self {
        *wanted.lock().unwrap_or_else(PoisonError::into_inner).entry(id.to_owned()).or_default() += 1;
        Self { wanted, id }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = wanted.get_mut(self.id) {
            *count -= 1;
            if *count == 0 {
                wanted.remove(self.id);
            }
        }
    }
}

impl Listed for ec2::Instance {
    async fn list(client: &Client, ids: Vec<String>) -> Result<BTreeMap<String, Self>, aws::Error> {
        // By filter, not by ids: one that is not there yet would fail the look of all others.
        let filters = vec![Filter::new("instance-id", ids)];
        let pages = client.send_all(ec2::DescribeInstancesRequest { filters, ..Default::default() }).await?;
        let reservations = pages.into_iter().flat_map(|page| page.reservations);
        let instances = reservations.flat_map(|reservation| reservation.instances);
        Ok(instances.filter_map(|instance| Some((instance.instance_id.clone()?, instance))).collect())
    }
}

impl Listed for ec2::Image {
    async fn list(client: &Client, ids: Vec<String>) -> Result<BTreeMap<String, Self>, aws::Error> {
        let filters = vec![Filter::new("image-id", ids)];
        let owners = vec!["self".to_owned()];
        let pages = client.send_all(ec2::DescribeImagesRequest { filters, owners, ..Default::default() }).await?;
        let images = pages.into_iter().flat_map(|page| page.images);
        Ok(images.filter_map(|image| Some((image.image_id.clone()?, image))).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use super::*;

    static CALLS: AtomicUsize = AtomicUsize::new(0);

    /// Something that is ready at the third call.
    #[derive(Clone)]
    struct Thing(usize);

    impl Listed for Thing {
        async fn list(_: &Client, ids: Vec<String>) -> Result<BTreeMap<String, Self>, aws::Error> {
            assert!(ids.len() <= VALUES);
            let call = CALLS.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(ids.into_iter().map(|id| (id, Self(call))).collect())
        }
    }

    #[tokio::test]
    async fn many_that_wait_are_one_call_a_tick() {
        let client = Client::for_endpoint("http://127.0.0.1:1", "us-east-1", "key", "secret").await;
        let board = Board::<Thing>::default();
        let ids: Vec<String> = (0..50).map(|number| format!("i-{number}")).collect();
        let waits = ids.iter().map(|id| {
            board.wait_for(&client, id, ("it", Duration::from_secs(60)), |found| {
                Ok(found.filter(|thing| thing.0 >= 2).map(drop))
            })
        });
        for ended in futures::future::join_all(waits).await {
            ended.expect("it came");
        }
        // The first look is for whoever comes first; the next ones are for all.
        assert!((3..=5).contains(&CALLS.load(Ordering::Relaxed)), "{CALLS:?}");
        assert!(board.wanted.lock().expect("whole").is_empty());
    }
}
