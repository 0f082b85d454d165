//! Writing the changed blocks of a disk as a new snapshot.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use futures::stream;
use ovenbird_aws as aws;
use ovenbird_aws::Client;
use ovenbird_aws::Operation;
use ovenbird_aws::client::wait;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Change;
use ovenbird_core::block::Digest;
use ovenbird_core::block::GIB;
use ovenbird_core::block::linear_checksum;
use ovenbird_core::tags;
use ovenbird_disk::blocks;

use super::IN_FLIGHT;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;
use crate::interrupt::stop_if_interrupted;

/// For this long after StartSnapshot a put may answer 404 (coldsnap#43: 56 s seen, the service's team says two minutes).
const NOT_FOUND_GRACE: Duration = Duration::from_secs(130);
/// How often a put looks for it.
const NOT_FOUND_POLL: Duration = Duration::from_millis(250);
/// Minutes without a put after which EBS gives up on a pending snapshot by itself. An account may have 100 pending.
const TIMEOUT_MINUTES: i32 = 10;
/// How long a completed snapshot may take to say so.
pub(crate) const COMPLETION: Duration = Duration::from_secs(600);
/// How often is looked.
const COMPLETION_POLL: Duration = Duration::from_millis(500);

/// A snapshot to be made.
#[derive(Clone, Debug)]
pub struct NewSnapshot {
    /// Bytes of the volume, a whole number of GiB.
    pub volume_size: u64,
    /// The snapshot whose blocks show through, one of our own.
    pub parent: Option<String>,
    /// At most 64 ASCII characters; the same token and settings answer the same snapshot.
    pub client_token: String,
    /// A sentence for people.
    pub description: String,
    /// Written in the call itself, so that the snapshot can always be found again.
    pub tags: Vec<(String, String)>,
}

/// Starts the snapshot and answers its id.
///
/// # Errors
/// AWS's refusals.
pub async fn start_snapshot(client: &Client, new: &NewSnapshot) -> Result<String, BakeError> {
    let tag = |(key, value): &(String, String)| ebs::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    let request = ebs::StartSnapshotRequest {
        volume_size: i64::try_from(new.volume_size / GIB).ok(),
        parent_snapshot_id: new.parent.clone(),
        client_token: Some(new.client_token.clone()),
        description: Some(new.description.clone()),
        tags: new.tags.iter().map(tag).collect(),
        timeout: Some(TIMEOUT_MINUTES),
        ..Default::default()
    };
    let answer = match client.send(request).await {
        Err(error) if error.refusal().is_some_and(aws::ApiError::is_quota) => {
            return Err(BakeError::PendingSnapshots { source: Box::new(error) });
        }
        answer => answer.map_err(calling("start a snapshot"))?,
    };
    answer.snapshot_id.ok_or_else(|| calling("start a snapshot")(incomplete("StartSnapshot", "SnapshotId")))
}

/// Puts `changes` of `disk` into the pending `snapshot`, completes it and waits until it is.
///
/// # Errors
/// AWS's refusals, or the disk's.
pub async fn put_changes(
    client: &Client,
    snapshot: &str,
    disk: &Path,
    changes: &BTreeMap<u32, Change>,
    on_block: impl FnMut(u64, u64),
) -> Result<(), BakeError> {
    put_blocks(client, snapshot, disk, changes, on_block).await?;
    complete_snapshot(client, snapshot, changes).await?;
    wait_until_completed(client, snapshot, COMPLETION).await
}

/// Puts `changes` of `disk` into the pending `snapshot`.
///
/// # Errors
/// AWS's refusals, or the disk's. A block that is no longer what it was when the disk was scanned is refused: its checksum is another.
pub(crate) async fn put_blocks(
    client: &Client,
    snapshot: &str,
    disk: &Path,
    changes: &BTreeMap<u32, Change>,
    mut on_block: impl FnMut(u64, u64),
) -> Result<(), BakeError> {
    let file = fs_err::File::open(disk).map_err(working("open the baked disk"))?.into_parts().0;
    let started = Instant::now();
    let total = changes.len() as u64;
    let mut done = 0;
    let mut putting = stream::iter(changes)
        .map(|(index, change)| put_block(client, snapshot, &file, (*index, change.digest()), started))
        .buffer_unordered(IN_FLIGHT);
    while let Some(()) = putting.try_next().await? {
        stop_if_interrupted()?;
        done += 1;
        on_block(done, total);
    }
    Ok(())
}

