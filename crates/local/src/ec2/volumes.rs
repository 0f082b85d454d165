//! CreateVolume, DescribeVolumes, DeleteVolume.

use std::sync::Arc;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::CreateVolumeRequest;
use ovenbird_aws::ec2::DeleteVolumeRequest;
use ovenbird_aws::ec2::DescribeVolumesRequest;
use ovenbird_aws::ec2::DescribeVolumesResult;
use ovenbird_aws::ec2::Nothing;
use rusqlite::Connection;

use super::devices::verify_kind;
use super::devices::verify_size;
use super::encryption::Asked;
use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use super::paging::refuse_pages_of_ids;
use super::resources::Kind;
use super::resources::mismatched_token;
use super::resources::own_snapshot;
use super::resources::own_volume;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::catalogue::tokens;
use crate::catalogue::tokens::Spent;
use crate::catalogue::volumes;
use crate::catalogue::volumes::Attachment;
use crate::catalogue::volumes::Volume;
use crate::disks;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::regions;
use crate::tagging;
use crate::world::Call;

const ACTION: &str = "CreateVolume";

/// Makes a volume, empty or from a snapshot; it is `available` when its file is there.
pub(crate) fn create_volume(call: &Call, request: &CreateVolumeRequest) -> Answer<ec2::Volume> {
    let zone = required(request.availability_zone.clone(), "AvailabilityZone")?;
    if !regions::list_zones(&call.scope.region).iter().any(|known| known.name == zone) {
        return refuse("InvalidZone.NotFound", format!("The zone '{zone}' does not exist."));
    }
    if request.multi_attach_enabled == Some(true) {
        return refuse("UnsupportedOperation", "The embedded EC2 has no multi-attach volumes");
    }
    let asked = Asked::new(&call.scope, request.encrypted, request.kms_key_id.as_deref())?;
    let kind = verify_kind(request.volume_type.as_deref())?;
    let tags = tagging::specified(&request.tag_specifications, &["volume"])?("volume");
    let token = request.client_token.clone().filter(|token| !token.is_empty());
    let text = format!("{:?}", CreateVolumeRequest { client_token: None, ..request.clone() });
    let (volume, is_new) = call.world.catalogue.transact(|db| {
        if let Some(token) = &token {
            match tokens::find_spent(db, &call.scope, ACTION, token, &text)? {
                Spent::Same(id) => return Ok((own_volume(db, call, Some(&id))?, false)),
                Spent::Differently => return mismatched_token(),
                Spent::Never => {}
            }
        }
        let snapshot = find_snapshot(db, call, request)?;
        let snapshot_key = snapshot.as_ref().and_then(|snapshot| snapshot.kms_key.as_deref());
        let volume = Volume {
            seq: 0,
            kms_key: asked.of_volume(db, &call.scope, snapshot_key)?,
            id: random_id("vol")?,
            scope: call.scope.clone(),
            zone: zone.clone(),
            size: size(request, snapshot.as_ref())?,
            snapshot: request.snapshot_id.clone().filter(|id| !id.is_empty()),
            kind: kind.clone(),
            iops: request.iops,
            throughput: request.throughput,
            state: "creating".to_owned(),
            created: call.now,
            attachment: None,
        };
        volumes::insert_volume(db, &volume)?;
        tags::put_tags(db, &call.scope, &volume.id, &tags)?;
        if let Some(token) = &token {
            tokens::spend(db, &call.scope, ACTION, token, &text, &volume.id, call.now)?;
        }
        Ok((volume, true))
    })?;
    if is_new {
        disks::begin(Arc::clone(&call.world), volume.clone());
    }
    Ok(to_api(&volume, &tags))
}

fn find_snapshot(db: &Connection, call: &Call, request: &CreateVolumeRequest) -> Answer<Option<Snapshot>> {
    let Some(id) = request.snapshot_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(None) };
    let snapshot = own_snapshot(db, call, Some(id))?;
    if snapshot.state != "completed" {
        return refuse("IncorrectState", format!("Snapshot is in invalid state - {}", snapshot.state));
    }
    Ok(Some(snapshot))
}

fn size(request: &CreateVolumeRequest, snapshot: Option<&Snapshot>) -> Answer<i64> {
    let asked = request.size.map(i64::from);
    let Some(snapshot) = snapshot else { return verify_size(required(asked, "Size")?) };
    let size = asked.unwrap_or(snapshot.volume_size);
    if size < snapshot.volume_size {
        let text = format!("The size of a volume must be at least that of its snapshot: {} GiB", snapshot.volume_size);
        return refuse("InvalidParameterValue", text);
    }
    verify_size(size)
}

struct Listed {
    volume: Volume,
    tags: Vec<Tag>,
}

