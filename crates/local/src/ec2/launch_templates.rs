//! CreateLaunchTemplate, DeleteLaunchTemplate, and what RunInstances takes from a template.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::CreateLaunchTemplateRequest;
use ovenbird_aws::ec2::CreateLaunchTemplateResult;
use ovenbird_aws::ec2::DeleteLaunchTemplateRequest;
use ovenbird_aws::ec2::DeleteLaunchTemplateResult;
use ovenbird_aws::ec2::RequestLaunchTemplateData;
use ovenbird_aws::ec2::RunInstancesRequest;
use ovenbird_aws::wire::decode_request;
use ovenbird_aws::wire::encode_request;
use rusqlite::Connection;

use super::resources::mismatched_token;
use crate::catalogue::launch_templates;
use crate::catalogue::launch_templates::LaunchTemplate;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::catalogue::tokens;
use crate::catalogue::tokens::Spent;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::tagging;
use crate::world::Call;

const ACTION: &str = "CreateLaunchTemplate";

/// Keeps a template; what it names is looked at when it is launched, as EC2 does.
pub(crate) fn create_launch_template(
    call: &Call,
    request: &CreateLaunchTemplateRequest,
) -> Answer<CreateLaunchTemplateResult> {
    let name = required(request.launch_template_name.as_deref(), "LaunchTemplateName")?;
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "().-/_".contains(letter);
    if !(3..=128).contains(&name.len()) || !name.chars().all(is_allowed) {
        let text = format!("Launch template names have 3 to 128 characters of a-zA-Z0-9().-/_: '{name}'");
        return refuse("InvalidLaunchTemplateName.MalformedException", text);
    }
    required(request.launch_template_data.as_ref(), "LaunchTemplateData")?;
    let tags = tagging::specified(&request.tag_specifications, &["launch-template"])?("launch-template");
    let token = request.client_token.clone().filter(|token| !token.is_empty());
    let contents = CreateLaunchTemplateRequest { client_token: None, ..request.clone() };
    let text = format!("{contents:?}");
    call.world.catalogue.transact(|db| {
        if let Some(token) = &token {
            match tokens::find_spent(db, &call.scope, ACTION, token, &text)? {
                Spent::Same(id) => {
                    let launch_template = Some(to_api(&find(db, call, &id)?, &tags));
                    return Ok(CreateLaunchTemplateResult { launch_template, warning: None });
                }
                Spent::Differently => return mismatched_token(),
                Spent::Never => {}
            }
        }
        if launch_templates::find_template(db, &call.scope, name)?.is_some() {
            let text = format!("Launch template name already in use: {name}");
            return refuse("InvalidLaunchTemplateName.AlreadyExistsException", text);
        }
        let template = LaunchTemplate {
            id: random_id("lt")?,
            scope: call.scope.clone(),
            name: name.to_owned(),
            created: call.now,
            contents: encode_request(&contents).into_body().into(),
        };
        launch_templates::insert_template(db, &template)?;
        tags::put_tags(db, &call.scope, &template.id, &tags)?;
        if let Some(token) = &token {
            tokens::spend(db, &call.scope, ACTION, token, &text, &template.id, call.now)?;
        }
        Ok(CreateLaunchTemplateResult { launch_template: Some(to_api(&template, &tags)), warning: None })
    })
}

/// Takes a template away; instances launched from it stay.
pub(crate) fn delete_launch_template(
    call: &Call,
    request: &DeleteLaunchTemplateRequest,
) -> Answer<DeleteLaunchTemplateResult> {
    let named = request.launch_template_id.as_deref().or(request.launch_template_name.as_deref());
    let named = required(named, "LaunchTemplateId")?;
    call.world.catalogue.transact(|db| {
        let template = find(db, call, named)?;
        let tags = tags::list_tags(db, &call.scope, &template.id)?;
        launch_templates::delete_template(db, &template.id)?;
        Ok(DeleteLaunchTemplateResult { launch_template: Some(to_api(&template, &tags)) })
    })
}

