//! Whether instances are well.

use jiff::Timestamp;

use super::Filter;
use super::InstanceState;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Describes the status of the specified instances or all of your instances.
    pub struct DescribeInstanceStatusRequest {
        /// The instance IDs.
        instance_ids: Vec<String> = "InstanceId",
        /// The maximum number of items to return for this request.
        max_results: Option<i32> = "MaxResults",
        /// The token returned from a previous paginated request.
        next_token: Option<String> = "NextToken",
        /// Indicates whether to include managed resources in the output.
        include_managed_resources: Option<bool> = "IncludeManagedResources",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
        /// When true, includes the health status for all instances.
        include_all_instances: Option<bool> = "includeAllInstances",
    }

    /// The answer of DescribeInstanceStatus.
    pub struct DescribeInstanceStatusResult {
        /// Information about the status of the instances.
        instance_statuses: Vec<InstanceStatus> = "instanceStatusSet",
        /// The token to include in another request to get the next page of items.
        next_token: Option<String> = "nextToken",
    }

    /// Describes the status of an instance.
    pub struct InstanceStatus {
        /// The Availability Zone of the instance.
        availability_zone: Option<String> = "availabilityZone",
        /// The ID of the Availability Zone of the instance.
        availability_zone_id: Option<String> = "availabilityZoneId",
        /// Any scheduled events associated with the instance.
        events: Vec<InstanceStatusEvent> = "eventsSet",
        /// The ID of the instance.
        instance_id: Option<String> = "instanceId",
        /// The intended state of the instance.
        instance_state: Option<InstanceState> = "instanceState",
        /// Reports impaired functionality that stems from issues internal to the instance, such as impaired reachability.
        instance_status: Option<InstanceStatusSummary> = "instanceStatus",
        /// Reports impaired functionality that stems from issues related to the systems that support an instance, such as hardware failures and network connectivity problems.
        system_status: Option<InstanceStatusSummary> = "systemStatus",
    }

    /// Describes a scheduled event for an instance.
    pub struct InstanceStatusEvent {
        /// The ID of the event.
        instance_event_id: Option<String> = "instanceEventId",
        /// The event code.
        code: Option<String> = "code",
        /// A description of the event.
        description: Option<String> = "description",
        /// The latest scheduled end time for the event.
        not_after: Option<Timestamp> = "notAfter",
        /// The earliest scheduled start time for the event.
        not_before: Option<Timestamp> = "notBefore",
        /// The deadline for starting the event.
        not_before_deadline: Option<Timestamp> = "notBeforeDeadline",
    }

    /// Describes the status of an instance.
    pub struct InstanceStatusSummary {
        /// The system instance health or application instance health.
        details: Vec<InstanceStatusDetails> = "details",
        /// The status.
        status: Option<String> = "status",
    }

    /// Describes the instance status.
    pub struct InstanceStatusDetails {
        /// The time when a status check failed.
        impaired_since: Option<Timestamp> = "impairedSince",
        /// The type of instance status.
        name: Option<String> = "name",
        /// The status.
        status: Option<String> = "status",
    }
}

operation!(Ec2, "DescribeInstanceStatus", DescribeInstanceStatusRequest => DescribeInstanceStatusResult);
