//! The provisioners `breakpoint` and `sleep`: nothing happens, for a while. (packer, provisioner/breakpoint and sleep)

use std::time::Duration;

use crate::deferred::Deferred;
use crate::fields::Fields;
use crate::options;
use crate::options::Row;
use crate::options::Treatment::Honoured;

/// Types of the provisioners in templates.
pub(crate) const BREAKPOINT: &str = "breakpoint";
pub(crate) const SLEEP: &str = "sleep";

/// A pause until a person presses Enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakpoint {
    /// Whether it is passed over.
    pub disable: bool,
    /// What the person is told.
    pub note: Option<Deferred>,
}

/// A pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sleep {
    /// How long.
    pub duration: Duration,
}

pub(crate) const BREAKPOINT_OPTIONS: &[Row] = &[super::COMMON, (&["disable", "note"], Honoured)];
pub(crate) const SLEEP_OPTIONS: &[Row] = &[super::COMMON, (&["duration"], Honoured)];

pub(super) fn breakpoint(fields: &Fields<'_>) -> Breakpoint {
    options::check(fields, BREAKPOINT_OPTIONS);
    Breakpoint { disable: fields.boolean("disable").unwrap_or(false), note: fields.deferred("note") }
}

/// `None` when there is no duration; that has been reported.
pub(super) fn sleep(fields: &Fields<'_>) -> Option<Sleep> {
    options::check(fields, SLEEP_OPTIONS);
    fields.required_text("duration", "how long, such as 30s")?;
    Some(Sleep { duration: fields.duration("duration")? })
}
