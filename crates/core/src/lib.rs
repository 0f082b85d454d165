//! The nouns, ids and decisions of Ovenbird, as pure functions: no I/O, no clock, no AWS.

pub mod block;
pub mod instant;
pub mod layer;
pub mod manifest;
pub mod metadata;
pub mod pointer;
pub mod project;
pub mod retention;
pub mod tags;
