//! Attaching a volume to this instance: look first, call at most once without looking again, and never take it from a live holder.
//!
//! States and traps: boot.md 3.1 to 3.3. The agent has no permission to detach and wants none.

use std::collections::BTreeSet;
use std::time::Duration;

use ovenbird_aws::ApiError;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Volume;

use crate::api::Api;
use crate::api::CallError;
use crate::api::is_denied;
use crate::fault::Fault;
use crate::instance::Instance;
use crate::report::say;
use crate::time::Backoff;
use crate::time::Deadline;

/// How long a volume that was just made may be unknown.
const APPEARING: Duration = Duration::from_secs(15);

/// What to do next about a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is attached here.
    Done,
    /// It is free: attach it.
    Attach,
    /// Another instance has it; what to do depends on that one's state.
    AskHolder(String),
    /// It changes by itself; the text says what is waited for.
    Wait(String),
    /// Nothing here would be right.
    Refuse(String),
}

/// Decides from a volume's description. `holder` is the state of the instance that has it (`Some("gone")` if there is no such
/// instance any more), once it was asked for.
#[must_use]
pub fn next_step(volume: &Volume, instance: &Instance, holder: Option<&str>) -> Step {
    let id = volume.volume_id.as_deref().unwrap_or_default();
    let zone = volume.availability_zone.as_deref().unwrap_or_default();
    if zone != instance.availability_zone {
        let own = &instance.availability_zone;
        return Step::Refuse(format!(
            "the volume {id} is in {zone} and this instance in {own}; a volume cannot leave its zone"
        ));
    }
    if volume.multi_attach_enabled == Some(true) {
        return Step::Refuse(format!(
            "the volume {id} may be attached to several instances at once, which destroys its file system"
        ));
    }
    match volume.state.as_deref().unwrap_or_default() {
        "available" => Step::Attach,
        "creating" => Step::Wait("it is still being created".to_owned()),
        "in-use" => next_step_in_use(volume, instance, holder),
        state => Step::Refuse(format!("the volume {id} is in the state \"{state}\"")),
    }
}

fn next_step_in_use(volume: &Volume, instance: &Instance, holder: Option<&str>) -> Step {
    let id = volume.volume_id.as_deref().unwrap_or_default();
    let Some(attachment) = volume.attachments.iter().find(|attachment| attachment.state.as_deref() != Some("detached"))
    else {
        return Step::Wait("it is in use, nobody knows by whom".to_owned());
    };
    let state = attachment.state.as_deref().unwrap_or_default();
    let other = attachment.instance_id.as_deref().unwrap_or_default();
    if other == instance.id {
        return if state == "attached" { Step::Done } else { Step::Wait(format!("it is {state} here")) };
    }
    match (state, holder) {
        ("detaching" | "busy", _) => Step::Wait(format!("it is {state} at {other}")),
        (_, None) => Step::AskHolder(other.to_owned()),
        (_, Some("terminated" | "gone")) => {
            Step::Wait(format!("its holder {other} is terminated and gives it free soon"))
        }
        (_, Some("shutting-down")) => Step::Wait(format!("its holder {other} is shutting down")),
        (_, Some("stopping" | "stopped")) => {
            Step::Refuse(format!("the volume {id} is attached to {other}, which is stopped; detach it there first"))
        }
        (_, Some(running)) => {
            Step::Refuse(format!("the volume {id} is held by the instance {other}, which is {running}"))
        }
    }
}

/// Attaches the volume, or finds that it is.
///
/// # Errors
/// When it may not or cannot be attached, or is not before the deadline.
pub fn ensure_attached(api: &Api<'_>, instance: &Instance, id: &str, deadline: &Deadline) -> Result<Volume, Fault> {
    let mut letters = Letters::default();
    let mut backoff = Backoff::new(Duration::from_millis(300), Duration::from_secs(8));
    let mut told = String::new();
    loop {
        let (volume, step) = match look(api, instance, id, deadline) {
            // What was waited for is the cause; that the deadline cut the last look short is not.
            Err(fault) if fault.retryable && !told.is_empty() => {
                return Err(late(id, &format!("{told}; then: {}", fault.sentence)));
            }
            looked => looked?,
        };
        let waiting_for = match step {
            Step::Done => return Ok(volume),
            Step::Refuse(sentence) => return Err(Fault::lasting(sentence)),
            Step::Wait(reason) => reason,
            Step::AskHolder(holder) => format!("{holder} has it"),
            Step::Attach => {
                if attach_once(api, instance, id, &mut letters, deadline)? == Tried::NameTaken {
                    continue;
                }
                "its attachment has begun".to_owned()
            }
        };
        if told != waiting_for {
            say(&format!("waiting for the volume {id}: {waiting_for}"));
            told = waiting_for;
        }
        if !deadline.pause(backoff.next_pause()) {
            return Err(late(id, &told));
        }
    }
}

