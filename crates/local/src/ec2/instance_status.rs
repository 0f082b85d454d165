//! DescribeInstanceStatus: an instance that runs is well.

use ovenbird_aws::ec2::DescribeInstanceStatusRequest;
use ovenbird_aws::ec2::DescribeInstanceStatusResult;
use ovenbird_aws::ec2::InstanceStatus;
use ovenbird_aws::ec2::InstanceStatusDetails;
use ovenbird_aws::ec2::InstanceStatusSummary;

use super::describe_instances::state_to_api;
use super::filters::Filterable;
use super::filters::select;
use super::paging::Paging;
use super::paging::refuse_pages_of_ids;
use super::resources::own_instance;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::regions;
use crate::world::Call;

/// The running instances, or all of them.
pub(crate) fn describe_instance_status(
    call: &Call,
    request: &DescribeInstanceStatusRequest,
) -> Answer<DescribeInstanceStatusResult> {
    refuse_pages_of_ids(&request.instance_ids, request.max_results)?;
    let all = call.world.catalogue.transact(|db| {
        request.instance_ids.iter().try_for_each(|id| own_instance(db, call, Some(id)).map(drop))?;
        instances::list_instances(db, &call.scope)
    })?;
    let is_shown = |instance: &Instance| {
        (request.include_all_instances == Some(true) || instance.state == State::Running)
            && (request.instance_ids.is_empty() || request.instance_ids.contains(&instance.id))
    };
    let listed = all.into_iter().filter(is_shown).collect();
    let paging = Paging {
        action: "DescribeInstanceStatus",
        max_results: request.max_results,
        allowed: 5..=1000,
        next_token: request.next_token.as_deref(),
    };
    let (page, next_token) = paging.cut(call, select(listed, &request.filters)?, |instance| instance.seq)?;
    Ok(DescribeInstanceStatusResult { instance_statuses: page.iter().map(to_api).collect(), next_token })
}

/// `ok` where it runs; EC2 shows `initializing` for a while first, which nothing here needs.
fn health(instance: &Instance) -> &'static str {
    if instance.state == State::Running { "ok" } else { "not-applicable" }
}

fn to_api(instance: &Instance) -> InstanceStatus {
    let is_well = instance.state == State::Running;
    let reachable = InstanceStatusDetails {
        impaired_since: None,
        name: Some("reachability".to_owned()),
        status: Some("passed".to_owned()),
    };
    let summary = InstanceStatusSummary {
        details: is_well.then_some(reachable).into_iter().collect(),
        status: Some(health(instance).to_owned()),
    };
    let zones = regions::list_zones(&instance.scope.region);
    InstanceStatus {
        availability_zone: Some(instance.zone.clone()),
        availability_zone_id: zones.into_iter().find(|zone| zone.name == instance.zone).map(|zone| zone.id),
        events: Vec::new(),
        instance_id: Some(instance.id.clone()),
        instance_state: Some(state_to_api(instance.state)),
        instance_status: Some(summary.clone()),
        system_status: Some(summary),
    }
}

impl Filterable for Instance {
    const FILTERS: &'static [&'static str] = &[
        "availability-zone",
        "instance-state-code",
        "instance-state-name",
        "instance-status.status",
        "system-status.status",
    ];

    fn values_of(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "availability-zone" => self.zone.clone(),
            "instance-state-code" => self.state.code().to_string(),
            "instance-state-name" => self.state.name().to_owned(),
            _ => health(self).to_owned(),
        }]
    }

    fn tags(&self) -> &[Tag] {
        &[]
    }
}
