//! What AWS has already. Reuse never lies: a result counts only where AWS says that it is there and whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::tags;

use super::ExistingImage;
use crate::error::BakeError;
use crate::error::calling;

/// The available image of `service` with this key, its snapshot included; the oldest, if two bakes made one at a time.
pub(super) async fn find_image(
    client: &Client,
    service: &str,
    key: LayerKey,
) -> Result<Option<ExistingImage>, BakeError> {
    let filters = vec![
        Filter::tag(tags::KEY, &key.hex()),
        Filter::tag(tags::SERVICE, service),
        Filter::new("state", ["available"]),
    ];
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("look for an image that is baked already"))?;
    let mut images: Vec<ec2::Image> = pages.into_iter().flat_map(|page| page.images).collect();
    images.sort_by(|a, b| (&a.creation_date, &a.image_id).cmp(&(&b.creation_date, &b.image_id)));
    for image in images {
        let Some(found) = read(&image) else { continue };
        if is_completed(client, &found.snapshot).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn read(image: &ec2::Image) -> Option<ExistingImage> {
    let root = image.block_device_mappings.iter().find(|mapping| mapping.device_name == image.root_device_name)?;
    Some(ExistingImage {
        id: image.image_id.clone()?,
        name: image.name.clone().unwrap_or_default(),
        snapshot: root.ebs.as_ref()?.snapshot_id.clone()?,
        made: image.creation_date.as_ref().and_then(|time| time.parse().ok()),
    })
}

async fn is_completed(client: &Client, snapshot: &str) -> Result<bool, BakeError> {
    let filters = vec![Filter::new("snapshot-id", [snapshot]), Filter::new("status", ["completed"])];
    let request = ec2::DescribeSnapshotsRequest { filters, owner_ids: vec!["self".to_owned()], ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look whether {snapshot} is there")))?;
    Ok(pages.iter().any(|page| !page.snapshots.is_empty()))
}

/// A layer that AWS has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Its snapshot, completed.
    pub(super) snapshot: String,
    /// When it was made.
    pub(super) made: Option<Timestamp>,
}

/// Each of the layers that AWS has.
pub(super) async fn find_layers(client: &Client, keys: &[LayerKey]) -> Result<BTreeMap<LayerKey, Found>, BakeError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let filters = vec![
        Filter::new(format!("tag:{}", tags::LAYER), keys.iter().map(LayerKey::hex)),
        Filter::new("status", ["completed"]),
    ];
    let request = ec2::DescribeSnapshotsRequest { filters, owner_ids: vec!["self".to_owned()], ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling("look for layers that are baked already"))?;
    let mut found = BTreeMap::new();
    for snapshot in pages.into_iter().flat_map(|page| page.snapshots) {
        let key = Tag::find(&snapshot.tags, tags::LAYER).and_then(LayerKey::from_hex);
        if let (Some(key), Some(id)) = (key, snapshot.snapshot_id) {
            let this = Found { snapshot: id, made: snapshot.start_time };
            // Two bakes at a time may have made the same layer: any will do, but always the same.
            match found.get_mut(&key) {
                Some(first) if *first < this => {}
                _ => drop(found.insert(key, this)),
            }
        }
    }
    Ok(found)
}
