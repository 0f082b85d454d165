//! CreateFleet of type `instant`: one launch that tries its overrides in turn.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::CreateFleetError;
use ovenbird_aws::ec2::CreateFleetInstance;
use ovenbird_aws::ec2::CreateFleetRequest;
use ovenbird_aws::ec2::CreateFleetResult;
use ovenbird_aws::ec2::FleetLaunchTemplateOverridesRequest;
use ovenbird_aws::ec2::LaunchTemplateAndOverridesResponse;
use ovenbird_aws::ec2::RunInstancesRequest;

use super::launch_templates;
use super::run_instances::run_instances;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::tagging;
use crate::world::Call;

/// Launches the instances asked for with the first override that can; what the others answered is told beside.
pub(crate) fn create_fleet(call: &Call, request: &CreateFleetRequest) -> Answer<CreateFleetResult> {
    if request.r#type.as_deref() != Some("instant") {
        let text = "The embedded EC2 has fleets of the type instant only; they keep no instances up";
        return refuse("UnsupportedOperation", text);
    }
    let capacity = required(request.target_capacity_specification.as_ref(), "TargetCapacitySpecification")?;
    let count = required(capacity.total_target_capacity, "TotalTargetCapacity")?;
    let is_spot = capacity.default_target_capacity_type.as_deref() == Some("spot");
    let specified = tagging::specified(&request.tag_specifications, &["fleet", "instance", "volume"])?;
    let tag_specifications: Vec<ec2::TagSpecification> = ["instance", "volume"]
        .into_iter()
        .map(|kind| ec2::TagSpecification::new(kind, tagging::to_api(&specified(kind))))
        .filter(|specification| !specification.tags.is_empty())
        .collect();
    let fleet_id = random_id("fleet")?;
    let mut answer = CreateFleetResult { fleet_id: Some(fleet_id.clone()), ..CreateFleetResult::default() };
    for attempt in attempts(call, request)? {
        let token = request.client_token.as_ref().filter(|token| !token.is_empty());
        let launch = RunInstancesRequest {
            min_count: Some(count),
            max_count: Some(count),
            client_token: token.map(|token| format!("fleet-{token}-{}", attempt.number)),
            tag_specifications: [attempt.launch.tag_specifications.clone(), tag_specifications.clone()].concat(),
            instance_market_options: is_spot.then(|| ec2::InstanceMarketOptionsRequest {
                market_type: Some("spot".to_owned()),
                spot_options: None,
            }),
            ..attempt.launch.clone()
        };
        let lifecycle = Some(if is_spot { "spot" } else { "on-demand" }.to_owned());
        match run_instances(call, &launch) {
            Ok(reservation) => {
                answer.instances.push(CreateFleetInstance {
                    launch_template_and_overrides: Some(attempt.told),
                    lifecycle,
                    instance_ids: reservation
                        .instances
                        .into_iter()
                        .filter_map(|instance| instance.instance_id)
                        .collect(),
                    instance_type: launch.instance_type,
                    platform: None,
                });
                break;
            }
            Err(Failure::Refused(error)) => answer.errors.push(CreateFleetError {
                launch_template_and_overrides: Some(attempt.told),
                lifecycle,
                error_code: Some(error.code),
                error_message: Some(error.message),
            }),
            Err(other) => return Err(other),
        }
    }
    Ok(answer)
}

/// One override of one template.
struct Attempt {
    number: usize,
    launch: RunInstancesRequest,
    told: LaunchTemplateAndOverridesResponse,
}

fn attempts(call: &Call, request: &CreateFleetRequest) -> Answer<Vec<Attempt>> {
    required(request.launch_template_configs.first(), "LaunchTemplateConfigs")?;
    let mut attempts = Vec::new();
    for config in &request.launch_template_configs {
        let specification = required(config.launch_template_specification.as_ref(), "LaunchTemplateSpecification")?;
        let named = specification.launch_template_id.as_deref().or(specification.launch_template_name.as_deref());
        let named = required(named, "LaunchTemplateId")?;
        let (launch, id, name) = call.world.catalogue.transact(|db| launch_templates::launch_of(db, call, named))?;
        let none = [FleetLaunchTemplateOverridesRequest::default()];
        let overrides = if config.overrides.is_empty() { none.as_slice() } else { &config.overrides };
        for over in overrides {
            let told = LaunchTemplateAndOverridesResponse {
                launch_template_specification: Some(ec2::FleetLaunchTemplateSpecification {
                    launch_template_id: Some(id.clone()),
                    launch_template_name: Some(name.clone()),
                    version: Some("1".to_owned()),
                }),
                overrides: Some(to_told(over)),
            };
            attempts.push(Attempt { number: attempts.len(), launch: apply(launch.clone(), over), told });
        }
    }
    Ok(attempts)
}

fn apply(mut launch: RunInstancesRequest, over: &FleetLaunchTemplateOverridesRequest) -> RunInstancesRequest {
    launch.instance_type = over.instance_type.clone().or(launch.instance_type);
    launch.image_id = over.image_id.clone().or(launch.image_id);
    if let Some(subnet) = &over.subnet_id {
        match launch.network_interfaces.first_mut() {
            Some(interface) => interface.subnet_id = Some(subnet.clone()),
            None => launch.subnet_id = Some(subnet.clone()),
        }
    }
    if let Some(zone) = &over.availability_zone {
        let placement = launch.placement.unwrap_or_default();
        launch.placement = Some(ec2::Placement { availability_zone: Some(zone.clone()), ..placement });
    }
    launch
}

fn to_told(over: &FleetLaunchTemplateOverridesRequest) -> ec2::FleetLaunchTemplateOverrides {
    ec2::FleetLaunchTemplateOverrides {
        instance_type: over.instance_type.clone(),
        max_price: over.max_price.clone(),
        subnet_id: over.subnet_id.clone(),
        availability_zone: over.availability_zone.clone(),
        weighted_capacity: over.weighted_capacity,
        priority: over.priority,
        image_id: over.image_id.clone(),
        availability_zone_id: over.availability_zone_id.clone(),
    }
}
