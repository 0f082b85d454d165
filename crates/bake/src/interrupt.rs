//! Between two effects is the place to stop.

use ovenbird_disk::interrupt;

use crate::error::BakeError;

/// # Errors
/// [`BakeError::Interrupted`] after SIGINT or SIGTERM.
pub(crate) fn stop_if_interrupted() -> Result<(), BakeError> {
    if interrupt::requested() { Err(BakeError::Interrupted) } else { Ok(()) }
}