fn find(db: &Connection, call: &Call, named: &str) -> Answer<LaunchTemplate> {
    let found = launch_templates::find_template(db, &call.scope, named)?;
    match found {
        Some(template) => Ok(template),
        None if named.starts_with("lt-") => refuse(
            "InvalidLaunchTemplateId.NotFound",
            format!("The specified launch template, with template ID {named}, does not exist."),
        ),
        None => refuse(
            "InvalidLaunchTemplateName.NotFoundException",
            format!("The specified launch template, with template name {named}, does not exist."),
        ),
    }
}

fn to_api(template: &LaunchTemplate, tags: &[Tag]) -> ec2::LaunchTemplate {
    ec2::LaunchTemplate {
        launch_template_id: Some(template.id.clone()),
        launch_template_name: Some(template.name.clone()),
        create_time: Some(template.created),
        created_by: Some(format!("arn:aws:iam::{}:root", template.scope.account)),
        default_version_number: Some(1),
        latest_version_number: Some(1),
        tags: tagging::to_api(tags),
    }
}

/// The launch that the template of this id or name asks for, and the template's id and name.
pub(super) fn launch_of(db: &Connection, call: &Call, named: &str) -> Answer<(RunInstancesRequest, String, String)> {
    let template = find(db, call, named)?;
    let request = http::Request::new(template.contents.into());
    let made = decode_request::<CreateLaunchTemplateRequest>(&request)
        .map_err(|error| Failure::internal(format!("read the launch template {}", template.id), error))?;
    Ok((to_launch(made.launch_template_data.unwrap_or_default()), template.id, template.name))
}

/// `request`, completed by the template that it names.
pub(super) fn complete(db: &Connection, call: &Call, request: &RunInstancesRequest) -> Answer<RunInstancesRequest> {
    let Some(specification) = &request.launch_template else { return Ok(request.clone()) };
    let named = specification.launch_template_id.as_ref().or(specification.launch_template_name.as_ref());
    if specification.version.as_deref().is_some_and(|version| !matches!(version, "1" | "$Default" | "$Latest")) {
        let text = "The embedded EC2 keeps one version of each launch template: 1";
        return refuse("InvalidLaunchTemplateId.VersionNotFound", text);
    }
    let (template, _, _) = launch_of(db, call, required(named, "LaunchTemplateId")?)?;
    Ok(merge(template, request.clone()))
}

/// Everything that `own` says holds; the rest is the template's.
fn merge(template: RunInstancesRequest, own: RunInstancesRequest) -> RunInstancesRequest {
    fn list<T>(own: Vec<T>, template: Vec<T>) -> Vec<T> {
        if own.is_empty() { template } else { own }
    }
    RunInstancesRequest {
        block_device_mappings: list(own.block_device_mappings, template.block_device_mappings),
        image_id: own.image_id.or(template.image_id),
        instance_type: own.instance_type.or(template.instance_type),
        key_name: own.key_name.or(template.key_name),
        monitoring: own.monitoring.or(template.monitoring),
        placement: own.placement.or(template.placement),
        security_group_ids: list(own.security_group_ids, template.security_group_ids),
        security_groups: list(own.security_groups, template.security_groups),
        user_data: own.user_data.or(template.user_data),
        metadata_options: own.metadata_options.or(template.metadata_options),
        tag_specifications: list(own.tag_specifications, template.tag_specifications),
        instance_market_options: own.instance_market_options.or(template.instance_market_options),
        credit_specification: own.credit_specification.or(template.credit_specification),
        disable_api_termination: own.disable_api_termination.or(template.disable_api_termination),
        instance_initiated_shutdown_behavior: own
            .instance_initiated_shutdown_behavior
            .or(template.instance_initiated_shutdown_behavior),
        iam_instance_profile: own.iam_instance_profile.or(template.iam_instance_profile),
        ebs_optimized: own.ebs_optimized.or(template.ebs_optimized),
        network_interfaces: list(own.network_interfaces, template.network_interfaces),
        ..own
    }
}

