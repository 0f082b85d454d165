//! Which faults are switched on, and how often they happen.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Mode;

/// The share of calls that meet a mode whose rate is not given.
const RATE: f64 = 0.05;

/// Modes with their rates, and the seed that decides which calls they meet.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultTable {
    /// Mode to the share of the calls it can happen to, 0 to 1.
    pub rates: BTreeMap<Mode, f64>,
    /// With the same seed the same calls meet the same faults.
    pub seed: u64,
    /// How late a slow answer comes.
    pub slow: Duration,
    /// For how long a stale listing does not know what was created.
    pub stale: Duration,
    /// How many writes do not find a late snapshot.
    pub late_writes: u64,
}

impl Default for FaultTable {
    fn default() -> Self {
        let (slow, stale) = (Duration::from_secs(3), Duration::from_secs(5));
        Self { rates: BTreeMap::new(), seed: 0, slow, stale, late_writes: 20 }
    }
}

/// A text that is no table of faults.
#[derive(Debug, thiserror::Error)]
pub enum BadFaults {
    /// There is no such mode.
    #[error("there is no fault `{name}`; there are all, {}", Mode::ALL.map(Mode::name).join(", "))]
    Mode {
        /// What was given.
        name: String,
    },
    /// A rate that is none.
    #[error("`{rate}` is no rate for the fault `{name}`: give a percentage such as 5%, or a share from 0 to 1")]
    Rate {
        /// The fault.
        name: String,
        /// What was given.
        rate: String,
    },
}

impl FaultTable {
    /// Reads `MODE[=RATE],…`; `all` stands for every mode, and a later entry goes before an earlier one.
    ///
    /// # Errors
    /// [`BadFaults`], with what there is.
    pub fn parse(text: &str, seed: u64) -> Result<Self, BadFaults> {
        let mut rates = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty() && *entry != "none") {
            let (name, rate) = entry.split_once('=').map_or((entry, None), |(name, rate)| (name, Some(rate)));
            let bad_rate = |rate: &str| BadFaults::Rate { name: name.to_owned(), rate: rate.to_owned() };
            let rate = rate.map_or(Ok(RATE), |rate| find_share(rate).ok_or_else(|| bad_rate(rate)))?;
            match Mode::find(name) {
                Some(mode) => drop(rates.insert(mode, rate)),
                None if name == "all" => rates.extend(Mode::ALL.map(|mode| (mode, rate))),
                None => return Err(BadFaults::Mode { name: name.to_owned() }),
            }
        }
        Ok(Self { rates, seed, ..Self::default() })
    }

    /// Is nothing switched on?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rates.values().all(|rate| *rate <= 0.0)
    }
}

/// `5%` or `0.05`.
fn find_share(text: &str) -> Option<f64> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

impl fmt::Display for FaultTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates: Vec<String> =
            self.rates.iter().map(|(mode, rate)| format!("{}={}%", mode.name(), rate * 100.0)).collect();
        write!(formatter, "{} (seed {})", rates.join(","), self.seed)
    }
}
