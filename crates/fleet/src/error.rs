//! Why an observation, a deletion or a promotion failed.

use ovenbird_aws as aws;
use ovenbird_core::pointer::PromotionRefused;

/// A failure after the bake.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// AWS refused, or did not answer.
    #[error("could not {doing}")]
    Aws {
        /// What was being done, to what.
        doing: String,
        /// AWS's word.
        #[source]
        source: aws::Error,
    },
    /// The promotion is not allowed.
    #[error(transparent)]
    Promotion(#[from] PromotionRefused),
    /// What was written did not come about.
    #[error(transparent)]
    TimedOut(#[from] aws::client::TimedOut),
    /// An image in use has no room for `LastUsed`, so this observation must not count.
    #[error(
        "{image} is in use and has 50 tags, so LastUsed cannot be written; nothing was committed: take a tag off it"
    )]
    NoRoom {
        /// The image.
        image: String,
    },
    /// An image in use could not be marked, so this observation must not count.
    #[error(
        "LastUsed was written on {image}, and reading it back gives something else; nothing was committed, run the inventory again"
    )]
    NotMarked {
        /// The image.
        image: String,
    },
}

/// Puts "what was being done" on an error of AWS.
pub(crate) fn calling(doing: impl Into<String>) -> impl FnOnce(aws::Error) -> FleetError {
    let doing = doing.into();
    move |source| FleetError::Aws { doing, source }
}
