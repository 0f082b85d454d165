//! Registering a disk of this machine with the embedded EC2, through its API, as any owner.

use std::path::Path;

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_bake::remote;
use ovenbird_bake::remote::NewSnapshot;
use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Digest;
use ovenbird_core::block::GIB;
use ovenbird_disk::blocks;
use ovenbird_local::DEFAULT_ACCOUNT;

use super::Context;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

/// An image to be made of a disk.
pub(super) struct NewImage<'a> {
    pub(super) name: &'a str,
    pub(super) owner: &'a str,
    pub(super) description: &'a str,
    pub(super) architecture: &'a str,
    pub(super) boot_mode: &'a str,
}

/// An image that is registered.
pub(super) struct Registered {
    id: String,
    was_there: bool,
}

impl Registered {
    pub(super) fn tell(&self, context: Context<'_>, image: &NewImage<'_>) {
        if context.output.is_json() {
            context.output.data(&serde_json::json!({
                "image": self.id, "name": image.name, "owner": image.owner, "was_there": self.was_there,
            }));
        } else {
            let how = if self.was_there { "is registered already as" } else { "is registered as" };
            context.output.print(&format!("{} {how} {} (owner {})", image.name, self.id, image.owner));
        }
    }
}

/// The image that its owner has under this name.
pub(super) async fn find_registered(context: Context<'_>, image: &NewImage<'_>) -> Result<Option<Registered>, Failure> {
    find_in(&client_of(context, image.owner).await?, image).await
}

/// Registers the raw `disk`. A name that its owner has already is left as it is.
pub(super) async fn register_disk(
    context: Context<'_>,
    image: &NewImage<'_>,
    disk: &Path,
) -> Result<Registered, Failure> {
    let client = client_of(context, image.owner).await?;
    if let Some(registered) = find_in(&client, image).await? {
        return Ok(registered);
    }
    let failed = |error: ovenbird_bake::BakeError| Failure::of(Kind::Aws, &error);
    let mut map = blocks::scan(disk)?;
    map.volume_size = map.volume_size.next_multiple_of(GIB);
    let changes = map.changes_since(&BlockMap::default());
    let snapshot = NewSnapshot {
        volume_size: map.volume_size,
        parent: None,
        client_token: Digest::of(format!("{} {} {:?}", image.owner, image.name, map.blocks).as_bytes()).hex(),
        description: image.description.to_owned(),
        tags: vec![("Name".to_owned(), image.name.to_owned())],
    };
    let snapshot = remote::start_snapshot(&client, &snapshot).await.map_err(failed)?;
    let registered = match remote::put_changes(&client, &snapshot, disk, &changes, |_, _| ()).await {
        Ok(()) => register(&client, image, &snapshot, map.volume_size / GIB).await,
        Err(error) => Err(failed(error)),
    };
    let id = match registered {
        Ok(id) => id,
        Err(failure) => {
            remote::undo_snapshot(&client, &snapshot).await.map_err(failed)?;
            return Err(failure);
        }
    };
    if image.owner != DEFAULT_ACCOUNT {
        make_public(&client, &id, &snapshot).await?;
    }
    remote::wait_until_available(&client, &id).await?;
    Ok(Registered { id, was_there: false })
}

async fn find_in(client: &Client, image: &NewImage<'_>) -> Result<Option<Registered>, Failure> {
    let Some(id) = find_image(client, image.name).await? else { return Ok(None) };
    // An endpoint with delays takes its time.
    remote::wait_until_available(client, &id).await?;
    Ok(Some(Registered { id, was_there: true }))
}

async fn client_of(context: Context<'_>, owner: &str) -> Result<Client, Failure> {
    let status = ovenbird_local::status(&folders::local()?).map_err(|error| Failure::of(Kind::Failed, &error))?;
    let Some(url) = status.url.filter(|_| status.running) else {
        return Err(Failure::usage("the embedded EC2 is not running").hint("start it with `ovenbird local up`"));
    };
    let keys = super::keys(owner)?;
    let region = context.global.region.clone().or(status.region).unwrap_or_default();
    Ok(Client::for_endpoint(&url, &region, &keys.access_key_id, &keys.secret_access_key).await)
}

async fn find_image(client: &Client, name: &str) -> Result<Option<String>, Failure> {
    let filters = vec![Filter::new("name", [name])];
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
    let pages = client.send_all(request).await?;
    Ok(pages.into_iter().flat_map(|page| page.images).find_map(|image| image.image_id))
}

async fn register(client: &Client, image: &NewImage<'_>, snapshot: &str, gib: u64) -> Result<String, Failure> {
    const ROOT: &str = "/dev/xvda";
    let root = ec2::EbsBlockDevice {
        snapshot_id: Some(snapshot.to_owned()),
        volume_size: i32::try_from(gib).ok(),
        volume_type: Some("gp3".to_owned()),
        delete_on_termination: Some(true),
        ..Default::default()
    };
    let request = ec2::RegisterImageRequest {
        name: Some(image.name.to_owned()),
        description: Some(image.description.to_owned()),
        architecture: Some(image.architecture.to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some(ROOT.to_owned()),
        boot_mode: Some(image.boot_mode.to_owned()),
        ena_support: Some(true),
        block_device_mappings: vec![ec2::BlockDeviceMapping {
            device_name: Some(ROOT.to_owned()),
            ebs: Some(root),
            ..Default::default()
        }],
        ..Default::default()
    };
    Ok(client.send(request).await?.image_id.unwrap_or_default())
}

/// Everybody may launch the image, and copy it.
async fn make_public(client: &Client, image: &str, snapshot: &str) -> Result<(), Failure> {
    let everybody = ec2::CreateVolumePermission { group: Some("all".to_owned()), ..Default::default() };
    let request = ec2::ModifySnapshotAttributeRequest {
        snapshot_id: Some(snapshot.to_owned()),
        create_volume_permission: Some(ec2::CreateVolumePermissionModifications {
            add: vec![everybody],
            ..Default::default()
        }),
        ..Default::default()
    };
    client.send(request).await?;
    let everybody = ec2::LaunchPermission { group: Some("all".to_owned()), ..Default::default() };
    let request = ec2::ModifyImageAttributeRequest {
        image_id: Some(image.to_owned()),
        launch_permission: Some(ec2::LaunchPermissionModifications { add: vec![everybody], ..Default::default() }),
        ..Default::default()
    };
    client.send(request).await?;
    Ok(())
}
