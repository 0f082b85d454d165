//! The nouns, ids and decisions of Ovenbird, as pure functions: no I/O, no clock, no AWS.

pub mod block;
pub mod contents;
pub mod debian;
pub mod diff;
pub mod instant;
pub mod layer;
pub mod manifest;
pub mod metadata;
pub mod pointer;
pub mod project;
pub mod rebuild;
pub mod reference;
pub mod retention;
pub mod sbom;
pub mod tags;
