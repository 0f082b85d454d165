//! The one local poll.

use std::time::Duration;
use std::time::Instant;

use crate::interrupt;

/// Why a wait ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The deadline passed.
    #[error("nothing happened within {0:?}")]
    Deadline(Duration),
    /// Somebody asked this process to stop.
    #[error("interrupted while waiting")]
    Interrupted,
}

/// Asks now, then `every` so often, until there is an answer or `deadline` has passed since the call.
///
/// It asks once more at the deadline itself, so a slow machine never misses what is already there.
///
/// # Errors
/// [`WaitError`] when the deadline passed or the process was interrupted.
pub fn wait_until<T>(deadline: Duration, every: Duration, ask: impl FnMut() -> Option<T>) -> Result<T, WaitError> {
    poll(deadline, every, true, ask)
}

/// As [`wait_until`], but an interrupt does not end it: for undoing, which is what an interrupt wants.
///
/// # Errors
/// [`WaitError::Deadline`].
pub fn wait_even_if_interrupted<T>(
    deadline: Duration,
    every: Duration,
    ask: impl FnMut() -> Option<T>,
) -> Result<T, WaitError> {
    poll(deadline, every, false, ask)
}

fn poll<T>(
    deadline: Duration,
    every: Duration,
    ends_when_interrupted: bool,
    mut ask: impl FnMut() -> Option<T>,
) -> Result<T, WaitError> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if ends_when_interrupted && interrupt::requested() {
            return Err(WaitError::Interrupted);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(WaitError::Deadline(deadline));
        }
        #[expect(clippy::disallowed_methods, reason = "this is the poll that the ban points to")]
        std::thread::sleep(every.min(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_soon_as_there_is_one() {
        let mut asked = 0;
        let answer = wait_until(Duration::from_secs(60), Duration::from_millis(1), || {
            asked += 1;
            (asked == 3).then_some("here")
        });
        assert_eq!(answer, Ok("here"));
        assert_eq!(asked, 3);
    }

    #[test]
    fn gives_up_at_the_deadline_after_a_last_look() {
        let mut asked = 0;
        let deadline = Duration::from_millis(5);
        let answer = wait_until(deadline, Duration::from_secs(60), || {
            asked += 1;
            None::<()>
        });
        assert_eq!(answer, Err(WaitError::Deadline(deadline)));
        assert_eq!(asked, 2);
    }
}
