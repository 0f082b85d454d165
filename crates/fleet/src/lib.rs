//! After the bake: what is in use, which images may go, and which image an environment points at.
//!
//! Effects only; the decisions are `ovenbird_core::retention` and `ovenbird_core::pointer`. It must never know how images
//! are made, nor which endpoint it talks to, nor print.

mod cleanup;
mod delete;
mod error;
mod inventory;
mod layers;
mod observe;
mod pointers;

pub use cleanup::CleanupReport;
pub use cleanup::Deleted;
pub use cleanup::ImageVerdict;
pub use cleanup::SnapshotOutcome;
pub use cleanup::cleanup;
pub use error::FleetError;
pub use inventory::InventoryReport;
pub use inventory::inventory;
pub use observe::Observation;
pub use observe::caller_account;
pub use observe::list_own_images;
pub use observe::observe;
pub use pointers::PointerState;
pub use pointers::find_pointer;
pub use pointers::list_pointers;
pub use pointers::promote;
pub use pointers::put_pointer;
