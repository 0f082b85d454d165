//! The embedded EC2: an AWS endpoint on loopback that keeps images as blocks and really boots its instances.
//!
//! It must never know what Ovenbird bakes or cleans: it sees the AWS API and nothing else, like any other tool's endpoint.

mod accounts;
mod auth;
pub mod base;
mod blocks;
mod calls;
mod catalogue;
mod clock;
mod daemon;
mod delays;
mod direct;
mod disks;
mod dispatch;
mod ec2;
pub mod engine;
mod failure;
mod faults;
mod folder;
mod front;
mod iam;
mod ids;
mod instances;
mod keys;
pub mod metadata;
pub mod network;
mod regions;
mod seal;
mod server;
mod snapshotting;
mod ssm;
mod status;
mod sts;
mod tagging;
#[cfg(test)]
mod testing;
mod world;

pub use accounts::Credentials;
pub use accounts::DEFAULT_ACCOUNT;
pub use clock::Clock;
pub use daemon::Daemon;
pub use daemon::DaemonError;
pub use daemon::Options;
pub use daemon::Stop;
pub use daemon::Stopped;
pub use delays::BadDelays;
pub use delays::Delay;
pub use delays::Delays;
pub use faults::BadFaults;
pub use faults::FaultTable;
pub use faults::Faults;
pub use faults::Mode as FaultMode;
pub use status::InstanceLine;
pub use status::Status;
pub use status::StatusError;
pub use status::credentials;
pub use status::status;
pub use status::was_killed;