/// A template's contents in the words of RunInstances.
fn to_launch(data: RequestLaunchTemplateData) -> RunInstancesRequest {
    RunInstancesRequest {
        block_device_mappings: data.block_device_mappings.into_iter().map(mapping).collect(),
        image_id: data.image_id,
        instance_type: data.instance_type,
        key_name: data.key_name,
        monitoring: data.monitoring.map(|it| ec2::RunInstancesMonitoringEnabled { enabled: it.enabled }),
        placement: data.placement.map(|it| ec2::Placement {
            availability_zone: it.availability_zone,
            tenancy: it.tenancy,
            group_name: it.group_name,
            affinity: it.affinity,
            host_id: it.host_id,
            host_resource_group_arn: it.host_resource_group_arn,
        }),
        security_group_ids: data.security_group_ids,
        security_groups: data.security_groups,
        user_data: data.user_data,
        metadata_options: data.metadata_options.map(|it| ec2::InstanceMetadataOptionsRequest {
            http_tokens: it.http_tokens,
            http_put_response_hop_limit: it.http_put_response_hop_limit,
            http_endpoint: it.http_endpoint,
            http_protocol_ipv6: it.http_protocol_ipv6,
            instance_metadata_tags: it.instance_metadata_tags,
        }),
        tag_specifications: data
            .tag_specifications
            .into_iter()
            .map(|it| ec2::TagSpecification { resource_type: it.resource_type, tags: it.tags })
            .collect(),
        instance_market_options: data.instance_market_options.map(|it| ec2::InstanceMarketOptionsRequest {
            market_type: it.market_type,
            spot_options: it.spot_options.map(|it| ec2::SpotMarketOptions {
                max_price: it.max_price,
                spot_instance_type: it.spot_instance_type,
                block_duration_minutes: it.block_duration_minutes,
                valid_until: it.valid_until,
                instance_interruption_behavior: it.instance_interruption_behavior,
            }),
        }),
        credit_specification: data.credit_specification,
        disable_api_termination: data.disable_api_termination,
        instance_initiated_shutdown_behavior: data.instance_initiated_shutdown_behavior,
        iam_instance_profile: data
            .iam_instance_profile
            .map(|it| ec2::IamInstanceProfileSpecification { arn: it.arn, name: it.name }),
        ebs_optimized: data.ebs_optimized,
        network_interfaces: data.network_interfaces.into_iter().map(interface).collect(),
        ..RunInstancesRequest::default()
    }
}

fn mapping(it: ec2::LaunchTemplateBlockDeviceMappingRequest) -> ec2::BlockDeviceMapping {
    ec2::BlockDeviceMapping {
        ebs: it.ebs.map(|ebs| ec2::EbsBlockDevice {
            delete_on_termination: ebs.delete_on_termination,
            iops: ebs.iops,
            snapshot_id: ebs.snapshot_id,
            volume_size: ebs.volume_size,
            volume_type: ebs.volume_type,
            kms_key_id: ebs.kms_key_id,
            throughput: ebs.throughput,
            encrypted: ebs.encrypted,
        }),
        no_device: it.no_device,
        device_name: it.device_name,
        virtual_name: it.virtual_name,
    }
}

fn interface(
    it: ec2::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest,
) -> ec2::InstanceNetworkInterfaceSpecification {
    ec2::InstanceNetworkInterfaceSpecification {
        associate_public_ip_address: it.associate_public_ip_address,
        delete_on_termination: it.delete_on_termination,
        description: it.description,
        device_index: it.device_index,
        groups: it.groups,
        network_interface_id: it.network_interface_id,
        private_ip_address: it.private_ip_address,
        subnet_id: it.subnet_id,
        interface_type: None,
    }
}
