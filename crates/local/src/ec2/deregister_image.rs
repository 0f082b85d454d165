//! DeregisterImage, with or without its snapshots.

use ovenbird_aws::ec2::DeleteSnapshotReturnCode;
use ovenbird_aws::ec2::DeregisterImageRequest;
use ovenbird_aws::ec2::DeregisterImageResult;
use rusqlite::Connection;

use super::resources::own_image;
use crate::catalogue::images;
use crate::catalogue::snapshots;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::world::Call;

/// Takes an image away. Snapshots that another image holds are skipped (lifecycle.md row 38).
pub(crate) fn deregister_image(call: &Call, request: &DeregisterImageRequest) -> Answer<DeregisterImageResult> {
    call.world.catalogue.transact(|db| {
        let image = own_image(db, call, request.image_id.as_deref())?;
        if image.is_protected {
            let text = format!("The image '{}' is protected from deregistration: disable that first", image.id);
            return refuse("OperationNotPermitted", text);
        }
        images::delete_image(db, &image.id)?;
        let mut held: Vec<&String> = Vec::new();
        if request.delete_associated_snapshots == Some(true) {
            held.extend(image.snapshots());
            held.sort();
            held.dedup();
        }
        let results = held.into_iter().map(|id| delete_snapshot(db, call, id)).collect::<Answer<Vec<_>>>()?;
        Ok(DeregisterImageResult { r#return: Some(true), delete_snapshot_results: results })
    })
}

fn delete_snapshot(db: &Connection, call: &Call, id: &str) -> Answer<DeleteSnapshotReturnCode> {
    let found = snapshots::find_snapshot(db, &call.scope.region, id)?;
    let code = if found.is_none_or(|snapshot| snapshot.scope != call.scope) {
        "missing-permissions"
    } else if !images::list_holders(db, id)?.is_empty() {
        "skipped"
    } else {
        snapshots::delete_snapshot(db, id)?;
        "success"
    };
    Ok(DeleteSnapshotReturnCode { snapshot_id: Some(id.to_owned()), return_code: Some(code.to_owned()) })
}
