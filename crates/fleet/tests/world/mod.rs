//! A world made by chance, and what the test itself knows about it.

pub(crate) mod model;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_core::block::Digest;

use crate::support::DAY;
use crate::support::Lab;
use crate::support::OTHER_ACCOUNT;
use crate::support::copy;
use crate::support::deregister;
use crate::support::images;
use crate::support::launch;
use crate::support::point;
use crate::support::register;
use crate::support::share;
use crate::support::snapshot;
use crate::support::tag;
use crate::support::terminate;
use crate::support::text;

/// SplitMix64.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).expect("below the limit")
    }

    fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A snapshot as it was made.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    contents: Vec<u64>,
    /// The key of the layer that it holds, and of the one below.
    pub(crate) layer: Option<(String, Option<String>)>,
}

/// Everything that speaks for images, as the test made it.
pub(crate) struct World {
    chance: Chance,
    pub(crate) snapshots: Vec<Snapshot>,
    images: Vec<String>,
    /// Image to instances that are not terminated.
    pub(crate) instances: Vec<(String, String)>,
    /// Parameter to the images that it named, in order.
    pub(crate) pointers: BTreeMap<String, Vec<String>>,
    /// Child and parent.
    pub(crate) descents: Vec<(String, String)>,
    pub(crate) shared: BTreeSet<String>,
    pub(crate) public: BTreeSet<String>,
    /// Pending copies' blocks are held by snapshots that the test did not make: copy to original.
    copied_snapshots: BTreeMap<String, Vec<u64>>,
    /// Another account's image, which it lets everybody launch.
    foreign: (String, Client),
}

fn key(number: usize, seed: u64) -> String {
    Digest::of(format!("layer {number} of {seed}").as_bytes()).hex()
}

impl World {
    pub(crate) async fn make(lab: &Lab, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let snapshots = make_snapshots(lab, seed, &mut chance).await;
        // Foreign blocks are blocks of our own too, so that the count is of our own.
        let other = lab.client_of(OTHER_ACCOUNT, &lab.url).await;
        let root = snapshot(&other, &snapshots[0].contents, &[]).await;
        lab.settle();
        let foreign = register(&other, "somebody's", &[root], &[("AutoCleanup", "true")]).await;
        share(&other, &foreign, None).await;
        tag(&lab.client, &foreign, "AutoCleanup", "true").await;
        let mut world = Self {
            chance,
            snapshots,
            images: Vec::new(),
            instances: Vec::new(),
            pointers: BTreeMap::new(),
            descents: Vec::new(),
            shared: BTreeSet::new(),
            public: BTreeSet::new(),
            copied_snapshots: BTreeMap::new(),
            foreign: (foreign, other),
        };
        world.register_images(lab, 30).await;
        world.stamp(lab, lab.at(DAY)).await;
        world.copy_images(lab, 4, false).await;
        world.use_images(lab).await;
        world.copy_images(lab, 2, true).await;
        world
    }

