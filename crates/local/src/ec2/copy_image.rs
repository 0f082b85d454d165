//! CopyImage: the same blocks under new ids; no data moves.

use ovenbird_aws::ec2::CopyImageRequest;
use ovenbird_aws::ec2::CopyImageResult;
use rusqlite::Connection;

use super::encryption::Asked;
use super::register_image::verify_description;
use super::register_image::verify_free;
use super::register_image::verify_name;
use super::resources::Kind;
use super::resources::mismatched_token;
use crate::catalogue::Scope;
use crate::catalogue::images;
use crate::catalogue::images::Image;
use crate::catalogue::snapshots;
use crate::catalogue::snapshots::Snapshot;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::catalogue::tokens;
use crate::catalogue::tokens::Spent;
use crate::delays::Delay;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::regions;
use crate::tagging;
use crate::world::Call;

const ACTION: &str = "CopyImage";

/// Copies an image that the caller may see, from any Region into the caller's.
pub(crate) fn copy_image(call: &Call, request: &CopyImageRequest) -> Answer<CopyImageResult> {
    let name = verify_name(required(request.name.as_deref(), "Name")?)?;
    verify_description(request.description.as_deref())?;
    let source_region = required(request.source_region.clone(), "SourceRegion")?;
    if !regions::is_region(&source_region) {
        return refuse("InvalidParameterValue", format!("Invalid region name: {source_region}"));
    }
    if request.snapshot_copy_completion_duration_minutes.is_some_and(|it| !(15..=2880).contains(&it) || it % 15 != 0) {
        let text = "SnapshotCopyCompletionDurationMinutes must be a multiple of 15, from 15 to 2880";
        return refuse("InvalidParameterValue", text);
    }
    let asked = Asked::new(&call.scope, request.encrypted, request.kms_key_id.as_deref())?;
    let specified = tagging::specified(&request.tag_specifications, &["image", "snapshot"])?;
    let source_scope = Scope { account: call.scope.account.clone(), region: source_region };
    let token = request.client_token.clone().filter(|token| !token.is_empty());
    let text = format!("{:?}", CopyImageRequest { client_token: None, ..request.clone() });
    call.world.catalogue.transact(|db| {
        if let Some(token) = &token {
            match tokens::find_spent(db, &call.scope, ACTION, token, &text)? {
                Spent::Same(id) => return Ok(CopyImageResult { image_id: Some(id) }),
                Spent::Differently => return mismatched_token(),
                Spent::Never => {}
            }
        }
        let source_id = required(request.source_image_id.as_deref(), "SourceImageId")?;
        Kind::Image.verify_id(source_id)?;
        let Some(source) = images::find_visible(db, &source_scope, source_id)? else {
            return Kind::Image.not_found(source_id);
        };
        if source.state != "available" {
            return refuse("InvalidAMIID.Unavailable", format!("The image '{source_id}' is {}", source.state));
        }
        verify_free(db, &call.scope, &name)?;
        let mut image_tags = if request.copy_image_tags == Some(true) {
            tags::list_tags(db, &source_scope, source_id)?
        } else {
            Vec::new()
        };
        let own = specified("image");
        image_tags.retain(|(key, _)| !own.iter().any(|(other, _)| other == key));
        image_tags.extend(own);
        let copy = copy(db, call, &source, (&name, request.description.clone()), asked, &specified("snapshot"))?;
        images::insert_image(db, &copy)?;
        if let Some(why) = call.doom() {
            images::fail_image(db, &copy.id, why)?;
        }
        tags::put_tags(db, &call.scope, &copy.id, &image_tags)?;
        if let Some(token) = &token {
            tokens::spend(db, &call.scope, ACTION, token, &text, &copy.id, call.now)?;
        }
        Ok(CopyImageResult { image_id: Some(copy.id) })
    })
}

fn copy(
    db: &Connection,
    call: &Call,
    source: &Image,
    (name, description): (&str, Option<String>),
    asked: Asked<'_>,
    snapshot_tags: &[Tag],
) -> Answer<Image> {
    let available_at = call.world.delays.due(Delay::ImageCopied, call.now);
    let mut image = Image {
        seq: 0,
        id: random_id("ami")?,
        scope: call.scope.clone(),
        name: name.to_owned(),
        description: description.or_else(|| source.description.clone()),
        state: "pending".to_owned(),
        available_at,
        created: call.now,
        source_image: Some(source.id.clone()),
        source_region: Some(source.scope.region.clone()),
        source_instance: None,
        deprecate_at: None,
        is_protected: false,
        public: false,
        ..source.clone()
    };
    for device in &mut image.devices {
        let Some(id) = &device.snapshot else { continue };
        let Some(original) = snapshots::find_snapshot(db, &source.scope.region, id)? else {
            return Kind::Snapshot.not_found(id);
        };
        // Who may launch an image may not always read it. (EC2 user guide, "Copy an AMI"; the refusal in EC2's words)
        if !snapshots::is_readable_by(db, &original, &call.scope.account)? {
            return refuse("InvalidRequest", "You do not have permission to access the storage of this ami");
        }
        let copied = random_id("snap")?;
        let snapshot = Snapshot {
            id: copied.clone(),
            scope: call.scope.clone(),
            state: "pending".to_owned(),
            parent: None,
            // A copy begins a lineage of its own.
            lineage: copied.clone(),
            description: Some(format!(
                "Copied for DestinationAmi {} from SourceAmi {} for SourceSnapshot {id}.",
                image.id, source.id
            )),
            started: call.now,
            progress: 100,
            changed_blocks: None,
            completes_at: Some(available_at),
            volume: None,
            public: false,
            kms_key: asked.of_copy(db, &call.scope, original.kms_key.as_deref())?,
            ..original
        };
        snapshots::insert_snapshot(db, &snapshot, &snapshots::map_of(db, id)?)?;
        tags::put_tags(db, &call.scope, &copied, snapshot_tags)?;
        device.kms_key.clone_from(&snapshot.kms_key);
        device.snapshot = Some(copied);
    }
    Ok(image)
}