/// Completes the pending `snapshot`, which holds these changes of its parent. It is completed some time later.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn complete_snapshot(
    client: &Client,
    snapshot: &str,
    changes: &BTreeMap<u32, Change>,
) -> Result<(), BakeError> {
    let request = ebs::CompleteSnapshotRequest {
        snapshot_id: Some(snapshot.to_owned()),
        changed_blocks_count: i32::try_from(changes.len()).ok(),
        checksum: Some(linear_checksum(changes.values().map(Change::digest)).base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
        checksum_aggregation_method: Some("LINEAR".to_owned()),
    };
    let sent = once_there(client, snapshot, &request, Instant::now()).await;
    sent.map(drop).map_err(calling(format!("complete snapshot {snapshot}")))
}

/// Waits until `snapshot` is completed, at most for `patience`.
///
/// # Errors
/// AWS's refusals; a snapshot that ends as an error, or takes too long.
pub(crate) async fn wait_until_completed(client: &Client, snapshot: &str, patience: Duration) -> Result<(), BakeError> {
    let what = format!("snapshot {snapshot} to be completed");
    let completed = wait(what, patience, COMPLETION_POLL, async || is_completed(client, snapshot).await).await;
    completed.map_err(calling(format!("complete snapshot {snapshot}")))
}

async fn is_completed(client: &Client, snapshot: &str) -> Result<Option<()>, aws::Error> {
    // A filter, not the id: a listing that does not know it yet is no refusal.
    let filters = vec![Filter::new("snapshot-id", [snapshot])];
    let pages = client.send_all(ec2::DescribeSnapshotsRequest { filters, ..Default::default() }).await?;
    let Some(found) = pages.into_iter().flat_map(|page| page.snapshots).next() else { return Ok(None) };
    match found.state.as_deref() {
        Some("completed") => Ok(Some(())),
        Some(state @ "error") => Err(aws::Error::Ended {
            what: format!("the snapshot {snapshot}"),
            state: state.to_owned(),
            why: found.state_message.unwrap_or_else(|| "AWS gives no reason".to_owned()),
        }),
        _ => Ok(None),
    }
}

/// Sends what writes to a snapshot that was started a moment ago, and may not be there yet for a while.
async fn once_there<O: Operation>(
    client: &Client,
    snapshot: &str,
    request: &O,
    started: Instant,
) -> Result<O::Answer, aws::Error> {
    let patience = NOT_FOUND_GRACE.saturating_sub(started.elapsed());
    let what = format!("the new snapshot {snapshot} to be there");
    wait(what, patience, NOT_FOUND_POLL, async || match client.send(request.clone()).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() && started.elapsed() < NOT_FOUND_GRACE => Ok(None),
        Err(error) => Err(error),
    })
    .await
}

async fn put_block(
    client: &Client,
    snapshot: &str,
    file: &File,
    (index, digest): (u32, Digest),
    started: Instant,
) -> Result<(), BakeError> {
    let block = blocks::read_block(file, index).map_err(working(format!("read block {index} of the baked disk")))?;
    let request = ebs::PutSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: i32::try_from(index).ok(),
        data_length: i32::try_from(BLOCK_SIZE).ok(),
        checksum: Some(digest.base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
        block_data: Some(Blob(block.into())),
        ..Default::default()
    };
    let put = once_there(client, snapshot, &request, started).await;
    put.map(drop).map_err(calling(format!("write block {index} of {snapshot}")))
}

/// Takes a snapshot back. One that is gone already is fine.
///
/// # Errors
/// AWS's refusals.
pub async fn undo_snapshot(client: &Client, snapshot: &str) -> Result<(), BakeError> {
    let request = ec2::DeleteSnapshotRequest { snapshot_id: Some(snapshot.to_owned()), ..Default::default() };
    match client.send(request).await {
        Err(error) if !error.is_not_found() => Err(calling(format!("delete snapshot {snapshot}"))(error)),
        _ => Ok(()),
    }
}

/// The bake's snapshots that are not completed: of no use to anybody.
///
/// # Errors
/// AWS's refusals.
pub async fn list_pending_snapshots(client: &Client, bake: &str) -> Result<Vec<String>, BakeError> {
    let filters = vec![Filter::tag(tags::BAKE, bake), Filter::new("status", ["pending", "error"])];
    let request = ec2::DescribeSnapshotsRequest { filters, owner_ids: vec!["self".to_owned()], ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for snapshots of {bake}")))?;
    let snapshots = pages.into_iter().flat_map(|page| page.snapshots);
    // The filter is the service's; the tag is looked at again, since what is found here is deleted.
    Ok(snapshots
        .filter(|snapshot| Tag::find(&snapshot.tags, tags::BAKE) == Some(bake))
        .filter_map(|snapshot| snapshot.snapshot_id)
        .collect())
}

fn incomplete(action: &'static str, member: &'static str) -> aws::Error {
    aws::Error::Incomplete { action, member }
}