fn late(id: &str, waiting_for: &str) -> Fault {
    Fault::passing(format!("the volume {id} was not attached in time: {waiting_for}"))
}

/// The volume as it is now, and what to do about it.
fn look(api: &Api<'_>, instance: &Instance, id: &str, deadline: &Deadline) -> Result<(Volume, Step), Fault> {
    let volume = fetch_volume(api, id, deadline)?;
    let mut step = next_step(&volume, instance, None);
    if let Step::AskHolder(holder) = &step {
        let doing = format!("attach the volume {id}");
        let state =
            fetch_state(api, holder, deadline).map_err(|error| denied(error, "ec2:DescribeInstances", &doing))?;
        step = next_step(&volume, instance, Some(&state));
    }
    Ok((volume, step))
}

#[derive(PartialEq, Eq)]
enum Tried {
    /// The next description says what came of it.
    Unknown,
    /// The device name is taken; another one may do.
    NameTaken,
}

fn attach_once(
    api: &Api<'_>,
    instance: &Instance,
    id: &str,
    letters: &mut Letters,
    deadline: &Deadline,
) -> Result<Tried, Fault> {
    let doing = format!("attach the volume {id}");
    let letter = letters.next(|| fetch_taken(api, instance, deadline)).ok_or_else(|| {
        Fault::lasting(format!("cannot {doing}: the device names /dev/sdf to /dev/sdp are all taken"))
    })?;
    let device = format!("/dev/sd{letter}");
    say(&format!("attaching {id} as {device}"));
    let request = ec2::AttachVolumeRequest {
        device: Some(device),
        instance_id: Some(instance.id.clone()),
        volume_id: Some(id.to_owned()),
        dry_run: None,
    };
    match api.call_once(&request, deadline) {
        Err(CallError::Refused(error)) if is_name_taken(&error) => Ok(Tried::NameTaken),
        Err(CallError::Refused(error)) if !changes_by_itself(&error) => {
            Err(denied(CallError::Refused(error), "ec2:AttachVolume", &doing))
        }
        Err(CallError::Fault(fault)) => Err(CallError::Fault(fault).while_doing(&doing)),
        // Success, or nobody knows: either way the volume's description decides, not this answer.
        Ok(_) | Err(_) => Ok(Tried::Unknown),
    }
}

fn is_name_taken(error: &ApiError) -> bool {
    error.code.starts_with("InvalidParameterValue") && error.message.contains("already in use")
}

fn changes_by_itself(error: &ApiError) -> bool {
    let by_state = matches!(error.code.as_str(), "VolumeInUse" | "IncorrectState" | "IncorrectInstanceState");
    by_state || CallError::Refused(error.clone()).is_passing()
}

fn denied(error: CallError, permission: &str, doing: &str) -> Fault {
    match &error {
        CallError::Refused(refusal) if is_denied(refusal) => {
            Fault::lasting(format!("cannot {doing}: the instance's role lacks the permission {permission}"))
        }
        _ => error.while_doing(doing),
    }
}

fn fetch_volume(api: &Api<'_>, id: &str, deadline: &Deadline) -> Result<Volume, Fault> {
    let appearing = deadline.within(APPEARING);
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(3));
    let request = ec2::DescribeVolumesRequest { volume_ids: vec![id.to_owned()], ..Default::default() };
    loop {
        match api.call(&request, deadline) {
            Ok(answer) => {
                if let Some(volume) = answer.volumes.into_iter().find(|volume| volume.volume_id.as_deref() == Some(id))
                {
                    return Ok(volume);
                }
            }
            Err(CallError::Refused(error)) if error.is_not_found() => {}
            Err(error) => return Err(denied(error, "ec2:DescribeVolumes", &format!("look at the volume {id}"))),
        }
        if !appearing.pause(backoff.next_pause()) {
            return Err(Fault::lasting(format!("there is no volume {id} in this account and region")));
        }
    }
}

fn fetch_state(api: &Api<'_>, instance_id: &str, deadline: &Deadline) -> Result<String, CallError> {
    let request = ec2::DescribeInstancesRequest { instance_ids: vec![instance_id.to_owned()], ..Default::default() };
    let found = match api.call(&request, deadline) {
        Ok(answer) => answer.reservations.into_iter().flat_map(|reservation| reservation.instances).next(),
        Err(CallError::Refused(error)) if error.is_not_found() => None,
        Err(error) => return Err(error),
    };
    Ok(found
        .map_or_else(|| "gone".to_owned(), |instance| instance.state.and_then(|state| state.name).unwrap_or_default()))
}

