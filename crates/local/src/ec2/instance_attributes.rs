//! DescribeInstanceAttribute and ModifyInstanceAttribute.

use ovenbird_aws::ec2::AttributeBooleanValue;
use ovenbird_aws::ec2::AttributeValue;
use ovenbird_aws::ec2::DescribeInstanceAttributeRequest;
use ovenbird_aws::ec2::GroupIdentifier;
use ovenbird_aws::ec2::InstanceAttribute;
use ovenbird_aws::ec2::ModifyInstanceAttributeRequest;
use ovenbird_aws::ec2::Nothing;
use rusqlite::Connection;

use super::describe_instances::device_to_api;
use super::resources::own_instance;
use super::run_instances::verify_shutdown_behavior;
use super::run_instances::verify_type;
use super::run_instances::verify_user_data;
use super::security_groups;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::catalogue::volumes;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

/// Answers the one attribute that is asked for.
pub(crate) fn describe_instance_attribute(
    call: &Call,
    request: &DescribeInstanceAttributeRequest,
) -> Answer<InstanceAttribute> {
    let attribute = required(request.attribute.as_deref(), "Attribute")?;
    call.world.catalogue.transact(|db| {
        let instance = own_instance(db, call, request.instance_id.as_deref())?;
        let mut answer = InstanceAttribute { instance_id: Some(instance.id.clone()), ..InstanceAttribute::default() };
        let text = |value: Option<String>| Some(AttributeValue { value });
        let yes = |value: bool| Some(AttributeBooleanValue { value: Some(value) });
        match attribute {
            "blockDeviceMapping" => {
                let attached = volumes::list_attached(db, &instance.id)?;
                answer.block_device_mappings = attached.iter().filter_map(device_to_api).collect();
            }
            "disableApiStop" => answer.disable_api_stop = yes(instance.stop_protected),
            "disableApiTermination" => answer.disable_api_termination = yes(instance.termination_protected),
            "ebsOptimized" => answer.ebs_optimized = yes(false),
            "enaSupport" => answer.ena_support = yes(true),
            "groupSet" => answer.groups = groups(db, &instance)?,
            "instanceInitiatedShutdownBehavior" => {
                let behavior = if instance.ends_terminated { "terminate" } else { "stop" };
                answer.instance_initiated_shutdown_behavior = text(Some(behavior.to_owned()));
            }
            "instanceType" => answer.instance_type = text(Some(instance.instance_type)),
            "rootDeviceName" => answer.root_device_name = text(Some(instance.root_device)),
            "sourceDestCheck" => answer.source_dest_check = yes(true),
            "sriovNetSupport" => answer.sriov_net_support = text(None),
            "userData" => {
                answer.user_data = text(instance.user_data.map(|bytes| data_encoding::BASE64.encode(&bytes)));
            }
            "kernel" | "ramdisk" | "productCodes" => {}
            other => return refuse("InvalidParameterValue", format!("Invalid value '{other}' for attribute")),
        }
        Ok(answer)
    })
}

/// The groups of an instance with their names; a group that is gone is shown no more.
pub(super) fn groups(db: &Connection, instance: &Instance) -> Answer<Vec<GroupIdentifier>> {
    let mut groups = Vec::new();
    for id in &instance.security_groups {
        if let Some(group) = crate::catalogue::security_groups::find_group(db, &instance.scope, id)? {
            groups.push(GroupIdentifier { group_id: Some(group.id), group_name: Some(group.name) });
        }
    }
    Ok(groups)
}

