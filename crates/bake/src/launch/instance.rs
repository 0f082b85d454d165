//! The bake's instance: found, waited for, ended.

use std::time::Duration;

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use super::Watch;
use crate::error::BakeError;
use crate::error::calling;

/// The bake's instances that are not ended.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn find_instances(client: &Client, bake: &str) -> Result<Vec<ec2::Instance>, BakeError> {
    let filters = vec![
        Filter::tag(tags::BAKE, bake),
        Filter::new("instance-state-name", ["pending", "running", "stopping", "stopped"]),
    ];
    let request = ec2::DescribeInstancesRequest { filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for the instance of {bake}")))?;
    let reservations = pages.into_iter().flat_map(|page| page.reservations);
    let instances = reservations.flat_map(|reservation| reservation.instances);
    // The filter is the service's; the tag is looked at again, since what is found here is ended.
    Ok(instances.filter(|instance| Tag::find(&instance.tags, tags::BAKE) == Some(bake)).collect())
}

/// Ends instances. Does not wait until they have ended; one that is gone is fine.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn terminate(client: &Client, instances: Vec<String>) -> Result<(), BakeError> {
    // One at a time: an id that is not there any more must not keep the others alive.
    for instance in instances {
        let request = ec2::TerminateInstancesRequest { instance_ids: vec![instance.clone()], ..Default::default() };
        match client.send(request).await {
            Err(error) if !error.is_not_found() => return Err(calling(format!("terminate {instance}"))(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Waits until the instance is in `state`.
///
/// # Errors
/// AWS's refusals; an instance that ends instead, with the reason that EC2 gives; the end of `patience`.
pub(crate) async fn wait_for_state(
    watch: &Watch,
    client: &Client,
    instance: &str,
    (state, patience): (&str, Duration),
) -> Result<ec2::Instance, BakeError> {
    let what = format!("{instance} to be {state}");
    let judge = |found: Option<ec2::Instance>| {
        let Some(found) = found else { return Ok(None) };
        let now = found.state.as_ref().and_then(|state| state.name.clone()).unwrap_or_default();
        if now == state {
            return Ok(Some(found));
        }
        if matches!(now.as_str(), "shutting-down" | "terminated") {
            return Err(ended(instance, &found));
        }
        Ok(None)
    };
    watch.instances.wait_for(client, instance, (&what, patience), judge).await
}

fn ended(instance: &str, found: &ec2::Instance) -> BakeError {
    let told = found.state_reason.as_ref().and_then(|reason| reason.message.clone());
    let reason = told.or_else(|| found.state_transition_reason.clone()).filter(|reason| !reason.is_empty());
    BakeError::Instance(format!(
        "{instance} ended while it was baked on: {}",
        reason.unwrap_or_else(|| "EC2 gives no reason; see its console with `aws ec2 get-console-output`".to_owned())
    ))
}
