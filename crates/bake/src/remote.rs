//! Snapshots in AWS, read and written block by block: the EBS direct APIs with the rules that their users learnt.

mod arrived;
mod fetch;
mod listing;
mod register;
mod upload;

pub(crate) use arrived::note_of;
pub(crate) use fetch::count_blocks;
pub use fetch::fetch_changes;
pub use fetch::fetch_disk;
pub(crate) use register::find_named;
pub use register::register_image;
pub use register::wait_until_available;
pub(crate) use upload::COMPLETION;
pub use upload::NewSnapshot;
pub(crate) use upload::complete_snapshot;
pub use upload::list_pending_snapshots;
pub(crate) use upload::put_blocks;
pub use upload::put_changes;
pub use upload::start_snapshot;
pub use upload::undo_snapshot;
pub(crate) use upload::wait_until_completed;

/// Block calls in flight. 100 ms a call makes 640/s of it; the client itself keeps all bakes together under the quotas.
const IN_FLIGHT: usize = 64;

/// The API speaks of sizes in GiB; some of its examples in bytes (`offline.md` 1.1): no volume has 65537 GiB.
fn size_in_bytes(volume_size: i64) -> u64 {
    let size = u64::try_from(volume_size).unwrap_or_default();
    if size > 65_536 { size } else { size * ovenbird_core::block::GIB }
}