/// Changes one attribute, in the newer form (`DisableApiTermination.Value`) or the older (`Attribute`, `Value`).
pub(crate) fn modify_instance_attribute(call: &Call, request: &ModifyInstanceAttributeRequest) -> Answer<Nothing> {
    let request = expand(request)?;
    call.world.catalogue.transact(|db| {
        let mut instance = own_instance(db, call, request.instance_id.as_deref())?;
        let before = format!("{instance:?}");
        let is_on = |value: &Option<AttributeBooleanValue>| value.as_ref().and_then(|value| value.value);
        instance.stop_protected = is_on(&request.disable_api_stop).unwrap_or(instance.stop_protected);
        instance.termination_protected =
            is_on(&request.disable_api_termination).unwrap_or(instance.termination_protected);
        if let Some(behavior) = &request.instance_initiated_shutdown_behavior {
            instance.ends_terminated = verify_shutdown_behavior(behavior.value.as_deref())?;
        }
        if !request.groups.is_empty() {
            instance.security_groups = security_groups::of_new_instance(db, call, &request.groups, &[])?;
        }
        modify_at_rest(&mut instance, &request)?;
        for mapping in &request.block_device_mappings {
            set_delete_on_termination(db, &instance, mapping)?;
        }
        let changes_nothing_kept = is_on(&request.ena_support).or(is_on(&request.source_dest_check)).is_some()
            || is_on(&request.ebs_optimized).is_some()
            || request.sriov_net_support.is_some();
        if format!("{instance:?}") != before {
            return instances::update_attributes(db, &instance).map(|()| Nothing {});
        }
        let names_something = changes_nothing_kept
            || !request.block_device_mappings.is_empty()
            || !request.groups.is_empty()
            || request.disable_api_stop.is_some()
            || request.disable_api_termination.is_some()
            || request.instance_initiated_shutdown_behavior.is_some()
            || request.instance_type.is_some()
            || request.user_data.is_some();
        required(names_something.then_some(Nothing {}), "Attribute")
    })
}

/// What a running instance cannot change: its type and its user data.
fn modify_at_rest(instance: &mut Instance, request: &ModifyInstanceAttributeRequest) -> Answer<()> {
    if request.instance_type.is_none() && request.user_data.is_none() {
        return Ok(());
    }
    if instance.state != State::Stopped {
        let text = format!("The instance '{}' is not in the 'stopped' state.", instance.id);
        return refuse("IncorrectInstanceState", text);
    }
    if let Some(value) = &request.instance_type {
        instance.instance_type = verify_type(value.value.as_deref())?;
    }
    if let Some(value) = &request.user_data {
        let bytes = value.value.as_ref().map(|blob| blob.0.to_vec()).unwrap_or_default();
        instance.user_data = verify_user_data(bytes)?;
    }
    Ok(())
}

fn set_delete_on_termination(
    db: &Connection,
    instance: &Instance,
    mapping: &ovenbird_aws::ec2::InstanceBlockDeviceMappingSpecification,
) -> Answer<()> {
    let attached = volumes::list_attached(db, &instance.id)?;
    let name = mapping.device_name.clone().unwrap_or_default();
    let found = attached
        .into_iter()
        .find_map(|volume| volume.attachment.filter(|attachment| attachment.device == name).map(|it| (volume.id, it)));
    let Some((id, mut attachment)) = found else {
        let text = format!("No device is currently mapped at {name}");
        return refuse("InvalidInstanceAttributeValue", text);
    };
    let wanted = mapping.ebs.as_ref().and_then(|ebs| ebs.delete_on_termination);
    attachment.delete_on_termination = wanted.unwrap_or(attachment.delete_on_termination);
    volumes::attach(db, &id, &attachment)
}

/// The older form in terms of the newer.
fn expand(request: &ModifyInstanceAttributeRequest) -> Answer<ModifyInstanceAttributeRequest> {
    let mut request = request.clone();
    let Some(attribute) = request.attribute.clone() else { return Ok(request) };
    let Some(value) = request.value.clone() else { return Ok(request) };
    let text = Some(AttributeValue { value: Some(value.clone()) });
    let yes = Some(AttributeBooleanValue { value: Some(value.eq_ignore_ascii_case("true")) });
    match attribute.as_str() {
        "disableApiStop" => request.disable_api_stop = yes,
        "disableApiTermination" => request.disable_api_termination = yes,
        "ebsOptimized" => request.ebs_optimized = yes,
        "enaSupport" => request.ena_support = yes,
        "instanceInitiatedShutdownBehavior" => request.instance_initiated_shutdown_behavior = text,
        "instanceType" => request.instance_type = text,
        "sourceDestCheck" => request.source_dest_check = yes,
        "sriovNetSupport" => request.sriov_net_support = text,
        other => return refuse("InvalidParameterValue", format!("The attribute {other} cannot be modified here")),
    }
    Ok(request)
}
