//! `breakpoint`, `sleep`, and the pauses between provisioners.

use std::time::Duration;

use ovenbird_disk::wait::WaitError;
use ovenbird_disk::wait::wait_until;
use ovenbird_template::Breakpoint;

use super::Site;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;

/// How often an interrupt is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// Waits so long.
///
/// # Errors
/// [`BakeError::Interrupted`].
pub(super) fn wait(how_long: Duration) -> Result<(), BakeError> {
    match wait_until(how_long, LOOK, || None::<()>) {
        Err(WaitError::Interrupted) => Err(BakeError::Interrupted),
        _ => Ok(()),
    }
}

/// Hands over to a person, who says when to go on by returning from the event.
pub(super) fn breakpoint(site: &mut Site<'_>, breakpoint: &Breakpoint) -> Result<(), BakeError> {
    if breakpoint.disable {
        return Ok(());
    }
    let note = breakpoint.note.as_ref().map(|note| note.render(site.ami)).transpose();
    let note = note.map_err(working("render the note of a breakpoint"))?;
    (site.on_event)(Event::Waits { note: note.map(|note| site.request.recipe.masked(&note)) });
    crate::interrupt::stop_if_interrupted()
}
