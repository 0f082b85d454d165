//! Which bakes run when. Asked again whenever one ends.
//!
//! Laws: no unit starts before the one that it needs is done; no more than `jobs` run at a time; a failure stops only those that
//! need the failed one; as long as anything can run, something runs.

use super::Unit;

/// How a unit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    Waiting,
    /// It runs.
    Running,
    /// It ended well.
    Done,
    /// It failed.
    Failed,
    /// It will not run, since this unit, by its place, failed.
    Skipped(usize),
}

/// The units of a rebuild under way.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    units: &'a [Unit],
    states: Vec<State>,
    jobs: usize,
}

impl<'a> Schedule<'a> {
    /// Nothing has begun; at most `jobs` (at least one) units run at a time.
    #[must_use]
    pub fn new(units: &'a [Unit], jobs: usize) -> Self {
        Self { units, states: vec![State::Waiting; units.len()], jobs: jobs.max(1) }
    }

    /// The units that start now: those first on which most services wait, since they hold up most.
    pub fn start(&mut self) -> Vec<usize> {
        let free = self.jobs.saturating_sub(self.count(State::Running));
        let mut ready: Vec<usize> = (0..self.units.len()).filter(|unit| self.is_ready(*unit)).collect();
        ready.sort_by_key(|unit| (std::cmp::Reverse(self.units[*unit].services.len()), *unit));
        ready.truncate(free);
        for unit in &ready {
            self.states[*unit] = State::Running;
        }
        ready
    }

    /// `unit` has ended. Where it failed, those that need it are skipped.
    pub fn end(&mut self, unit: usize, is_well: bool) {
        self.states[unit] = if is_well { State::Done } else { State::Failed };
        // A unit comes after the one that it needs, so one pass reaches all.
        for later in unit + 1..self.units.len() {
            if let Some(needed) = self.units[later].needs
                && let Some(cause) = self.lost(needed)
                && self.states[later] == State::Waiting
            {
                self.states[later] = State::Skipped(cause);
            }
        }
    }

    /// Whether all has ended that can.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.states.iter().any(|state| matches!(state, State::Waiting | State::Running))
    }

    /// How each unit stands, in their order.
    #[must_use]
    pub fn states(&self) -> &[State] {
        &self.states
    }

    fn is_ready(&self, unit: usize) -> bool {
        let below = self.units[unit].needs.map(|needed| self.states[needed]);
        self.states[unit] == State::Waiting && below.is_none_or(|below| below == State::Done)
    }

    /// The unit whose failure is why `unit` is not there; `None` where it is, or may come to be.
    fn lost(&self, unit: usize) -> Option<usize> {
        match self.states[unit] {
            State::Failed => Some(unit),
            State::Skipped(cause) => Some(cause),
            State::Waiting | State::Running | State::Done => None,
        }
    }

    fn count(&self, state: State) -> usize {
        self.states.iter().filter(|its| **its == state).count()
    }
}
