//! Baking a fleet: which bakes there are to do when several services are wanted, and in which order they run.
//!
//! Services whose first layers are the same share them. So the layers that are missing form a tree, and each of its branches is one
//! bake: first what several services stand on, then each service's own.

use serde::Serialize;

use crate::layer::LayerKey;

mod schedule;
#[cfg(test)]
mod tests;

pub use schedule::Schedule;
pub use schedule::State;

/// A service that is to be baked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub service: String,
    /// The layers that are not there, the lowest first. None for a service whose layers can be shared with nobody's.
    pub missing: Vec<LayerKey>,
}

/// One bake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// What it makes.
    pub goal: Goal,
    /// The layers that it runs, the lowest first.
    pub layers: Vec<LayerKey>,
    /// The services that need it, by name.
    pub services: Vec<String>,
    /// The unit, by its place in the list, that makes the layer below; it is always an earlier one.
    pub needs: Option<usize>,
}

/// What a bake makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Layers that several services stand on; the key is the uppermost's.
    Layers(LayerKey),
    /// The image of this service.
    Image(String),
}

impl Unit {
    /// How many units must be over before it can run.
    #[must_use]
    pub fn stage(&self, units: &[Self]) -> usize {
        self.needs.and_then(|below| units.get(below)).map_or(0, |below| below.stage(units) + 1)
    }
}

/// The bakes that make all the wanted services, each missing layer in exactly one of them.
#[must_use]
pub fn units(wanted: &[Wanted]) -> Vec<Unit> {
    let mut units = Vec::new();
    let all = wanted.iter().map(|wanted| (wanted.service.as_str(), wanted.missing.as_slice())).collect();
    branch(all, None, &mut units);
    units
}

/// A service, and what it still misses above the layers that the units so far make.
type Rest<'a> = (&'a str, &'a [LayerKey]);

fn branch(services: Vec<Rest<'_>>, needs: Option<usize>, units: &mut Vec<Unit>) {
    let mut groups: Vec<Vec<Rest<'_>>> = Vec::new();
    for rest in services {
        // A service that misses nothing more stands alone.
        let stands_with = |group: &&mut Vec<Rest<'_>>| !rest.1.is_empty() && group[0].1.first() == rest.1.first();
        match groups.iter_mut().find(stands_with) {
            Some(group) => group.push(rest),
            None => groups.push(vec![rest]),
        }
    }
    for group in groups {
        let [(first, missing), ..] = group.as_slice() else { continue };
        if group.len() == 1 {
            units.push(image(first, missing, needs));
            continue;
        }
        let shared = common_start(&group);
        units.push(Unit {
            goal: Goal::Layers(missing[shared - 1]),
            layers: missing[..shared].to_vec(),
            services: group.iter().map(|(service, _)| (*service).to_owned()).collect(),
            needs,
        });
        let below = units.len() - 1;
        let rest = group.into_iter().map(|(service, missing)| (service, &missing[shared..])).collect();
        branch(rest, Some(below), units);
    }
}

fn image(service: &str, missing: &[LayerKey], needs: Option<usize>) -> Unit {
    Unit { goal: Goal::Image(service.to_owned()), layers: missing.to_vec(), services: vec![service.to_owned()], needs }
}

/// How many layers all of them begin with.
fn common_start(group: &[Rest<'_>]) -> usize {
    let [(_, first), others @ ..] = group else { return 0 };
    let same = |place: &usize| others.iter().all(|(_, other)| other.get(*place) == first.get(*place));
    (0..first.len()).take_while(same).count()
}
