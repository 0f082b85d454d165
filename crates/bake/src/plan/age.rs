//! How old a result may be that is taken as it is.

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::request::Request;

/// Why a result that was made then is too old; `None` if it is not, or nobody asks.
pub(super) fn too_old(request: &Request, made: Option<Timestamp>) -> Option<String> {
    let most = request.max_age?;
    let Some(made) = made else { return Some("nobody knows how old it is, and --max-age was given".to_owned()) };
    let age = request.now.duration_since(made);
    (age > most).then(|| format!("it is {} old, and --max-age is {}", told(age), told(most)))
}

/// In the largest unit that fits.
fn told(age: SignedDuration) -> String {
    let seconds = age.as_secs();
    match seconds {
        172_800.. => format!("{} days", seconds / 86_400),
        7_200.. => format!("{} hours", seconds / 3_600),
        120.. => format!("{} minutes", seconds / 60),
        _ => format!("{seconds} seconds"),
    }
}
