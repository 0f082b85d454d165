//! DescribeSnapshots and DeleteSnapshot.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::DeleteSnapshotRequest;
use ovenbird_aws::ec2::DescribeSnapshotsRequest;
use ovenbird_aws::ec2::DescribeSnapshotsResult;
use ovenbird_aws::ec2::Nothing;

use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use super::paging::refuse_pages_of_ids;
use super::resources::Kind;
use super::resources::own_snapshot;
use crate::catalogue::images;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::tagging;
use crate::world::Call;

/// What a snapshot that was not made of a volume says as its volume.
const NO_VOLUME: &str = "vol-ffffffff";

struct Listed {
    snapshot: Snapshot,
    tags: Vec<Tag>,
}

/// The caller's snapshots.
pub(crate) fn describe_snapshots(call: &Call, request: &DescribeSnapshotsRequest) -> Answer<DescribeSnapshotsResult> {
    refuse_pages_of_ids(&request.snapshot_ids, request.max_results)?;
    let (listed, mut tags) = call.world.catalogue.transact(|db| {
        request.snapshot_ids.iter().try_for_each(|id| own_snapshot(db, call, Some(id)).map(drop))?;
        Ok((snapshots::list_snapshots(db, &call.scope)?, tags::map_tags(db, &call.scope, Kind::Snapshot.prefix())?))
    })?;
    let is_own = |owner: &String| owner == "self" || *owner == call.scope.account;
    let owned = request.owner_ids.is_empty() || request.owner_ids.iter().any(is_own);
    let listed = listed
        .into_iter()
        .filter(|snapshot| owned && (request.snapshot_ids.is_empty() || request.snapshot_ids.contains(&snapshot.id)))
        .filter(|snapshot| call.sees(snapshot.started))
        .map(|snapshot| Listed { tags: tags.remove(&snapshot.id).unwrap_or_default(), snapshot })
        .collect();
    let paging = Paging {
        action: "DescribeSnapshots",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.snapshot.seq)?;
    Ok(DescribeSnapshotsResult {
        next_token,
        snapshots: page.iter().map(|listed| to_api(&listed.snapshot, &listed.tags)).collect(),
    })
}

/// Deletes a snapshot that no image holds; its blocks go with the last that needs them.
pub(crate) fn delete_snapshot(call: &Call, request: &DeleteSnapshotRequest) -> Answer<Nothing> {
    call.world.catalogue.transact(|db| {
        let snapshot = own_snapshot(db, call, request.snapshot_id.as_deref())?;
        if let Some(image) = images::list_holders(db, &snapshot.id)?.first() {
            return refuse(
                "InvalidSnapshot.InUse",
                format!("The snapshot {} is currently in use by {image}", snapshot.id),
            );
        }
        snapshots::delete_snapshot(db, &snapshot.id)?;
        Ok(Nothing {})
    })
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "description",
        "encrypted",
        "owner-alias",
        "owner-id",
        "progress",
        "snapshot-id",
        "start-time",
        "status",
        "volume-id",
        "volume-size",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let snapshot = &self.snapshot;
        let value = match filter {
            "description" => snapshot.description.clone(),
            "encrypted" => Some(snapshot.kms_key.is_some().to_string()),
            "owner-id" => Some(snapshot.scope.account.clone()),
            "progress" => Some(format!("{}%", snapshot.progress)),
            "snapshot-id" => Some(snapshot.id.clone()),
            "start-time" => Some(snapshot.started.to_string()),
            "status" => Some(snapshot.state.clone()),
            "volume-id" => Some(snapshot.volume.clone().unwrap_or_else(|| NO_VOLUME.to_owned())),
            "volume-size" => Some(snapshot.volume_size.to_string()),
            _ => None,
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

/// A snapshot as the API shows it.
pub(super) fn to_api(snapshot: &Snapshot, tags: &[Tag]) -> ec2::Snapshot {
    ec2::Snapshot {
        tags: tagging::to_api(tags),
        snapshot_id: Some(snapshot.id.clone()),
        volume_id: Some(snapshot.volume.clone().unwrap_or_else(|| NO_VOLUME.to_owned())),
        state: Some(snapshot.state.clone()),
        start_time: Some(snapshot.started),
        progress: Some(format!("{}%", snapshot.progress)),
        owner_id: Some(snapshot.scope.account.clone()),
        description: Some(snapshot.description.clone().unwrap_or_default()),
        volume_size: i32::try_from(snapshot.volume_size).ok(),
        encrypted: Some(snapshot.kms_key.is_some()),
        kms_key_id: snapshot.kms_key.clone(),
        ..ec2::Snapshot::default()
    }
}
