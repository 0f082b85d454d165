//! What became of each service, from how the bakes ended that it needs.

use ovenbird_core::rebuild::Goal;
use ovenbird_core::rebuild::State;
use ovenbird_core::rebuild::Unit;
use serde::Serialize;

use super::planning::Fleet;
use super::run::Ended;
use super::show::name;
use super::show::why;

/// What became of a service.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) image: Option<String>,
    /// Layers that ran for it alone.
    pub(super) layers: usize,
    /// Blocks that those changed.
    pub(super) blocks: u64,
    pub(super) seconds: f64,
    pub(super) why: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Nothing changed.
    Reused,
    Baked,
    Failed,
    /// What it stands on failed, or somebody interrupted before it began.
    Skipped,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Reused => "reused",
            Self::Baked => "baked",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Service {
    /// It has no image of its present inputs.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::Skipped)
    }

    fn of(name: &str, outcome: Outcome, image: Option<String>, why: Vec<String>) -> Self {
        Self { name: name.to_owned(), outcome, image, layers: 0, blocks: 0, seconds: 0.0, why }
    }
}

/// Every service of the fleet, by name.
pub(super) fn services(fleet: &Fleet, units: &[Unit], ended: &[Ended]) -> Vec<Service> {
    let service = |(service, planned): (&String, &Result<super::planning::Planned, crate::failure::Failure>)| {
        let planned = match planned {
            Ok(planned) => planned,
            Err(failure) => return Service::of(service, Outcome::Failed, None, vec![failure.sentence()]),
        };
        if let Some(image) = &planned.plan.existing {
            return Service::of(service, Outcome::Reused, Some(image.id.clone()), vec!["nothing changed".to_owned()]);
        }
        let place = units.iter().position(|unit| unit.goal == Goal::Image(service.clone()));
        place.map_or_else(
            || Service::of(service, Outcome::Skipped, None, Vec::new()),
            |place| baked(fleet, units, service, (&units[place], &ended[place])),
        )
    };
    fleet.services.iter().map(service).collect()
}

fn baked(fleet: &Fleet, units: &[Unit], service: &str, (unit, ended): (&Unit, &Ended)) -> Service {
    let (outcome, why) = match ended.state {
        State::Done => (Outcome::Baked, why(fleet, unit)),
        State::Failed => (Outcome::Failed, ended.error.clone().into_iter().collect()),
        State::Skipped(cause) => (Outcome::Skipped, vec![format!("{} failed", name(fleet, &units[cause]))]),
        State::Waiting | State::Running => (Outcome::Skipped, vec!["interrupted".to_owned()]),
    };
    Service {
        layers: ended.layers,
        blocks: ended.blocks,
        seconds: ended.took.as_secs_f64(),
        ..Service::of(service, outcome, ended.image.clone(), why)
    }
}
