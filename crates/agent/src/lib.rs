//! The on-instance half of Ovenbird: reads the instance's metadata, fetches parameters, attaches and mounts volumes, runs the
//! baked play, and says how it went. Small, blocking, static.
//!
//! The files are the map: [`run`] is the recipe, and each phase has a file of its own. Every wait ends at a
//! [`time::Deadline`] that is passed down. This crate must never know how images are made, and never treats user data as
//! anything but data: it reaches the play as facts alone.

pub mod api;
pub mod command;
pub mod credentials;
pub mod dns;
pub mod facts;
pub mod fault;
pub mod files;
pub mod imds;
pub mod instance;
pub mod metadata;
pub mod parameters;
pub mod play;
pub mod report;
pub mod run;
pub mod settings;
pub mod spawn;
pub mod state;
pub mod status;
pub mod time;
pub mod transport;
pub mod volume;
