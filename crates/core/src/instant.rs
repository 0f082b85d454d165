//! Instants as tags and API answers write them.
//!
//! Tags of the article's contract were written by other people's scripts too, so more is read than is ever written
//! (lifecycle.md section 3, rows 24 and 25).

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::DateTime;

/// How far a time without an offset may be from the same digits in UTC: offsets run from -12 h to +14 h.
pub const NAIVE_SLACK: SignedDuration = SignedDuration::from_hours(14);

/// An instant that was read from a tag, with what is unknown about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadInstant {
    /// The instant; for a time without an offset, its digits read as UTC.
    pub instant: Timestamp,
    /// The truth lies within `instant` plus or minus this: zero, or [`NAIVE_SLACK`].
    pub slack: SignedDuration,
}

impl ReadInstant {
    /// The earliest instant that the text can mean.
    #[must_use]
    pub fn earliest(self) -> Timestamp {
        self.instant.saturating_sub(self.slack).unwrap_or(Timestamp::MIN)
    }

    /// The latest instant that the text can mean.
    #[must_use]
    pub fn latest(self) -> Timestamp {
        self.instant.saturating_add(self.slack).unwrap_or(Timestamp::MAX)
    }
}

/// A text that is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time: expected RFC 3339 such as 2026-01-31T12:00:00Z, `YYYY-MM-DD HH:MM:SS`, or seconds since 1970"
)]
pub struct UnreadableInstant(pub String);

/// Writes an instant as Ovenbird's tags do: RFC 3339 in UTC with `Z`, whole seconds (the fraction is cut).
#[must_use]
pub fn write(instant: Timestamp) -> String {
    let seconds = instant.as_nanosecond().div_euclid(1_000_000_000);
    i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(instant).to_string()
}

/// Reads RFC 3339, `YYYY-MM-DD HH:MM:SS[.f]` (with the slack of an unknown offset), or seconds since 1970.
///
/// # Errors
/// When the text is none of them, or lies outside years -9999 to 9999.
pub fn read(text: &str) -> Result<ReadInstant, UnreadableInstant> {
    let exact = |instant| ReadInstant { instant, slack: SignedDuration::ZERO };
    let trimmed = text.trim();
    find_epoch(trimmed)
        .or_else(|| trimmed.parse().ok())
        .map(exact)
        .or_else(|| find_naive(trimmed))
        .ok_or_else(|| UnreadableInstant(text.to_owned()))
}

/// Nine or ten digits are seconds from 1973 to 2286; other lengths are somebody's milliseconds or no time at all.
fn find_epoch(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_epoch = matches!(seconds.len(), 9 | 10) && digits(seconds) && digits(fraction);
    is_epoch.then(|| seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()))?
}

fn find_naive(text: &str) -> Option<ReadInstant> {
    // A date alone is read by jiff as midnight; that would add another day of doubt, so it counts as unreadable.
    let has_seconds = text.matches(':').count() == 2;
    let local: DateTime = has_seconds.then(|| text.parse().ok())??;
    let instant = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(ReadInstant { instant, slack: NAIVE_SLACK })
}

/// A duration as people say it, in its two largest units: `3 d 4 h`, `12 min 5 s`, `8 s`. The sign is dropped.
#[must_use]
pub fn spoken(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = parts.iter().skip(first).take(2).filter(|(count, unit)| *count > 0 || (*unit == "s" && first == 3));
    shown.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a test's own instant")
    }

    #[test]
    fn reads_what_other_peoples_scripts_wrote() {
        let noon = at("2026-01-31T12:00:00Z");
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31T13:00:00+01:00",
            "2026-01-31T12:00:00.000Z",
            "1769860800",
            " 1769860800.9 ",
        ] {
            let read = read(text).expect(text);
            assert_eq!((read.instant, read.slack), (noon, SignedDuration::ZERO), "{text}");
        }
        for text in ["2026-01-31 12:00:00", "2026-01-31T12:00:00.000000"] {
            let read = read(text).expect(text);
            assert_eq!((read.instant, read.slack), (noon, NAIVE_SLACK), "{text}");
            assert_eq!(read.latest(), at("2026-02-01T02:00:00Z"));
            assert_eq!(read.earliest(), at("2026-01-30T22:00:00Z"));
        }
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in
            ["", "yesterday", "2026-01-31", "2026-02-30T00:00:00Z", "1769860800000", "12", "12:00:00", "-1769860800"]
        {
            assert_eq!(read(text), Err(UnreadableInstant(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn speaks_in_two_units() {
        let spoken = |seconds| super::spoken(SignedDuration::from_secs(seconds));
        assert_eq!(spoken(3 * 86_400 + 4 * 3_600 + 59), "3 d 4 h");
        assert_eq!(spoken(7 * 86_400), "7 d");
        assert_eq!(spoken(3_600), "1 h");
        assert_eq!(spoken(725), "12 min 5 s");
        assert_eq!(spoken(0), "0 s");
        assert_eq!(spoken(-8), "8 s");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in -62_000_000_000_i64..250_000_000_000, nanos in 0_i32..999_999_999) {
            let instant = Timestamp::new(seconds, nanos).expect("in range");
            let text = write(instant);
            prop_assert!(text.ends_with('Z'));
            let read = read(&text).expect("own writing");
            prop_assert_eq!(read.slack, SignedDuration::ZERO);
            prop_assert_eq!(read.instant, Timestamp::from_second(seconds).expect("in range"));
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}|[0-9T: .Z+-]{0,30}") {
            let _ = read(&text);
        }
    }
}
