//! How long things take: nothing that need not be waited for, or what is published of EC2.
//!
//! Every row names where its figure is from. None of them was measured by us, and no two accounts see the same.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::wire::Service;

/// Something that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delay {
    /// The answer of any call.
    Call,
    /// The answer of RunInstances.
    RunInstances,
    /// CompleteSnapshot until the snapshot is `completed`.
    SnapshotCompleted,
    /// CreateSnapshot of a volume until the snapshot is `completed`.
    SnapshotCreated,
    /// RegisterImage until the image is `available`.
    ImageRegistered,
    /// CreateImage until the image is `available`.
    ImageCreated,
    /// CopyImage within a Region until the image is `available`.
    ImageCopied,
    /// RunInstances or StartInstances until the instance is `running`.
    InstanceRunning,
    /// `running` until the machine boots: what a real one needs longer than ours until it can be reached.
    InstanceBooted,
    /// StopInstances until the instance is `stopped`.
    InstanceStopped,
    /// TerminateInstances until the instance is `terminated`.
    InstanceTerminated,
}

/// One row of the table.
struct Row {
    delay: Delay,
    name: &'static str,
    /// Milliseconds where nothing need be waited for.
    none: u64,
    /// Milliseconds on EC2.
    ec2: u64,
    source: &'static str,
}

/// The one table.
const ROWS: [Row; 11] = [
    Row {
        delay: Delay::Call,
        name: "call",
        none: 0,
        ec2: 100,
        source: "EBS user guide, performance of the direct APIs: 10 requests a second on one connection",
    },
    Row {
        delay: Delay::RunInstances,
        name: "run-instances",
        none: 0,
        ec2: 2_000,
        source: "hashicorp/packer#4704, time stamps of a build that provisions nothing",
    },
    Row {
        delay: Delay::SnapshotCompleted,
        name: "snapshot-completed",
        // Even here a client must wait for it: it is asynchronous.
        none: 150,
        ec2: 2_000,
        source: "awslabs/coldsnap#362, a small snapshot from start to end; nothing is published of the completion alone",
    },
    Row {
        delay: Delay::SnapshotCreated,
        name: "snapshot-created",
        none: 150,
        ec2: 180_000,
        source: "aws/aws-sdk-ruby#978, a tiny volume",
    },
    Row {
        delay: Delay::ImageRegistered,
        name: "image-registered",
        none: 0,
        ec2: 2_000,
        source: "assumed as for a small snapshot: nothing is published of RegisterImage alone",
    },
    Row {
        delay: Delay::ImageCreated,
        name: "image-created",
        none: 150,
        ec2: 43_000,
        source: "hashicorp/packer#4704; half an hour and more were seen (hashicorp/packer-plugin-amazon#642)",
    },
    Row {
        delay: Delay::ImageCopied,
        name: "image-copied",
        none: 500,
        ec2: 43_000,
        source: "taken as CreateImage's: a copy within a Region moves no data (EBS user guide, copy a snapshot)",
    },
    Row {
        delay: Delay::InstanceRunning,
        name: "instance-running",
        none: 0,
        ec2: 10_000,
        source: "hashicorp/packer#4704: 5 to 15 s, read with polls 15 s apart",
    },
    Row {
        delay: Delay::InstanceBooted,
        name: "instance-booted",
        none: 0,
        ec2: 15_000,
        source: "hashicorp/packer#4704: SSH 15 to 35 s after `running`; our own boot comes on top",
    },
    Row {
        delay: Delay::InstanceStopped,
        name: "instance-stopped",
        none: 0,
        ec2: 30_000,
        source: "hashicorp/packer#2033, #4704: 25 to 57 s",
    },
    Row {
        delay: Delay::InstanceTerminated,
        name: "instance-terminated",
        none: 0,
        ec2: 60_000,
        source: "hashicorp/packer-plugin-amazon#682",
    },
];

/// How long each thing takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays {
    preset: &'static str,
    changed: BTreeMap<Delay, Duration>,
}

impl Default for Delays {
    fn default() -> Self {
        Self { preset: "none", changed: BTreeMap::new() }
    }
}

