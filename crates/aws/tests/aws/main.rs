//! The crate against those who know better: botocore's models, serialisers and parsers, the moto server, and a server that
//! misbehaves by script. One binary, so that it links once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arbitrary;
mod botocore;
mod calls;
mod credentials;
mod model;
mod moto;
mod official;
mod operations;
mod round_trip;
mod scripted;
mod venv;
