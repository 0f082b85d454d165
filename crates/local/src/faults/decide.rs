//! The one decision: which fault a call meets.

use ovenbird_aws::wire::Service;
use ovenbird_core::block::Digest;

use super::Fault;
use super::FaultTable;
use super::Mode;
use super::Twist;
use super::refusals;

/// A call, as far as it matters here. It does not hold ids, which differ from run to run.
pub(super) struct Asked<'a> {
    pub(super) service: Service,
    pub(super) action: &'a str,
    /// The block's index, for calls of blocks.
    pub(super) block: &'a str,
    /// How many calls of this action and block came before.
    pub(super) nth: u64,
    /// For writes to a pending snapshot: which one it is, and how many writes to it came before.
    pub(super) written: Option<(u64, u64)>,
}

/// The first mode of [`Mode::ALL`] that is drawn for the call, and what it does to it.
pub(super) fn fault_for(table: &FaultTable, asked: &Asked<'_>) -> Option<(Mode, Fault)> {
    let mode = Mode::ALL.into_iter().find(|mode| is_met(table, *mode, asked))?;
    Some((mode, effect(table, mode, asked)))
}

fn is_met(table: &FaultTable, mode: Mode, asked: &Asked<'_>) -> bool {
    let rate = table.rates.get(&mode).copied().unwrap_or_default();
    if rate <= 0.0 || !mode.concerns(asked.service, asked.action) {
        return false;
    }
    match (mode, asked.written) {
        // A snapshot is late or is not: its first writes all meet it.
        (Mode::LateSnapshot, Some((snapshot, writes))) => {
            writes < table.late_writes && share(table.seed, mode, "snapshot", snapshot) < rate
        }
        (Mode::LateSnapshot, None) => false,
        _ => share(table.seed, mode, &format!("{} {}", asked.action, asked.block), asked.nth) < rate,
    }
}

/// A number from 0 to 1 that looks drawn by chance, and is the same for the same arguments.
fn share(seed: u64, mode: Mode, subject: &str, nth: u64) -> f64 {
    let Digest(bytes) = Digest::of(format!("{seed} {} {subject} {nth}", mode.name()).as_bytes());
    let drawn = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(drawn) / (f64::from(u32::MAX) + 1.0)
}

fn effect(table: &FaultTable, mode: Mode, asked: &Asked<'_>) -> Fault {
    match mode {
        Mode::Hang => Fault::Hang,
        Mode::Slow => Fault::Slow(table.slow),
        Mode::Cut => Fault::Cut,
        Mode::LostAnswer => Fault::Lose,
        Mode::EmptyPages => Fault::Twist(Twist::EmptyPage),
        Mode::ShortPages => Fault::Twist(Twist::ShortPage),
        Mode::Stale => Fault::Twist(Twist::Stale(table.stale)),
        Mode::WrongBlock => Fault::Twist(Twist::WrongBlock),
        Mode::ExpiredToken => Fault::Twist(Twist::ExpiredToken),
        Mode::SnapshotError | Mode::ImageFailed => Fault::Twist(Twist::Doomed),
        _ => Fault::Refuse(refusals::of(mode, asked.service, asked.nth)),
    }
}
