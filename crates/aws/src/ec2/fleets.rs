//! Fleets: one launch over several instance types, subnets and markets.

use jiff::Timestamp;

use super::TagSpecification;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates an EC2 Fleet that contains the configuration information for On-Demand Instances and Spot Instances.
    pub struct CreateFleetRequest {
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "DryRun",
        /// Unique, case-sensitive identifier you provide to ensure the idempotency of the request.
        client_token: Option<String> = "ClientToken",
        /// Describes the configuration of Spot Instances in an EC2 Fleet.
        spot_options: Option<SpotOptionsRequest> = "SpotOptions",
        /// Describes the configuration of On-Demand Instances in an EC2 Fleet.
        on_demand_options: Option<OnDemandOptionsRequest> = "OnDemandOptions",
        /// Indicates whether running instances should be terminated if the total target capacity of the EC2 Fleet is decreased below the current size of the EC2 Fleet.
        excess_capacity_termination_policy: Option<String> = "ExcessCapacityTerminationPolicy",
        /// The configuration for the EC2 Fleet. Required.
        launch_template_configs: Vec<FleetLaunchTemplateConfigRequest> = "LaunchTemplateConfigs",
        /// The number of units to request. Required.
        target_capacity_specification: Option<TargetCapacitySpecificationRequest> = "TargetCapacitySpecification",
        /// Indicates whether running instances should be terminated when the EC2 Fleet expires.
        terminate_instances_with_expiration: Option<bool> = "TerminateInstancesWithExpiration",
        /// The fleet type.
        r#type: Option<String> = "Type",
        /// The start date and time of the request, in UTC format (for example, YYYY-MM-DDTHH.MM.SSZ).
        valid_from: Option<Timestamp> = "ValidFrom",
        /// The end date and time of the request, in UTC format (for example, YYYY-MM-DDTHH.MM.SSZ).
        valid_until: Option<Timestamp> = "ValidUntil",
        /// Indicates whether EC2 Fleet should replace unhealthy Spot Instances.
        replace_unhealthy_instances: Option<bool> = "ReplaceUnhealthyInstances",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Reserved.
        context: Option<String> = "Context",
    }

    /// Describes the configuration of Spot Instances in an EC2 Fleet request.
    pub struct SpotOptionsRequest {
        /// The strategy that determines how to allocate the target Spot Instance capacity across the Spot Instance pools specified by the EC2 Fleet launch configuration.
        allocation_strategy: Option<String> = "AllocationStrategy",
        /// The behavior when a Spot Instance is interrupted.
        instance_interruption_behavior: Option<String> = "InstanceInterruptionBehavior",
        /// The number of Spot pools across which to allocate your target Spot capacity.
        instance_pools_to_use_count: Option<i32> = "InstancePoolsToUseCount",
        /// Indicates that the fleet uses a single instance type to launch all Spot Instances in the fleet.
        single_instance_type: Option<bool> = "SingleInstanceType",
        /// Indicates that the fleet launches all Spot Instances into a single Availability Zone.
        single_availability_zone: Option<bool> = "SingleAvailabilityZone",
        /// The minimum target capacity for Spot Instances in the fleet.
        min_target_capacity: Option<i32> = "MinTargetCapacity",
        /// The maximum amount per hour for Spot Instances that you're willing to pay.
        max_total_price: Option<String> = "MaxTotalPrice",
    }

    /// Describes the configuration of On-Demand Instances in an EC2 Fleet.
    pub struct OnDemandOptionsRequest {
        /// The strategy that determines the order of the launch template overrides to use in fulfilling On-Demand capacity.
        allocation_strategy: Option<String> = "AllocationStrategy",
        /// Indicates that the fleet uses a single instance type to launch all On-Demand Instances in the fleet.
        single_instance_type: Option<bool> = "SingleInstanceType",
        /// Indicates that the fleet launches all On-Demand Instances into a single Availability Zone.
        single_availability_zone: Option<bool> = "SingleAvailabilityZone",
        /// The minimum target capacity for On-Demand Instances in the fleet.
        min_target_capacity: Option<i32> = "MinTargetCapacity",
        /// The maximum amount per hour for On-Demand Instances that you're willing to pay.
        max_total_price: Option<String> = "MaxTotalPrice",
    }

    /// Describes a launch template and overrides.
    pub struct FleetLaunchTemplateConfigRequest {
        /// The launch template to use.
        launch_template_specification: Option<FleetLaunchTemplateSpecificationRequest> = "LaunchTemplateSpecification",
        /// Any parameters that you specify override the same parameters in the launch template.
        overrides: Vec<FleetLaunchTemplateOverridesRequest> = "Overrides",
    }

    /// The Amazon EC2 launch template that can be used by an EC2 Fleet to configure Amazon EC2 instances.
    pub struct FleetLaunchTemplateSpecificationRequest {
        /// The ID of the launch template.
        launch_template_id: Option<String> = "LaunchTemplateId",
        /// The name of the launch template.
        launch_template_name: Option<String> = "LaunchTemplateName",
        /// The launch template version number, $Latest, or $Default.
        version: Option<String> = "Version",
    }

    /// Describes overrides for a launch template.
    pub struct FleetLaunchTemplateOverridesRequest {
        /// The instance type.
        instance_type: Option<String> = "InstanceType",
        /// The maximum price per unit hour that you are willing to pay for a Spot Instance.
        max_price: Option<String> = "MaxPrice",
        /// The IDs of the subnets in which to launch the instances.
        subnet_id: Option<String> = "SubnetId",
        /// The Availability Zone in which to launch the instances.
        availability_zone: Option<String> = "AvailabilityZone",
        /// The number of units provided by the specified instance type.
        weighted_capacity: Option<f64> = "WeightedCapacity",
        /// The priority for the launch template override.
        priority: Option<f64> = "Priority",
        /// The ID of the AMI in the format ami-17characters00000.
        image_id: Option<String> = "ImageId",
        /// The ID of the Availability Zone in which to launch the instances.
        availability_zone_id: Option<String> = "AvailabilityZoneId",
    }

    /// The number of units to request.
    pub struct TargetCapacitySpecificationRequest {
        /// The number of units to request, filled using the default target capacity type.
        total_target_capacity: Option<i32> = "TotalTargetCapacity",
        /// The number of On-Demand units to request.
        on_demand_target_capacity: Option<i32> = "OnDemandTargetCapacity",
        /// The number of Spot units to request.
        spot_target_capacity: Option<i32> = "SpotTargetCapacity",
        /// The default target capacity type.
        default_target_capacity_type: Option<String> = "DefaultTargetCapacityType",
        /// The unit for the target capacity.
        target_capacity_unit_type: Option<String> = "TargetCapacityUnitType",
    }

    /// The answer of CreateFleet.
    pub struct CreateFleetResult {
        /// The ID of the EC2 Fleet.
        fleet_id: Option<String> = "fleetId",
        /// Information about the instances that could not be launched by the fleet.
        errors: Vec<CreateFleetError> = "errorSet",
        /// Information about the instances that were launched by the fleet.
        instances: Vec<CreateFleetInstance> = "fleetInstanceSet",
    }

    /// Describes the instances that were launched by the fleet.
    pub struct CreateFleetInstance {
        /// The launch templates and overrides that were used for launching the instances.
        launch_template_and_overrides: Option<LaunchTemplateAndOverridesResponse> = "launchTemplateAndOverrides",
        /// Indicates if the instance that was launched is a Spot, On-Demand, Capacity Block, or Interruptible Capacity Reservation instance.
        lifecycle: Option<String> = "lifecycle",
        /// The IDs of the instances.
        instance_ids: Vec<String> = "instanceIds",
        /// The instance type.
        instance_type: Option<String> = "instanceType",
        /// The value is windows for Windows instances in an EC2 Fleet.
        platform: Option<String> = "platform",
    }

    /// Describes the instances that could not be launched by the fleet.
    pub struct CreateFleetError {
        /// The launch templates and overrides that were used for launching the instances.
        launch_template_and_overrides: Option<LaunchTemplateAndOverridesResponse> = "launchTemplateAndOverrides",
        /// Indicates if the instance that could not be launched was a Spot, On-Demand, Capacity Block, or Interruptible Capacity Reservation instance.
        lifecycle: Option<String> = "lifecycle",
        /// The error code that indicates why the instance could not be launched.
        error_code: Option<String> = "errorCode",
        /// The error message that describes why the instance could not be launched.
        error_message: Option<String> = "errorMessage",
    }

    /// Describes a launch template and overrides.
    pub struct LaunchTemplateAndOverridesResponse {
        /// The launch template.
        launch_template_specification: Option<FleetLaunchTemplateSpecification> = "launchTemplateSpecification",
        /// Any parameters that you specify override the same parameters in the launch template.
        overrides: Option<FleetLaunchTemplateOverrides> = "overrides",
    }

    /// The Amazon EC2 launch template that can be used by a Spot Fleet to configure Amazon EC2 instances.
    pub struct FleetLaunchTemplateSpecification {
        /// The ID of the launch template.
        launch_template_id: Option<String> = "launchTemplateId",
        /// The name of the launch template.
        launch_template_name: Option<String> = "launchTemplateName",
        /// The launch template version number, $Latest, or $Default.
        version: Option<String> = "version",
    }

    /// Describes overrides for a launch template.
    pub struct FleetLaunchTemplateOverrides {
        /// The instance type.
        instance_type: Option<String> = "instanceType",
        /// The maximum price per unit hour that you are willing to pay for a Spot Instance.
        max_price: Option<String> = "maxPrice",
        /// The ID of the subnet in which to launch the instances.
        subnet_id: Option<String> = "subnetId",
        /// The Availability Zone in which to launch the instances.
        availability_zone: Option<String> = "availabilityZone",
        /// The number of units provided by the specified instance type.
        weighted_capacity: Option<f64> = "weightedCapacity",
        /// The priority for the launch template override.
        priority: Option<f64> = "priority",
        /// The ID of the AMI in the format ami-17characters00000.
        image_id: Option<String> = "imageId",
        /// The ID of the Availability Zone in which to launch the instances.
        availability_zone_id: Option<String> = "availabilityZoneId",
    }
}

operation!(Ec2, "CreateFleet", CreateFleetRequest => CreateFleetResult, idempotent by client_token);