/// The letters of the names that this instance's volumes have. Without the permission to look, a taken one is found by trial.
fn fetch_taken(api: &Api<'_>, instance: &Instance, deadline: &Deadline) -> BTreeSet<char> {
    let request = ec2::DescribeInstancesRequest { instance_ids: vec![instance.id.clone()], ..Default::default() };
    let answer = api.call(&request, deadline).unwrap_or_default();
    let instances = answer.reservations.into_iter().flat_map(|reservation| reservation.instances);
    let names = instances.flat_map(|instance| instance.block_device_mappings).filter_map(|mapping| mapping.device_name);
    // `/dev/sdf`, `/dev/xvdf` and `sdf` all take the same slot.
    names.filter_map(|name| name.trim_end_matches(|last: char| last.is_ascii_digit()).chars().last()).collect()
}

/// The device names that EC2 recommends for volumes, `f` to `p`, less those that are taken or were refused.
#[derive(Default)]
struct Letters {
    gone: Option<BTreeSet<char>>,
}

impl Letters {
    fn next(&mut self, taken: impl FnOnce() -> BTreeSet<char>) -> Option<char> {
        let gone = self.gone.get_or_insert_with(taken);
        let letter = ('f'..='p').find(|letter| !gone.contains(letter))?;
        gone.insert(letter);
        Some(letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance {
            id: "i-1".to_owned(),
            region: "eu-west-1".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
            image_id: "ami-1".to_owned(),
            local_ipv4: "10.0.0.1".to_owned(),
            domain: "amazonaws.com".to_owned(),
            endpoint_url: None,
        }
    }

    fn volume(state: &str, attachment: Option<(&str, &str)>) -> Volume {
        let attachments = attachment.map(|(instance, state)| ec2::VolumeAttachment {
            instance_id: Some(instance.to_owned()),
            state: Some(state.to_owned()),
            ..Default::default()
        });
        Volume {
            volume_id: Some("vol-1".to_owned()),
            availability_zone: Some("eu-west-1a".to_owned()),
            state: Some(state.to_owned()),
            attachments: attachments.into_iter().collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_volume_is_only_attached_when_it_is_free() {
        for state in ["creating", "in-use", "deleting", "deleted", "error", ""] {
            for holder in [None, Some("running"), Some("terminated"), Some("gone")] {
                for attachment in [None, Some(("i-2", "attached")), Some(("i-1", "attaching"))] {
                    assert_ne!(next_step(&volume(state, attachment), &instance(), holder), Step::Attach, "{state}");
                }
            }
        }
        assert_eq!(next_step(&volume("available", None), &instance(), None), Step::Attach);
    }

    #[test]
    fn the_holder_s_state_decides() {
        let held = |state: &str, holder| next_step(&volume("in-use", Some(("i-2", state))), &instance(), holder);
        assert_eq!(held("attached", None), Step::AskHolder("i-2".to_owned()));
        assert!(matches!(held("attached", Some("terminated")), Step::Wait(_)));
        assert!(matches!(held("attached", Some("shutting-down")), Step::Wait(_)));
        assert!(matches!(held("detaching", Some("running")), Step::Wait(_)));
        for state in ["running", "pending", "stopped", "stopping", ""] {
            let Step::Refuse(sentence) = held("attached", Some(state)) else { panic!("{state}") };
            assert!(sentence.contains("i-2"), "{sentence}");
        }
    }

    #[test]
    fn attached_here_means_attached_and_here() {
        let at = |instance_id, state| next_step(&volume("in-use", Some((instance_id, state))), &instance(), None);
        assert_eq!(at("i-1", "attached"), Step::Done);
        for state in ["attaching", "detaching", "busy"] {
            assert!(matches!(at("i-1", state), Step::Wait(_)), "{state}");
        }
    }

    #[test]
    fn another_zone_and_multi_attach_are_refused_whatever_the_state() {
        for state in ["available", "in-use", "creating"] {
            let away = Volume { availability_zone: Some("eu-west-1b".to_owned()), ..volume(state, None) };
            let Step::Refuse(sentence) = next_step(&away, &instance(), None) else { panic!() };
            assert!(sentence.contains("eu-west-1b") && sentence.contains("eu-west-1a"), "{sentence}");
            let shared = Volume { multi_attach_enabled: Some(true), ..volume(state, None) };
            assert!(matches!(next_step(&shared, &instance(), None), Step::Refuse(_)));
        }
    }

    #[test]
    fn taken_letters_are_left_out_and_each_is_tried_once() {
        let mut letters = Letters::default();
        let mut tried = Vec::new();
        while let Some(letter) = letters.next(|| BTreeSet::from(['a', 'f', 'h'])) {
            tried.push(letter);
        }
        assert_eq!(tried.iter().collect::<String>(), "gijklmnop");
    }
}
