//! Who else may use the image, in every region that has it. Goes with the image.

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_template::Sharing;

use crate::error::BakeError;
use crate::error::calling;
use crate::images::list_snapshots;
use crate::oven::Oven;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct ShareImage<'p> {
    pub(crate) sharing: &'p Sharing,
}

impl Step for ShareImage<'_> {
    fn name(&self) -> String {
        "share image".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            for (region, image) in oven.all_images()? {
                let client = oven.client.in_region(&region);
                share_image(&client, &image, self.sharing).await?;
                for snapshot in list_snapshots(&client, &image).await? {
                    share_snapshot(&client, &snapshot, self.sharing).await?;
                }
            }
            Ok(())
        })
    }
}

async fn share_image(client: &Client, image: &str, sharing: &Sharing) -> Result<(), BakeError> {
    let doing = || format!("share {image}");
    let mut add: Vec<ec2::LaunchPermission> = Vec::new();
    let one = ec2::LaunchPermission::default;
    add.extend(sharing.users.iter().map(|user| ec2::LaunchPermission { user_id: Some(user.clone()), ..one() }));
    add.extend(sharing.groups.iter().map(|group| ec2::LaunchPermission { group: Some(group.clone()), ..one() }));
    add.extend(
        sharing.organizations.iter().map(|arn| ec2::LaunchPermission { organization_arn: Some(arn.clone()), ..one() }),
    );
    add.extend(
        sharing
            .organizational_units
            .iter()
            .map(|arn| ec2::LaunchPermission { organizational_unit_arn: Some(arn.clone()), ..one() }),
    );
    if !add.is_empty() {
        let permission = ec2::LaunchPermissionModifications { add, ..Default::default() };
        let request = ec2::ModifyImageAttributeRequest {
            image_id: Some(image.to_owned()),
            launch_permission: Some(permission),
            ..Default::default()
        };
        client.send(request).await.map_err(calling(doing()))?;
    }
    Ok(())
}

async fn share_snapshot(client: &Client, snapshot: &str, sharing: &Sharing) -> Result<(), BakeError> {
    let permission = ec2::CreateVolumePermission::default;
    let users = sharing.snapshot_users.iter();
    let mut add: Vec<ec2::CreateVolumePermission> =
        users.map(|user| ec2::CreateVolumePermission { user_id: Some(user.clone()), ..permission() }).collect();
    let groups = sharing.snapshot_groups.iter();
    add.extend(groups.map(|group| ec2::CreateVolumePermission { group: Some(group.clone()), ..permission() }));
    if add.is_empty() {
        return Ok(());
    }
    let request = ec2::ModifySnapshotAttributeRequest {
        snapshot_id: Some(snapshot.to_owned()),
        create_volume_permission: Some(ec2::CreateVolumePermissionModifications { add, ..Default::default() }),
        ..Default::default()
    };
    client.send(request).await.map_err(calling(format!("share {snapshot}")))?;
    Ok(())
}
