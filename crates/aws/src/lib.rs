//! The AWS API, as far as Ovenbird speaks it: typed operations with the API's own names, and one call path.
//!
//! An operation is a struct (its request) that names its answer. The same types encode and decode both ways, so they serve
//! the client here, the blocking client of the agent, and the embedded endpoint. A test holds every member against the
//! official model. This crate must never know what Ovenbird does with the API: no tags, no bakes, no policy.

#[cfg(feature = "client")]
pub mod client;
pub mod ebs;
pub mod ec2;
pub mod iam;
pub mod ssm;
pub mod sts;
pub mod wire;

#[cfg(feature = "client")]
pub use client::Client;
#[cfg(feature = "client")]
pub use client::Error;
pub use wire::ApiError;
pub use wire::Operation;
