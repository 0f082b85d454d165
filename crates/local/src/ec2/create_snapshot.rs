//! CreateSnapshot and CopySnapshot.

use std::sync::Arc;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::CopySnapshotRequest;
use ovenbird_aws::ec2::CopySnapshotResult;
use ovenbird_aws::ec2::CreateSnapshotRequest;

use super::encryption::Asked;
use super::register_image::verify_description;
use super::resources::Kind;
use super::resources::own_volume;
use super::snapshots::to_api;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::tags;
use crate::delays::Delay;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::regions;
use crate::snapshotting;
use crate::tagging;
use crate::world::Call;

/// Snapshots a volume as it is; an instance that writes to it meanwhile is not held up.
pub(crate) fn create_snapshot(call: &Call, request: &CreateSnapshotRequest) -> Answer<ec2::Snapshot> {
    verify_description(request.description.as_deref())?;
    let tags = tagging::specified(&request.tag_specifications, &["snapshot"])?("snapshot");
    let (reading, snapshot) = call.world.catalogue.transact(|db| {
        let volume = own_volume(db, call, request.volume_id.as_deref())?;
        if !matches!(volume.state.as_str(), "available" | "in-use") {
            return refuse("IncorrectState", format!("The volume '{}' is {}", volume.id, volume.state));
        }
        let reading = snapshotting::insert(db, call, &volume, request.description.clone())?;
        tags::put_tags(db, &call.scope, &reading.snapshot, &tags)?;
        let snapshot = snapshots::find_snapshot(db, &call.scope.region, &reading.snapshot)?;
        Ok((reading, snapshot))
    })?;
    let shown = snapshot.map(|snapshot| to_api(&snapshot, &tags)).unwrap_or_default();
    snapshotting::begin(Arc::clone(&call.world), None, false, vec![reading], Delay::SnapshotCreated, |_, _, _| {});
    Ok(shown)
}

/// Copies a snapshot that the caller may use, from any Region into the caller's; no data moves.
pub(crate) fn copy_snapshot(call: &Call, request: &CopySnapshotRequest) -> Answer<CopySnapshotResult> {
    let source_region = required(request.source_region.as_deref(), "SourceRegion")?;
    if !regions::is_region(source_region) {
        return refuse("InvalidParameterValue", format!("Invalid region name: {source_region}"));
    }
    let asked = Asked::new(&call.scope, request.encrypted, request.kms_key_id.as_deref())?;
    verify_description(request.description.as_deref())?;
    let tags = tagging::specified(&request.tag_specifications, &["snapshot"])?("snapshot");
    let id = required(request.source_snapshot_id.as_deref(), "SourceSnapshotId")?;
    Kind::Snapshot.verify_id(id)?;
    call.world.catalogue.transact(|db| {
        let found = snapshots::find_snapshot(db, source_region, id)?;
        let Some(source) = found else { return Kind::Snapshot.not_found(id) };
        if !snapshots::is_readable_by(db, &source, &call.scope.account)? {
            return Kind::Snapshot.not_found(id);
        }
        if source.state != "completed" {
            return refuse("IncorrectState", format!("The snapshot '{id}' is {}, not completed.", source.state));
        }
        let copied = random_id("snap")?;
        let copy = Snapshot {
            id: copied.clone(),
            scope: call.scope.clone(),
            state: "pending".to_owned(),
            parent: None,
            // A copy begins a lineage of its own.
            lineage: copied.clone(),
            description: request.description.clone(),
            started: call.now,
            progress: 100,
            changed_blocks: None,
            completes_at: Some(call.world.delays.due(Delay::ImageCopied, call.now)),
            volume: None,
            public: false,
            kms_key: asked.of_copy(db, &call.scope, source.kms_key.as_deref())?,
            ..source
        };
        snapshots::insert_snapshot(db, &copy, &snapshots::map_of(db, id)?)?;
        tags::put_tags(db, &call.scope, &copied, &tags)?;
        Ok(CopySnapshotResult { tags: tagging::to_api(&tags), snapshot_id: Some(copied) })
    })
}
