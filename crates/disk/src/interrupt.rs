//! Ctrl-C and SIGTERM as one process-wide flag.
//!
//! Tools run in process groups of their own, so the terminal's Ctrl-C reaches this process alone; it is this flag that
//! makes [`crate::tool::Tool::run`] end them.

use std::io;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::flag;

/// Exit status of a process that was interrupted twice (128 + SIGINT).
const INTERRUPTED_TWICE: i32 = 130;

fn requested_flag() -> &'static Arc<AtomicBool> {
    static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    REQUESTED.get_or_init(Arc::default)
}

/// From now on the first SIGINT or SIGTERM sets the flag, and a second one ends this process at once.
///
/// # Errors
/// When the system refuses to register a signal handler.
pub fn install() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // The order matters: this looks at the flag before the next line's handler sets it.
        flag::register_conditional_shutdown(signal, INTERRUPTED_TWICE, Arc::clone(requested_flag()))?;
        flag::register(signal, Arc::clone(requested_flag()))?;
    }
    Ok(())
}

/// Whether somebody asked this process to stop.
#[must_use]
pub fn requested() -> bool {
    requested_flag().load(Ordering::Relaxed)
}
