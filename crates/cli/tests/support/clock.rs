//! The time of the day, for `OVENBIRD_NOW`.

use jiff::SignedDuration;
use jiff::Timestamp;

/// This very time.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "here the time enters the tests")]
    Timestamp::now()
}

/// This very time, so many days later; RFC 3339.
pub fn days_from_now(days: i64) -> String {
    let then = now() + SignedDuration::from_hours(24 * days);
    then.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
