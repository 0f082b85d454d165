//! What bakes that were cut off have left, and how it goes away.
//!
//! Mounts and loop devices are freed by the kernel with the bake's mount namespace. What can remain is a pending snapshot,
//! a folder on this machine, and for a moment a process that has not yet noticed that its bake is gone.

use std::path::PathBuf;
use std::time::Duration;

use ovenbird_aws::Client;
use ovenbird_disk::process::Process;
use serde::Serialize;

use crate::copies::Copy;
use crate::copies::find_copies;
use crate::copies::undo_copy;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::BakeFolder;
use crate::folder::Folders;
use crate::folder::list_bakes;
use crate::images::undo_images;
use crate::journal;
use crate::journal::Entry;
use crate::launch::find_leftovers;
use crate::launch::undo_leftovers;
use crate::remote::list_pending_snapshots;
use crate::remote::undo_snapshot;
use crate::sandbox::BAKE_VARIABLE;
use crate::steps::FIRST_OF_LAUNCH;

/// How long a stray process gets to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// What one bake left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Abandoned {
    /// The bake's id.
    pub bake: String,
    /// The service, if the bake came so far to say.
    pub service: Option<String>,
    /// Its folder on this machine.
    pub folder: PathBuf,
    /// Its processes.
    pub processes: Vec<u32>,
    /// Its snapshots that are pending: of no use, and an account may have 100.
    pub snapshots: Vec<String>,
    /// What it launched: `i-…`, `sg-…`, `key-…`.
    pub launched: Vec<String>,
    /// Copies of its image in other regions that it did not publish.
    pub copies: Vec<Copy>,
}

/// Bakes of this machine whose process is gone, with what they left here and in the client's account and region.
///
/// # Errors
/// What cannot be read, AWS's refusals.
pub async fn find_abandoned(client: &Client, folders: &Folders) -> Result<Vec<Abandoned>, BakeError> {
    let mut found = Vec::new();
    for id in list_bakes(folders)? {
        // Held while we look, so that nothing else takes it up.
        let Some(folder) = BakeFolder::find_abandoned(folders, &id) else { continue };
        let service = journal::find_beginning(&folder.path).map(|beginning| beginning.service);
        let snapshots = list_pending_snapshots(client, &id).await?;
        let processes = processes(&id)?.iter().map(|process| process.pid).collect();
        let launched = if has_launched(&folder) { find_leftovers(client, &id).await? } else { Vec::new() };
        let copies = find_copies(client, &folder).await?;
        found.push(Abandoned {
            bake: id,
            service,
            folder: folder.path.clone(),
            processes,
            snapshots,
            launched,
            copies,
        });
    }
    Ok(found)
}

/// Takes back what a bake left: processes first, then snapshots, its folder last, since that is what we find it by.
///
/// # Errors
/// What could not be taken back; calling again goes on.
pub async fn undo_abandoned(client: &Client, folders: &Folders, bake: &str) -> Result<(), BakeError> {
    let Some(folder) = BakeFolder::take_abandoned(folders, bake) else { return Ok(()) };
    end_processes(bake)?;
    undo_in_aws(client, &folder).await?;
    folder.remove()
}

/// Takes back what a bake has in AWS besides what it published.
///
/// # Errors
/// What could not be taken back; calling again goes on.
pub(crate) async fn undo_in_aws(client: &Client, folder: &BakeFolder) -> Result<(), BakeError> {
    let bake = folder.id.as_str();
    for snapshot in list_pending_snapshots(client, bake).await? {
        undo_snapshot(client, &snapshot).await?;
    }
    undo_images(client, bake, None).await?;
    for copy in find_copies(client, folder).await? {
        undo_copy(client, &copy).await?;
    }
    if has_launched(folder) {
        undo_leftovers(client, bake).await?;
    }
    Ok(())
}

/// Did the bake take the launch path? Otherwise it may lack the rights to look for instances, and has none.
fn has_launched(folder: &BakeFolder) -> bool {
    let is_launch = |entry: &Entry| matches!(entry, Entry::Starts { step } if step == FIRST_OF_LAUNCH);
    journal::read(&folder.path).iter().any(is_launch)
}

/// Ends what is still running of a bake that is gone.
///
/// # Errors
/// When the processes of this machine cannot be listed.
pub(crate) fn end_processes(bake: &str) -> Result<(), BakeError> {
    processes(bake)?.iter().for_each(|process| process.end(GRACE));
    Ok(())
}

/// Processes whose environment names the bake.
fn processes(bake: &str) -> Result<Vec<Process>, BakeError> {
    let marker = format!("{BAKE_VARIABLE}={bake}").into_bytes();
    let entries = fs_err::read_dir("/proc").map_err(working("look for processes of bakes"))?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_marked = |pid: &u32| {
        // A process that ends while we look is none.
        fs_err::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == marker))
    };
    Ok(pids.filter(is_marked).filter_map(Process::find).collect())
}
