//! StopInstances and StartInstances.

use std::sync::Arc;

use ovenbird_aws::ec2::InstanceStateChange;
use ovenbird_aws::ec2::StartInstancesRequest;
use ovenbird_aws::ec2::StartInstancesResult;
use ovenbird_aws::ec2::StopInstancesRequest;
use ovenbird_aws::ec2::StopInstancesResult;

use super::describe_instances::state_to_api;
use super::resources::own_instance;
use crate::catalogue::instances;
use crate::catalogue::instances::Instance;
use crate::catalogue::instances::State;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::instances as life;
use crate::world::Call;

/// Stops instances: all of them, or none where one cannot be stopped. A stopped one stays so.
pub(crate) fn stop_instances(call: &Call, request: &StopInstancesRequest) -> Answer<StopInstancesResult> {
    if request.hibernate == Some(true) {
        return refuse("UnsupportedHibernationConfiguration", "The embedded EC2 does not hibernate instances");
    }
    let changes = change(call, &request.instance_ids, |instance| {
        if instance.stop_protected && instance.state == State::Running {
            let text = format!(
                "The instance '{}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
                instance.id
            );
            return refuse("OperationNotPermitted", text);
        }
        match instance.state {
            State::Running if instance.is_spot => {
                let text =
                    format!("You can't stop the Spot Instance '{}' because it is of a one-time request.", instance.id);
                refuse("UnsupportedOperation", text)
            }
            State::Running => Ok(State::Stopping),
            State::Stopping | State::Stopped => Ok(instance.state),
            _ => wrong_state(instance, "stopped"),
        }
    })?;
    for change in changes.iter().filter(|change| change.before != change.after) {
        life::end(Arc::clone(&call.world), change.id.clone());
    }
    Ok(StopInstancesResult { stopping_instances: changes.iter().map(Change::to_api).collect() })
}

/// Starts stopped instances: all of them, or none where one cannot be started. A running one stays so.
pub(crate) fn start_instances(call: &Call, request: &StartInstancesRequest) -> Answer<StartInstancesResult> {
    let changes = change(call, &request.instance_ids, |instance| match instance.state {
        State::Stopped => Ok(State::Pending),
        State::Pending | State::Running => Ok(instance.state),
        _ => wrong_state(instance, "started"),
    })?;
    for change in changes.iter().filter(|change| change.before != change.after) {
        life::begin(Arc::clone(&call.world), change.id.clone());
    }
    Ok(StartInstancesResult { starting_instances: changes.iter().map(Change::to_api).collect() })
}

fn wrong_state(instance: &Instance, what: &str) -> Answer<State> {
    let text = format!("The instance '{}' is not in a state from which it can be {what}.", instance.id);
    refuse("IncorrectInstanceState", text)
}

struct Change {
    id: String,
    before: State,
    after: State,
}

impl Change {
    fn to_api(&self) -> InstanceStateChange {
        InstanceStateChange {
            instance_id: Some(self.id.clone()),
            current_state: Some(state_to_api(self.after)),
            previous_state: Some(state_to_api(self.before)),
        }
    }
}

fn change(call: &Call, ids: &[String], next: impl Fn(&Instance) -> Answer<State>) -> Answer<Vec<Change>> {
    required(ids.first(), "InstanceId")?;
    call.world.catalogue.transact(|db| {
        let mut changes = Vec::new();
        for id in ids {
            let instance = own_instance(db, call, Some(id))?;
            let after = next(&instance)?;
            match after {
                _ if after == instance.state => {}
                State::Pending => {
                    instances::set_launched(db, id, call.now)?;
                    instances::set_state(db, id, after, None, call.now)?;
                }
                _ => life::note_user_initiated(db, id, after, call.now)?,
            }
            changes.push(Change { id: instance.id, before: instance.state, after });
        }
        Ok(changes)
    })
}