/// A text that is no table of delays.
#[derive(Debug, thiserror::Error)]
pub enum BadDelays {
    /// There is no such row.
    #[error("there is no delay `{name}`; there are none, ec2, {}", ROWS.map(|row| row.name).join(", "))]
    Name {
        /// What was given.
        name: String,
    },
    /// A duration that is none.
    #[error("`{given}` is no time for the delay `{name}`: give one such as 12s or 500ms")]
    Time {
        /// The row.
        name: String,
        /// What was given.
        given: String,
    },
}

impl Delays {
    /// What is published of EC2.
    #[must_use]
    pub fn ec2() -> Self {
        Self { preset: "ec2", ..Self::default() }
    }

    /// Reads `none` or `ec2`, and rows that differ from it: `ec2,instance-running=12s`.
    ///
    /// # Errors
    /// [`BadDelays`], with what there is.
    pub fn parse(text: &str) -> Result<Self, BadDelays> {
        let mut delays = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let Some((name, given)) = entry.split_once('=') else {
                delays.preset = match entry {
                    "none" => "none",
                    "ec2" => "ec2",
                    _ => return Err(BadDelays::Name { name: entry.to_owned() }),
                };
                continue;
            };
            let row = ROWS.iter().find(|row| row.name == name);
            let row = row.ok_or_else(|| BadDelays::Name { name: name.to_owned() })?;
            let time = given.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
            let bad = || BadDelays::Time { name: name.to_owned(), given: given.to_owned() };
            delays.changed.insert(row.delay, time.ok_or_else(bad)?);
        }
        Ok(delays)
    }

    /// How long it takes.
    #[must_use]
    pub fn of(&self, delay: Delay) -> Duration {
        let row = ROWS.iter().find(|row| row.delay == delay);
        let published = row.map_or(0, |row| if self.preset == "ec2" { row.ec2 } else { row.none });
        self.changed.get(&delay).copied().unwrap_or(Duration::from_millis(published))
    }

    /// When what begins now is done.
    pub(crate) fn due(&self, delay: Delay, now: Timestamp) -> Timestamp {
        let takes = SignedDuration::try_from(self.of(delay)).unwrap_or(SignedDuration::MAX);
        now.saturating_add(takes).unwrap_or(Timestamp::MAX)
    }

    /// How long a call waits for its answer.
    pub(crate) fn of_call(&self, service: Service, action: &str) -> Duration {
        let is_launch = service == Service::Ec2 && action == "RunInstances";
        self.of(if is_launch { Delay::RunInstances } else { Delay::Call })
    }

    /// Does nothing take longer than it must?
    #[must_use]
    pub fn is_none(&self) -> bool {
        ROWS.iter().all(|row| self.of(row.delay) <= Duration::from_millis(row.none))
    }

    /// The table: name, milliseconds, and where the figure is from.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, u64, &'static str)> {
        let millis = |row: &Row| u64::try_from(self.of(row.delay).as_millis()).unwrap_or(u64::MAX);
        let source = |row: &Row| match self.changed.contains_key(&row.delay) {
            true => "given on the command line",
            false if self.preset == "ec2" => row.source,
            false => "nothing is waited for that need not be",
        };
        ROWS.iter().map(|row| (row.name, millis(row), source(row))).collect()
    }
}

impl fmt::Display for Delays {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.preset)?;
        let changed = ROWS.iter().filter_map(|row| Some((row.name, self.changed.get(&row.delay)?)));
        changed.into_iter().try_for_each(|(name, time)| write!(formatter, ",{name}={}ms", time.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_override_their_preset() {
        let delays = Delays::parse("ec2,instance-running=12s,call=500ms").expect("delays");
        assert_eq!(delays.of(Delay::InstanceRunning), Duration::from_secs(12));
        assert_eq!(delays.of(Delay::Call), Duration::from_millis(500));
        assert_eq!(delays.of(Delay::InstanceTerminated), Duration::from_secs(60));
        assert_eq!(Delays::parse(&delays.to_string()).expect("its own text"), delays);
        assert!(!delays.is_none());
        assert!(Delays::parse("none").expect("delays").is_none());
        assert!(Delays::default().is_none());
        for bad in ["ec3", "instance-flying=1s", "call=", "call=fast", "call=-1s"] {
            assert!(Delays::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_delay_has_a_row() {
        for (name, millis, source) in Delays::ec2().rows() {
            assert!(millis > 0 && !source.is_empty(), "{name}");
            let row = ROWS.iter().filter(|row| row.name == name).map(|row| row.delay);
            assert_eq!(row.count(), 1, "{name}");
        }
    }
}
