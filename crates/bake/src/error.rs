//! Why a bake could not be planned or done.

use ovenbird_aws as aws;

/// A failure of planning or baking. What it came from is its `source`.
#[derive(Debug, thiserror::Error)]
pub enum BakeError {
    /// AWS refused, or did not answer.
    #[error("could not {doing}")]
    Aws {
        /// What was being done, to what.
        doing: String,
        /// AWS's word.
        #[source]
        source: Box<aws::Error>,
    },
    /// The base's owner lets it be launched, and not be read.
    #[error(
        "AWS does not let {image} be copied into this account, so its blocks can be read only after a bake has launched it once: \
         bake with `--rebuild`"
    )]
    NotToBeCopied {
        /// `ami-…`
        image: String,
        /// AWS's word.
        #[source]
        source: Box<aws::Error>,
    },
    /// Pending snapshots have a quota, and it is used up. Trying again does not help.
    #[error(
        "could not start a snapshot: the account has as many pending ones in this region as it may (100); \
         `ovenbird doctor` lists those that bakes left, and EBS drops one that nobody writes to after its time-out"
    )]
    PendingSnapshots {
        /// AWS's word.
        #[source]
        source: Box<aws::Error>,
    },
    /// Something on this machine failed.
    #[error("could not {doing}")]
    Local {
        /// What was being done, to what.
        doing: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The source image of the template is not there, or is not one.
    #[error("{0}")]
    Source(String),
    /// The template asks for something that this path cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// A block came with another content than its checksum says.
    #[error("block {index} of {snapshot} does not match its checksum; nothing was kept of it, try again")]
    Checksum {
        /// The snapshot.
        snapshot: String,
        /// The block.
        index: u32,
    },
    /// The finished image breaks a rule that every image must keep.
    #[error("the image breaks {} that every image must keep:\n{}", if lints.len() == 1 { "a rule" } else { "rules" }, lints.join("\n"))]
    Lints {
        /// A sentence each.
        lints: Vec<String>,
    },
    /// The image is there, and what the template does with it failed.
    #[error("the image {image} is baked and stays, but a post-processor failed")]
    PostProcessor {
        /// `ami-…`
        image: String,
        /// Why.
        #[source]
        source: Box<Self>,
    },
    /// The instance, or the image that was made of it, came to a bad end.
    #[error("{0}")]
    Instance(String),
    /// SIGINT or SIGTERM came.
    #[error("interrupted; what the bake had created was taken back, finished layers are kept for the next bake")]
    Interrupted,
}

impl BakeError {
    /// The sentence with all its causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut told = vec![self.to_string()];
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            told.push(cause.to_string());
            next = cause.source();
        }
        told.dedup();
        told.join(": ")
    }
}

/// What AWS said, without what it was asked.
pub(crate) fn word(error: &aws::Error) -> String {
    error.refusal().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Puts "what was being done" on an error of AWS.
pub(crate) fn calling(doing: impl Into<String>) -> impl FnOnce(aws::Error) -> BakeError {
    let doing = doing.into();
    move |source| BakeError::Aws { doing, source: Box::new(source) }
}

/// Puts "what was being done" on an error of this machine.
pub(crate) fn working<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    doing: impl Into<String>,
) -> impl FnOnce(E) -> BakeError {
    let doing = doing.into();
    move |source| BakeError::Local { doing, source: source.into() }
}