    async fn register_images(&mut self, lab: &Lab, count: usize) {
        for number in 0..count {
            // An image of a layer has that snapshot alone, as a bake makes it; others have one or two.
            let first = self.chance.pick(&self.snapshots);
            let mut roots = vec![first.id.clone()];
            if first.layer.is_none() && self.chance.one_in(4) {
                let plain: Vec<Snapshot> =
                    self.snapshots.iter().filter(|other| other.layer.is_none()).cloned().collect();
                roots.push(self.chance.pick(&plain).id);
            }
            let mut tags = Vec::new();
            if let Some((key, _)) = first.layer.as_ref().filter(|_| self.chance.one_in(2)) {
                tags.push(("ovenbird:key", key.clone()));
            }
            if number > 3 && self.chance.one_in(5) {
                let parent = self.chance.pick(&self.images);
                self.descents.push((format!("image {number}"), parent.clone()));
                tags.push(("ovenbird:base", parent));
            }
            let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (*key, value.as_str())).collect();
            let name = format!("image {number}");
            let image = register(&lab.client, &name, &roots, &tags).await;
            for (child, _) in self.descents.iter_mut().filter(|(child, _)| *child == name) {
                child.clone_from(&image);
            }
            self.images.push(image);
        }
    }

    /// Tags as others left them: missing, near misses, old, young, on the very limit, without an offset, in the future.
    pub(crate) async fn stamp(&mut self, lab: &Lab, now: Timestamp) {
        let there = images(&lab.client).await;
        self.images.retain(|image| there.contains_key(image));
        for image in self.images.clone() {
            let marks =
                [("AutoCleanup", "true"), ("AutoCleanup", "True"), ("autocleanup", "true"), ("AutoCleanup", "yes")];
            match self.chance.below(12) {
                0 => {}
                1 => {
                    let (key, value) = self.chance.pick(&marks[1..]);
                    tag(&lab.client, &image, key, value).await;
                }
                _ => tag(&lab.client, &image, marks[0].0, marks[0].1).await,
            }
            if let Some(value) = self.stamp_of(now) {
                tag(&lab.client, &image, "LastUsed", &value).await;
            }
            // Most were inventoried before; some by a clock or a script that cannot be trusted.
            match self.chance.below(12) {
                0 => tag(&lab.client, &image, "LastUsedRuntime", &text(now + SignedDuration::from_hours(300))).await,
                1 => tag(&lab.client, &image, "LastUsedRuntime", &text(now + SignedDuration::from_secs(100))).await,
                2 => tag(&lab.client, &image, "LastUsedRuntime", "about noon").await,
                3 => {
                    let value = now.strftime("%Y-%m-%d %H:%M:%S").to_string();
                    tag(&lab.client, &image, "LastUsedRuntime", &value).await;
                }
                4..8 => tag(&lab.client, &image, "LastUsedRuntime", &text(now - SignedDuration::from_mins(20))).await,
                _ => {}
            }
        }
    }

    fn stamp_of(&mut self, now: Timestamp) -> Option<String> {
        let ago = |seconds: i64| now - SignedDuration::from_secs(seconds);
        let naive = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        match self.chance.below(16) {
            0 => None,
            1 => Some(text(ago(7 * DAY))),
            2 => Some(text(ago(7 * DAY + 1))),
            3 => Some(naive(ago(7 * DAY + 14 * 3600))),
            4 => Some(naive(ago(7 * DAY + 14 * 3600 + 1))),
            5 => Some(text(ago(-10 * DAY))),
            6 => Some("last Tuesday".to_owned()),
            7 => Some(ago(9 * DAY).as_second().to_string()),
            8 => Some(text(ago(DAY))),
            _ => Some(text(ago(8 * DAY + i64::try_from(self.chance.below(100)).expect("small") * DAY))),
        }
    }

    async fn copy_images(&mut self, lab: &Lab, count: usize, pending: bool) {
        let sources = self.images.clone();
        for number in 0..count {
            let source = self.chance.pick(&sources);
            let with_tags = self.chance.one_in(2);
            let name = format!("copy {number}{}", if pending { " (pending)" } else { "" });
            let image = copy(&lab.client, &source, &name, with_tags).await;
            let described = images(&lab.client).await;
            let ids = |image: &str| model::roots(&described[image]);
            for (copied, original) in ids(&image).into_iter().zip(ids(&source)) {
                let contents = self.contents_of(&original);
                self.copied_snapshots.insert(copied, contents);
            }
            self.descents.push((image.clone(), source));
            self.images.push(image);
        }
        if pending {
            // The endpoint's clock goes back, so that they stay pending.
            lab.clock.advance(-200);
        } else {
            lab.settle();
        }
    }

    fn contents_of(&self, snapshot: &str) -> Vec<u64> {
        let made = self.snapshots.iter().find(|made| made.id == snapshot).map(|made| made.contents.clone());
        made.or_else(|| self.copied_snapshots.get(snapshot).cloned()).expect("a snapshot of this world")
    }

    async fn use_images(&mut self, lab: &Lab) {
        for state in ["running", "running", "stopped", "terminated", "failed", "running"] {
            let image = self.chance.pick(&self.images);
            let instance = launch(lab, &image, state).await;
            if !matches!(state, "terminated" | "failed") {
                self.instances.push((image, instance));
            }
        }
        launch(lab, &self.foreign.0.clone(), "running").await;
        for (parameter, moves) in [("/ovenbird/web/dev", 4), ("/ovenbird/web/prod", 1), ("/ovenbird/api/dev", 3)] {
            for _ in 0..moves {
                let image = self.chance.pick(&self.images);
                self.point(lab, parameter, &image).await;
            }
        }
        let named = self.pointers["/ovenbird/api/dev"].last().cloned().expect("named");
        // The same again: the way back is still the one before.
        self.point(lab, "/ovenbird/api/dev", &named).await;
        for account in [Some(OTHER_ACCOUNT), Some(OTHER_ACCOUNT), None] {
            let image = self.chance.pick(&self.images);
            share(&lab.client, &image, account).await;
            if account.is_some() {
                self.shared.insert(image)
            } else {
                self.public.insert(image)
            };
        }
        // Somebody takes an image away while a pointer, and perhaps a descent, still names it.
        let gone = self.chance.pick(&self.images);
        deregister(&lab.client, &gone).await;
        self.images.retain(|image| *image != gone);
    }

    async fn point(&mut self, lab: &Lab, parameter: &str, image: &str) {
        point(&lab.client, parameter, image).await;
        self.pointers.entry(parameter.to_owned()).or_default().push(image.to_owned());
    }

    /// Instances end, pointers move, images are registered and taken away.
    pub(crate) async fn live_on(&mut self, lab: &Lab) {
        lab.clock.advance(200);
        lab.settle();
        let there = images(&lab.client).await;
        self.images.retain(|image| there.contains_key(image));
        for _ in 0..2 {
            let number = self.chance.below(self.instances.len());
            let (_, instance) = self.instances.remove(number);
            terminate(&lab.client, &instance).await;
        }
        for parameter in ["/ovenbird/web/prod", "/ovenbird/web/dev"] {
            let image = self.chance.pick(&self.images);
            self.point(lab, parameter, &image).await;
        }
        let gone = self.chance.pick(&self.images);
        deregister(&lab.client, &gone).await;
        self.images.retain(|image| *image != gone);
        let image = self.chance.pick(&self.images);
        self.shared.insert(image.clone());
        share(&lab.client, &image, Some(OTHER_ACCOUNT)).await;
    }

    /// The own images that an instance or a pointer uses.
    pub(crate) fn used(&self, images: &BTreeMap<String, ec2::Image>) -> BTreeSet<String> {
        let instances = self.instances.iter().map(|(image, _)| image.clone());
        let pointers = self.pointers.values().filter_map(|history| history.last().cloned());
        instances.chain(pointers).filter(|image| images.contains_key(image)).collect()
    }

    /// Distinct blocks of the snapshots.
    pub(crate) fn count_blocks(&self, snapshots: &BTreeSet<String>) -> usize {
        // The foreign image has those of the first snapshot.
        let foreign = self.snapshots[0].contents.clone();
        let own = snapshots.iter().flat_map(|id| self.contents_of(id));
        own.chain(foreign).collect::<BTreeSet<u64>>().len()
    }

    /// Nobody touched what is not ours.
    pub(crate) async fn verify_others(&self, lab: &Lab) {
        let (image, other) = &self.foreign;
        let theirs = images(other).await;
        assert_eq!(theirs[image].tags.len(), 1, "their own tag alone");
        let request = ec2::DescribeImagesRequest { image_ids: vec![image.clone()], ..Default::default() };
        let seen = lab.client.send(request).await.expect("still there").images;
        assert_eq!(seen[0].tags.len(), 1, "our tag alone on the image of others");
    }
}

/// Six plain snapshots, and layers in chains; blocks are shared between them.
async fn make_snapshots(lab: &Lab, seed: u64, chance: &mut Chance) -> Vec<Snapshot> {
    let mut snapshots: Vec<Snapshot> = Vec::new();
    let contents = |chance: &mut Chance| vec![1 + chance.below(8) as u64, 1 + chance.below(30) as u64];
    for _ in 0..6 {
        let contents = contents(chance);
        let id = snapshot(&lab.client, &contents, &[]).await;
        snapshots.push(Snapshot { id, contents, layer: None });
    }
    for number in 0..14 {
        let contents = contents(chance);
        let below = (number > 0 && !chance.one_in(4)).then(|| key(chance.below(number), seed));
        let own = key(number, seed);
        let mut tags = vec![("ovenbird:layer", own.as_str())];
        tags.extend(below.iter().map(|below| ("ovenbird:parent", below.as_str())));
        let id = snapshot(&lab.client, &contents, &tags).await;
        snapshots.push(Snapshot { id, contents, layer: Some((own, below)) });
    }
    lab.settle();
    snapshots
}
