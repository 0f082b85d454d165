//! An instance that an earlier run of the same bake has launched: can it be gone on with?

use ovenbird_aws::ec2;

/// What the journal and the folder of the bake say of what was done on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// A provisioner began, and did not come to its end.
    pub(crate) is_cut_off: bool,
    /// The sealing began.
    pub(crate) is_being_sealed: bool,
    /// It is sealed, and what it held then is on this machine's disk.
    pub(crate) is_sealed: bool,
    /// An image of it was asked for, and the answer came.
    pub(crate) has_image: bool,
}

/// A provisioner that was cut off may have done half of its work, and not every one can be repeated. A sealing that was cut off may
/// have taken away the key that logs in. What is sealed and still runs goes on writing, so it is no more what the seal has told; once
/// its image is there, that does not matter.
pub(crate) fn can_go_on(done: Done, instance: &ec2::Instance) -> bool {
    let state = instance.state.as_ref().and_then(|state| state.name.as_deref()).unwrap_or_default();
    match done {
        Done { is_sealed: true, has_image, .. } => has_image || matches!(state, "stopping" | "stopped"),
        Done { is_being_sealed: true, .. } | Done { is_cut_off: true, .. } => false,
        // One that somebody has stopped is not worth a wait.
        _ => matches!(state, "pending" | "running"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_whole_is_gone_on_with() {
        let new = Done::default();
        let cut_off = Done { is_cut_off: true, ..new };
        let sealing = Done { is_being_sealed: true, ..new };
        let sealed = Done { is_being_sealed: true, is_sealed: true, ..new };
        let imaged = Done { has_image: true, ..sealed };
        for (done, states) in [
            (new, "pending running"),
            (cut_off, ""),
            (sealing, ""),
            (sealed, "stopping stopped"),
            (imaged, "pending running stopping stopped"),
        ] {
            for state in ["pending", "running", "stopping", "stopped"] {
                let name = Some(state.to_owned());
                let instance = ec2::Instance {
                    state: Some(ec2::InstanceState { name, ..Default::default() }),
                    ..Default::default()
                };
                assert_eq!(can_go_on(done, &instance), states.split(' ').any(|it| it == state), "{done:?} {state}");
            }
        }
    }
}
