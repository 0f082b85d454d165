//! What lives only as long as the instance: a key pair and a security group, found by the bake's tag.

use std::time::Duration;

use ovenbird_aws::Client;
use ovenbird_aws::client::TimedOut;
use ovenbird_aws::client::wait;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use crate::error::BakeError;
use crate::error::calling;

/// How long the interface of an instance that ends may hold its group.
const RELEASE: Duration = Duration::from_secs(120);

/// The name of the bake's key pair and security group.
pub(crate) fn key_name(bake: &str) -> String {
    format!("ovenbird-{bake}")
}

/// Deletes the bake's key pair. One that is gone is fine: EC2 says so itself.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn delete_key(client: &Client, bake: &str) -> Result<(), BakeError> {
    let request = ec2::DeleteKeyPairRequest { key_name: Some(key_name(bake)), ..Default::default() };
    match client.send(request).await {
        Err(error) if !error.is_not_found() => Err(calling(format!("delete the key pair of {bake}"))(error)),
        _ => Ok(()),
    }
}

/// The bake's security group, if there is one.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn find_group(client: &Client, bake: &str) -> Result<Option<String>, BakeError> {
    let filters = vec![Filter::tag(tags::BAKE, bake)];
    let request = ec2::DescribeSecurityGroupsRequest { filters, ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look for the security group of {bake}")))?;
    let groups = pages.into_iter().flat_map(|page| page.security_groups);
    // The filter is the service's; the tag is looked at again, since what is found here is deleted.
    Ok(groups.filter(|group| Tag::find(&group.tags, tags::BAKE) == Some(bake)).find_map(|group| group.group_id))
}

/// Deletes a security group as soon as the instance has let go of it. One that is gone is fine.
///
/// # Errors
/// AWS's refusals; an instance that does not let go.
pub(crate) async fn delete_group(client: &Client, group: &str) -> Result<(), BakeError> {
    let doing = || format!("delete the security group {group}");
    let what = format!("the ended instance to let go of {group}");
    let deleted = wait(what, RELEASE, Duration::from_secs(1), async || {
        let request = ec2::DeleteSecurityGroupRequest { group_id: Some(group.to_owned()), ..Default::default() };
        match client.send(request).await {
            Ok(_) => Ok(Some(())),
            Err(error) if error.is_not_found() => Ok(Some(())),
            Err(error) if error.has_code("DependencyViolation") => Ok(None),
            Err(error) => Err(calling(doing())(error)),
        }
    });
    deleted.await
}

impl From<TimedOut> for BakeError {
    fn from(error: TimedOut) -> Self {
        let doing = format!("wait for {}", error.what);
        Self::Aws { doing, source: Box::new(error.into()) }
    }
}
