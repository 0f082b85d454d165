//! TerminateInstances and GetConsoleOutput.

use std::sync::Arc;

use ovenbird_aws::ec2::GetConsoleOutputRequest;
use ovenbird_aws::ec2::GetConsoleOutputResult;
use ovenbird_aws::ec2::InstanceStateChange;
use ovenbird_aws::ec2::TerminateInstancesRequest;
use ovenbird_aws::ec2::TerminateInstancesResult;

use super::describe_instances::state_to_api;
use super::resources::own_instance;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::instances as life;
use crate::world::Call;

/// Terminates instances: all of them, or none where one is not there. A terminated one stays so.
pub(crate) fn terminate_instances(
    call: &Call,
    request: &TerminateInstancesRequest,
) -> Answer<TerminateInstancesResult> {
    required(request.instance_ids.first(), "InstanceId")?;
    let changes = call.world.catalogue.transact(|db| {
        let found = request.instance_ids.iter().map(|id| own_instance(db, call, Some(id)));
        let mut changes = Vec::new();
        for instance in found.collect::<Answer<Vec<_>>>()? {
            let after = if instance.state == State::Terminated { State::Terminated } else { State::ShuttingDown };
            if after != instance.state {
                verify_unprotected(&instance)?;
                life::note_user_initiated(db, &instance.id, after, call.now)?;
            }
            changes.push((instance.id, instance.state, after));
        }
        Ok(changes)
    })?;
    for (id, before, _) in &changes {
        if !matches!(before, State::Terminated | State::ShuttingDown) {
            life::end(Arc::clone(&call.world), id.clone());
        }
    }
    let change = |(id, before, after)| InstanceStateChange {
        instance_id: Some(id),
        current_state: Some(state_to_api(after)),
        previous_state: Some(state_to_api(before)),
    };
    Ok(TerminateInstancesResult { terminating_instances: changes.into_iter().map(change).collect() })
}

fn verify_unprotected(instance: &Instance) -> Answer<()> {
    if !instance.termination_protected {
        return Ok(());
    }
    let text = format!(
        "The instance '{}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
        instance.id
    );
    refuse("OperationNotPermitted", text)
}

/// The latest 64 KiB of the console.
pub(crate) fn get_console_output(call: &Call, request: &GetConsoleOutputRequest) -> Answer<GetConsoleOutputResult> {
    let instance = call.world.catalogue.transact(|db| own_instance(db, call, request.instance_id.as_deref()))?;
    let machine = life::machine_of(&call.world, &instance)?;
    let bytes = call.world.engine.console(&machine);
    let latest = &bytes[bytes.len().saturating_sub(64 * 1024)..];
    Ok(GetConsoleOutputResult {
        instance_id: Some(instance.id),
        timestamp: Some(call.now),
        output: Some(data_encoding::BASE64.encode(latest)),
    })
}
