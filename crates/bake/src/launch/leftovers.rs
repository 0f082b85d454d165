//! What a launch that was cut off has left, and how it goes away.

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use super::delete_group;
use super::delete_key;
use super::find_group;
use super::find_instances;
use super::terminate;
use super::undo_created_image;
use crate::error::BakeError;
use crate::error::calling;
use crate::error::working;

/// The ids of instances, security groups and key pairs of the bake.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn find_leftovers(client: &Client, bake: &str) -> Result<Vec<String>, BakeError> {
    let instances = find_instances(client, bake).await?.into_iter().filter_map(|instance| instance.instance_id);
    let mut found: Vec<String> = instances.collect();
    found.extend(find_group(client, bake).await?);
    let filters = vec![Filter::tag(tags::BAKE, bake)];
    let request = ec2::DescribeKeyPairsRequest { filters, ..Default::default() };
    let pairs = client.send(request).await.map_err(calling(format!("look for the key pair of {bake}")))?.key_pairs;
    let ours = pairs.into_iter().filter(|pair| Tag::find(&pair.tags, tags::BAKE) == Some(bake));
    found.extend(ours.filter_map(|pair| pair.key_pair_id));
    Ok(found)
}

/// Takes back all that the bake has launched, and the image that it did not publish. Can be repeated.
///
/// # Errors
/// AWS's refusals; an instance that does not let go of its security group.
pub(crate) async fn undo_leftovers(client: &Client, bake: &str) -> Result<(), BakeError> {
    let instances = find_instances(client, bake).await?.into_iter().filter_map(|instance| instance.instance_id);
    terminate(client, instances.collect()).await?;
    undo_created_image(client, bake, None).await?;
    delete_key(client, bake).await?;
    if let Some(group) = find_group(client, bake).await? {
        delete_group(client, &group).await?;
    }
    crate::ssh::undo_socket_folder(bake).map_err(working("remove the connection's socket"))
}
