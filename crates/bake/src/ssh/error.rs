//! What can go wrong between this machine and the instance.

use std::io;
use std::time::Duration;

use ovenbird_disk::tool::ToolError;

/// The instance could not be reached, or did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// Nobody could log in in time.
    #[error("could not log in to {host} as {user} within {patience:?}: {last}")]
    Unreachable {
        /// Address and port.
        host: String,
        /// The user.
        user: String,
        /// How long it was tried.
        patience: Duration,
        /// What the last try said.
        last: String,
    },
    /// `ssh` is missing, the command failed, or took too long.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file of this machine could not be read or written.
    #[error("could not {doing}")]
    File {
        /// What was being done, to what.
        doing: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SIGINT or SIGTERM came.
    #[error("interrupted while waiting for the instance")]
    Interrupted,
}

impl SshError {
    /// Whether it ended because this process was asked to stop.
    #[must_use]
    pub const fn is_interrupted(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Tool(error) => error.is_interrupted(),
            Self::Unreachable { .. } | Self::File { .. } => false,
        }
    }

    pub(super) fn file(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::File { doing, source }
    }
}
