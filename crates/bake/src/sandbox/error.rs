//! What can go wrong with a sandbox.

use std::io;
use std::path::PathBuf;

use ovenbird_disk::tool::ToolError;

/// The sandbox did not come up, or did not go.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A tool that builds the sandbox failed.
    #[error("could not start the sandbox")]
    Tool(#[from] ToolError),
    /// A file of the sandbox could not be read or written.
    #[error("could not prepare the sandbox's files")]
    File(#[from] io::Error),
    /// The name spaces came up, but their first process did not.
    #[error("the sandbox's first process did not start: {said}; name spaces need root, and a kernel that allows them")]
    NoInit {
        /// What it printed.
        said: String,
    },
    /// One of the mounts failed.
    #[error("could not {doing} in the sandbox")]
    Mount {
        /// What was being done.
        doing: String,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
    /// The overlay's options cannot name such a path.
    #[error("the folder {} cannot be a layer: its path has one of the characters `:` `,` `\\`; work in another folder", .0.display())]
    Path(PathBuf),
    /// A path at which something is mounted is no folder in the image.
    #[error("{0} is no plain folder in the image, so nothing can be mounted there")]
    NotAFolder(String),
    /// The image cannot run a play.
    #[error("the image has no {path}; {advice}")]
    Lacks {
        /// What is missing.
        path: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// A process did not go when it was killed.
    #[error(
        "the sandbox's process {pid} still runs although it was killed; it may wait for a disk that does not answer"
    )]
    StillRunning {
        /// Its id.
        pid: u32,
    },
}
