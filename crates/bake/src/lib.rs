//! Baking: what turns a plan into an image.
//!
//! A template's recipe becomes a [`Plan`], and only a plan is baked: layers that are known are reused, each other one runs its
//! playbook over the disk of the one before, and becomes a snapshot of the blocks that it changed.
//!
//! It must never know the embedded EC2, nor print anything: progress leaves as events, AWS is reached through `ovenbird-aws` alone.

pub mod ansible;
pub mod apply;
pub mod archive;
mod bake;
mod copies;
mod copying;
mod disks;
mod doctor;
mod encryption;
mod error;
mod event;
mod folder;
mod images;
mod inspect;
mod interrupt;
mod journal;
mod kept;
mod launch;
mod layer;
mod look;
mod oven;
mod own;
mod owned;
mod path;
mod plan;
mod post;
mod provision;
mod published;
pub mod reach;
mod register;
pub mod remote;
mod reproduce;
mod request;
mod resume;
pub mod sandbox;
mod source;
pub mod ssh;
mod step;
mod steps;
mod target;
mod turn;
mod upload;
mod working_disk;

pub use ovenbird_seal as seal;
pub use ovenbird_seal::packages;
pub use ovenbird_seal::tree;
use ovenbird_seal::xattr;
use ovenbird_seal::yaml;

pub use bake::Baked;
pub use bake::bake;
pub use bake::bake_layers;
pub use bake::bake_with_mishaps;
pub use bake::prepare_plan;
pub use copies::Copy;
pub use disks::drop_half_fetched;
pub use doctor::Abandoned;
pub use doctor::find_abandoned;
pub use doctor::undo_abandoned;
pub use encryption::find_base;
pub use error::BakeError;
pub use event::Event;
pub use event::Phase;
pub use folder::Folders;
pub use launch::Watch;
pub use look::Looked;
pub use look::look;
pub use path::BakePath;
pub use path::PathChoice;
pub use plan::ExistingImage;
pub use plan::Fate;
pub use plan::Plan;
pub use plan::PlannedLayer;
pub use plan::has_package_lists;
pub use provision::Run;
pub use provision::Work;
pub use reproduce::bake_again;
pub use request::Request;
pub use resume::Resumable;
pub use resume::find_resumable;
pub use source::Source;
pub use source::find_source;
pub use step::Mishap;
pub use step::Mishaps;
pub use step::Moment;