/// The caller's volumes.
pub(crate) fn describe_volumes(call: &Call, request: &DescribeVolumesRequest) -> Answer<DescribeVolumesResult> {
    refuse_pages_of_ids(&request.volume_ids, request.max_results)?;
    let (all, mut tags) = call.world.catalogue.transact(|db| {
        request.volume_ids.iter().try_for_each(|id| own_volume(db, call, Some(id)).map(drop))?;
        Ok((volumes::list_volumes(db, &call.scope)?, tags::map_tags(db, &call.scope, Kind::Volume.prefix())?))
    })?;
    let listed = all
        .into_iter()
        .filter(|volume| request.volume_ids.is_empty() || request.volume_ids.contains(&volume.id))
        .filter(|volume| call.sees(volume.created))
        .map(|volume| Listed { tags: tags.remove(&volume.id).unwrap_or_default(), volume })
        .collect();
    let paging = Paging {
        action: "DescribeVolumes",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |listed| listed.volume.seq)?;
    Ok(DescribeVolumesResult {
        next_token,
        volumes: page.iter().map(|listed| to_api(&listed.volume, &listed.tags)).collect(),
    })
}

/// Deletes a volume that is in no instance.
pub(crate) fn delete_volume(call: &Call, request: &DeleteVolumeRequest) -> Answer<Nothing> {
    let volume = call.world.catalogue.transact(|db| {
        let volume = own_volume(db, call, request.volume_id.as_deref())?;
        if let Some(Attachment { instance, .. }) = &volume.attachment {
            return refuse("VolumeInUse", format!("Volume {} is currently attached to {instance}", volume.id));
        }
        if volume.state == "creating" {
            return refuse("IncorrectState", format!("The volume '{}' is still being created", volume.id));
        }
        volumes::delete_volume(db, &volume.id)?;
        Ok(volume)
    })?;
    disks::remove(&call.world, &volume.id)?;
    Ok(Nothing {})
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &[
        "attachment.delete-on-termination",
        "attachment.device",
        "attachment.instance-id",
        "attachment.status",
        "availability-zone",
        "create-time",
        "encrypted",
        "multi-attach-enabled",
        "size",
        "snapshot-id",
        "status",
        "volume-id",
        "volume-type",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        let volume = &self.volume;
        let attached = |value: fn(&Attachment) -> String| volume.attachment.as_ref().map(value);
        let value = match filter {
            "attachment.delete-on-termination" => attached(|attachment| attachment.delete_on_termination.to_string()),
            "attachment.device" => attached(|attachment| attachment.device.clone()),
            "attachment.instance-id" => attached(|attachment| attachment.instance.clone()),
            "attachment.status" => attached(|attachment| attachment.state.clone()),
            "availability-zone" => Some(volume.zone.clone()),
            "create-time" => Some(volume.created.to_string()),
            "encrypted" => Some(volume.kms_key.is_some().to_string()),
            "multi-attach-enabled" => Some("false".to_owned()),
            "size" => Some(volume.size.to_string()),
            "snapshot-id" => volume.snapshot.clone(),
            "status" => Some(volume.state.clone()),
            "volume-id" => Some(volume.id.clone()),
            _ => Some(volume.kind.clone()),
        };
        value.into_iter().collect()
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

fn to_api(volume: &Volume, tags: &[Tag]) -> ec2::Volume {
    let attachment = |attachment: &Attachment| to_api_attachment(volume, attachment);
    ec2::Volume {
        iops: volume.iops,
        tags: tagging::to_api(tags),
        volume_type: Some(volume.kind.clone()),
        multi_attach_enabled: Some(false),
        throughput: volume.throughput,
        volume_id: Some(volume.id.clone()),
        size: i32::try_from(volume.size).ok(),
        snapshot_id: Some(volume.snapshot.clone().unwrap_or_default()),
        availability_zone: Some(volume.zone.clone()),
        state: Some(volume.state.clone()),
        create_time: Some(volume.created),
        attachments: volume.attachment.iter().map(attachment).collect(),
        encrypted: Some(volume.kms_key.is_some()),
        kms_key_id: volume.kms_key.clone(),
    }
}

/// An attachment as the API shows it.
pub(super) fn to_api_attachment(volume: &Volume, attachment: &Attachment) -> ec2::VolumeAttachment {
    ec2::VolumeAttachment {
        delete_on_termination: Some(attachment.delete_on_termination),
        volume_id: Some(volume.id.clone()),
        instance_id: Some(attachment.instance.clone()),
        device: Some(attachment.device.clone()),
        state: Some(attachment.state.clone()),
        attach_time: Some(attachment.since),
    }
}
