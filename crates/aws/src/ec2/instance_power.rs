//! Stopping instances and starting them again.

use super::InstanceStateChange;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Stops an Amazon EBS-backed instance.
    pub struct StopInstancesRequest {
        /// The IDs of the instances. Required.
        instance_ids: Vec<String> = "InstanceId",
        /// Hibernates the instance if the instance was enabled for hibernation at launch.
        hibernate: Option<bool> = "Hibernate",
        /// Specifies whether to bypass the graceful OS shutdown process when the instance is stopped.
        skip_os_shutdown: Option<bool> = "SkipOsShutdown",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// Forces the instance to stop.
        force: Option<bool> = "force",
    }

    /// The answer of StopInstances.
    pub struct StopInstancesResult {
        /// Information about the stopped instances.
        stopping_instances: Vec<InstanceStateChange> = "instancesSet",
    }

    /// Starts an Amazon EBS-backed instance that you've previously stopped.
    pub struct StartInstancesRequest {
        /// The IDs of the instances. Required.
        instance_ids: Vec<String> = "InstanceId",
        /// Reserved.
        additional_info: Option<String> = "additionalInfo",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of StartInstances.
    pub struct StartInstancesResult {
        /// Information about the started instances.
        starting_instances: Vec<InstanceStateChange> = "instancesSet",
    }
}

operation!(Ec2, "StopInstances", StopInstancesRequest => StopInstancesResult);
operation!(Ec2, "StartInstances", StartInstancesRequest => StartInstancesResult);
