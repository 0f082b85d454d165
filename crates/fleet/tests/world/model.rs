//! The contract and the vetoes, written down a second time, as plainly as can be.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::DateTime;
use ovenbird_aws::ec2;

use super::World;
use crate::support::tag_of;

/// The earliest and the latest instant that a tag may mean.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let time = Timestamp::from_second(text.parse().expect("digits")).expect("in range");
        return Some((time, time));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some((time, time));
    }
    let digits: DateTime = text.parse().ok()?;
    let time = digits.to_zoned(jiff::tz::TimeZone::UTC).expect("in range").timestamp();
    Some((time - SignedDuration::from_hours(14), time + SignedDuration::from_hours(14)))
}

/// The latest instant that a tag may mean.
pub(crate) fn latest(text: &str) -> Option<Timestamp> {
    span(text).map(|(_, latest)| latest)
}

/// The snapshots of an image.
pub(crate) fn roots(image: &ec2::Image) -> Vec<String> {
    let ebs = image.block_device_mappings.iter().filter_map(|device| device.ebs.as_ref());
    ebs.filter_map(|ebs| ebs.snapshot_id.clone()).collect()
}

/// What must happen to the images of a world.
pub(crate) struct Model<'a> {
    world: &'a World,
    images: &'a BTreeMap<String, ec2::Image>,
    now: Timestamp,
}

impl<'a> Model<'a> {
    pub(crate) fn new(world: &'a World, images: &'a BTreeMap<String, ec2::Image>, now: Timestamp) -> Self {
        Self { world, images, now }
    }

    /// The images that somebody speaks for, and who.
    pub(crate) fn living(&self) -> Vec<(String, String)> {
        let world = self.world;
        let mut living: Vec<(String, String)> = Vec::new();
        living.extend(world.instances.iter().map(|(image, instance)| (image.clone(), format!("{instance} uses it"))));
        for (parameter, history) in &world.pointers {
            let current = history.last().expect("written");
            living.push((current.clone(), format!("{parameter} names it")));
            let previous = history.iter().rev().find(|image| *image != current);
            living.extend(previous.map(|image| (image.clone(), format!("{parameter} named it"))));
        }
        let mut pointed: BTreeSet<String> =
            living.iter().filter(|(_, why)| why.starts_with('/')).map(|(image, _)| image.clone()).collect();
        let is_pending =
            |image: &String| self.images.get(image).is_some_and(|image| image.state.as_deref() == Some("pending"));
        pointed.extend(self.images.keys().filter(|image| is_pending(image)).cloned());
        // Downwards from what is named or being made, through every image that still tells of its parent.
        loop {
            let tells = |child: &String| self.images.contains_key(child);
            let parents = world.descents.iter().filter(|(child, _)| pointed.contains(child) && tells(child));
            let new: Vec<String> =
                parents.map(|(_, parent)| parent.clone()).filter(|parent| !pointed.contains(parent)).collect();
            if new.is_empty() {
                break;
            }
            living.extend(new.iter().map(|parent| (parent.clone(), "its descendant is needed".to_owned())));
            pointed.extend(new);
        }
        living.extend(world.shared.iter().map(|image| (image.clone(), "it is shared".to_owned())));
        living.extend(world.public.iter().map(|image| (image.clone(), "it is public".to_owned())));
        living.retain(|(image, _)| self.images.contains_key(image));
        living
    }

    /// The images that must go.
    pub(crate) fn doomed(&self) -> BTreeSet<String> {
        let living: BTreeSet<String> = self.living().into_iter().map(|(image, _)| image).collect();
        let goes = |(id, image): &(&String, &ec2::Image)| {
            !living.contains(*id) && image.state.as_deref() == Some("available") && self.contract(image)
        };
        self.images.iter().filter(goes).map(|(id, _)| id.clone()).collect()
    }

    fn contract(&self, image: &ec2::Image) -> bool {
        let week = SignedDuration::from_hours(7 * 24);
        let is_old =
            |text: Option<&str>| text.and_then(latest).is_some_and(|time| self.now.duration_since(time) > week);
        let is_fresh = |(earliest, _): (Timestamp, Timestamp)| {
            let age = self.now.duration_since(earliest);
            age < SignedDuration::from_hours(1) && age >= -SignedDuration::from_mins(2)
        };
        tag_of(image, "AutoCleanup") == Some("true")
            && is_old(tag_of(image, "LastUsed"))
            && is_old(image.creation_date.as_deref())
            && tag_of(image, "LastUsedRuntime").and_then(span).is_some_and(is_fresh)
    }

    /// The snapshots that must be left of `before`; all were started at about `started`.
    pub(crate) fn snapshots_left(
        &self,
        before: &BTreeSet<String>,
        images: &BTreeMap<String, ec2::Image>,
        started: Timestamp,
    ) -> BTreeSet<String> {
        let doomed = self.doomed();
        let (gone, left): (Vec<_>, Vec<_>) = images.iter().partition(|(id, _)| doomed.contains(*id));
        let held: BTreeSet<String> = left.iter().flat_map(|(_, image)| roots(image)).collect();
        let freed: BTreeSet<String> = gone.iter().flat_map(|(_, image)| roots(image)).collect();
        let stood_on: BTreeSet<String> = left.iter().flat_map(|(_, image)| self.layers_of(image)).collect();
        let is_old = self.now.duration_since(started) > SignedDuration::from_hours(7 * 24);
        let stays = |id: &&String| {
            let made = self.world.snapshots.iter().find(|made| made.id == **id);
            let layer = made.and_then(|made| made.layer.as_ref());
            match layer {
                _ if held.contains(*id) => true,
                Some((key, _)) if stood_on.contains(key) => true,
                Some(_) => !is_old,
                None => !freed.contains(*id),
            }
        };
        before.iter().filter(stays).cloned().collect()
    }

    /// The keys of the layers that an image stands on, as they were baked.
    fn layers_of(&self, image: &ec2::Image) -> BTreeSet<String> {
        let layers: Vec<&(String, Option<String>)> =
            self.world.snapshots.iter().filter_map(|made| made.layer.as_ref()).collect();
        let own = roots(image);
        let made = self.world.snapshots.iter().filter(|made| own.contains(&made.id));
        let own = made.filter_map(|made| Some(made.layer.as_ref()?.0.clone()));
        let mut next: Vec<String> = own.chain(tag_of(image, "ovenbird:key").map(str::to_owned)).collect();
        let mut keys = BTreeSet::new();
        while let Some(key) = next.pop() {
            next.extend(layers.iter().filter(|(own, _)| *own == key).filter_map(|(_, below)| below.clone()));
            keys.insert(key);
        }
        keys
    }
}
