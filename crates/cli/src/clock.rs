//! The one place where the time of the day enters.

use jiff::Timestamp;

use crate::account::Account;
use crate::failure::Failure;

/// Moves the clock of one command; for demonstrations and tests against a loopback endpoint.
const VARIABLE: &str = "OVENBIRD_NOW";

/// The present, or what `OVENBIRD_NOW` says it is.
///
/// # Errors
/// The variable is set but cannot be read, or the endpoint is not on loopback: no clock is ever moved against real AWS.
pub(crate) fn now(account: &Account) -> Result<Timestamp, Failure> {
    let Ok(text) = std::env::var(VARIABLE) else { return Ok(wall()) };
    if !account.is_loopback() {
        return Err(Failure::usage(format!(
            "{VARIABLE} is set, but the endpoint is not on loopback: the clock is only ever moved for the embedded EC2; unset it"
        )));
    }
    text.parse().map_err(|_| {
        Failure::usage(format!("{VARIABLE}={text} is not an RFC 3339 instant, such as 2026-11-30T12:00:00Z"))
    })
}

/// The time of the day, whatever `OVENBIRD_NOW` says.
pub(crate) fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time of the day enters")]
    Timestamp::now()
}
