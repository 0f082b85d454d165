//! StartSnapshot.

use ovenbird_aws::ebs::StartSnapshotRequest;
use ovenbird_aws::ebs::StartSnapshotResponse;
use ovenbird_aws::ebs::Tag;
use ovenbird_core::block::BLOCK_SIZE;
use rusqlite::Connection;

use super::own_snapshot;
use super::refusal;
use crate::catalogue::encryption_defaults;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Map;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::tags;
use crate::catalogue::tokens;
use crate::catalogue::tokens::Spent;
use crate::ec2::encryption::Asked;
use crate::failure::Answer;
use crate::failure::required;
use crate::ids::random_id;
use crate::tagging;
use crate::world::Call;

const ACTION: &str = "StartSnapshot";

/// Largest volume, in GiB (API reference, StartSnapshot).
const MAX_VOLUME_SIZE: i64 = 65_536;

/// Pending snapshots per account and Region (quota L-94D7AB7D).
const MAX_PENDING: i64 = 100;

/// Makes a pending snapshot. With a parent, it begins with the parent's blocks.
pub(crate) fn start_snapshot(call: &Call, request: &StartSnapshotRequest) -> Answer<StartSnapshotResponse> {
    let description = request.description.clone().filter(|text| !text.is_empty());
    let (volume_size, timeout) = (verify_volume_size(request)?, verify_timeout(request)?);
    if request.encrypted.is_some() && request.parent_snapshot_id.is_some() {
        let why = "Encrypted cannot be specified together with ParentSnapshotId: a child is as its parent is.";
        return refusal::invalid("INVALID_PARAMETER_VALUE", why);
    }
    let asked = Asked::new(&call.scope, request.encrypted, request.kms_key_arn.as_deref())
        .or_else(|failure| refusal::invalid("INVALID_PARAMETER_VALUE", failure.to_string()))?;
    if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return refusal::invalid("INVALID_PARAMETER_VALUE", "The description must not be longer than 255 characters.");
    }
    let tags: Vec<tags::Tag> = request
        .tags
        .iter()
        .map(|tag| (tag.key.clone().unwrap_or_default(), tag.value.clone().unwrap_or_default()))
        .collect();
    tagging::verify_tags(&tags).or_else(|message| refusal::invalid("INVALID_TAG", message))?;
    let token = request.client_token.clone().filter(|token| !token.is_empty());
    let text = format!("{:?}", StartSnapshotRequest { client_token: None, ..request.clone() });
    call.world.catalogue.transact(|db| {
        if let Some(token) = &token {
            match tokens::find_spent(db, &call.scope, ACTION, token, &text)? {
                Spent::Same(id) => return answer(db, call, &own_snapshot(db, call, Some(&id))?),
                Spent::Differently => return refusal::conflict(),
                Spent::Never => {}
            }
        }
        if snapshots::count_pending(db, &call.scope)? >= MAX_PENDING {
            return refusal::quota(
                "You have reached the limit of 100 pending snapshots; complete or delete some first.",
            );
        }
        let (parent, map) = find_parent(db, call, request, volume_size)?;
        let kms_key = match &parent {
            Some(parent) => parent.kms_key.clone(),
            None => asked.of_volume(db, &call.scope, None)?,
        };
        let id = random_id("snap")?;
        let snapshot = Snapshot {
            seq: 0,
            scope: call.scope.clone(),
            state: "pending".to_owned(),
            volume_size,
            lineage: parent.as_ref().map_or_else(|| id.clone(), |parent| parent.lineage.clone()),
            parent: parent.map(|parent| parent.id),
            description: description.clone(),
            started: call.now,
            timeout_ms: timeout * 60_000,
            progress: 0,
            changed_blocks: None,
            completes_at: None,
            volume: None,
            public: false,
            kms_key,
            id,
        };
        snapshots::insert_snapshot(db, &snapshot, &map)?;
        tags::put_tags(db, &call.scope, &snapshot.id, &tags)?;
        if let Some(token) = &token {
            tokens::spend(db, &call.scope, ACTION, token, &text, &snapshot.id, call.now)?;
        }
        answer(db, call, &snapshot)
    })
}

fn verify_volume_size(request: &StartSnapshotRequest) -> Answer<i64> {
    let size = required(request.volume_size, "VolumeSize")?;
    if (1..=MAX_VOLUME_SIZE).contains(&size) {
        return Ok(size);
    }
    refusal::invalid("INVALID_VOLUME_SIZE", format!("The volume size must be 1 to {MAX_VOLUME_SIZE} GiB, not {size}."))
}

fn verify_timeout(request: &StartSnapshotRequest) -> Answer<i64> {
    match request.timeout.unwrap_or(60) {
        minutes @ 10..=4320 => Ok(i64::from(minutes)),
        minutes => refusal::invalid(
            "INVALID_PARAMETER_VALUE",
            format!("The timeout must be 10 to 4320 minutes, not {minutes}."),
        ),
    }
}

/// The parent must be a completed snapshot of the caller, and no larger than its child.
fn find_parent(
    db: &Connection,
    call: &Call,
    request: &StartSnapshotRequest,
    volume_size: i64,
) -> Answer<(Option<Snapshot>, Map)> {
    let Some(id) = &request.parent_snapshot_id else { return Ok((None, Map::new())) };
    let parent = own_snapshot(db, call, Some(id))?;
    if parent.state != "completed" {
        return refusal::invalid(
            "INVALID_SNAPSHOT_ID",
            format!("The parent snapshot '{id}' is {}, not completed.", parent.state),
        );
    }
    if volume_size < parent.volume_size {
        let text =
            format!("The volume size {volume_size} GiB is smaller than the parent's {} GiB.", parent.volume_size);
        return refusal::invalid("INVALID_VOLUME_SIZE", text);
    }
    if parent.kms_key.is_none() && encryption_defaults::of_scope(db, &call.scope)?.is_on {
        let text = format!(
            "The parent snapshot '{id}' is not encrypted, and this account encrypts by default: copy it encrypted first."
        );
        return refusal::invalid("INVALID_PARAMETER_VALUE", text);
    }
    let map = snapshots::map_of(db, id)?;
    Ok((Some(parent), map))
}

fn answer(db: &Connection, call: &Call, snapshot: &Snapshot) -> Answer<StartSnapshotResponse> {
    let tags = tags::list_tags(db, &call.scope, &snapshot.id)?;
    Ok(StartSnapshotResponse {
        description: snapshot.description.clone(),
        snapshot_id: Some(snapshot.id.clone()),
        owner_id: Some(snapshot.scope.account.clone()),
        status: Some(snapshot.state.clone()),
        start_time: Some(snapshot.started),
        volume_size: Some(snapshot.volume_size),
        block_size: i32::try_from(BLOCK_SIZE).ok(),
        tags: tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect(),
        parent_snapshot_id: snapshot.parent.clone(),
        kms_key_arn: snapshot.kms_key.clone(),
        sse_type: None,
    })
}
