//! What a template may ask of a launch that is not done.

use ovenbird_template::AmazonEbs;
use ovenbird_template::Interface;
use ovenbird_template::Key;

use crate::error::BakeError;

/// Refuses what a launch would not do as the template says; before anything is made.
///
/// # Errors
/// [`BakeError::Unsupported`] with what to use.
pub(crate) fn refuse_unsupported(builder: &AmazonEbs) -> Result<(), BakeError> {
    let ssh = &builder.ssh;
    let asked = [
        (
            "ssh_interface = session_manager",
            ssh.interface == Some(Interface::SessionManager),
            "give the instance an address that this machine reaches, or bake directly, which needs no instance",
        ),
        ("ssh_interface = ipv6", ssh.interface == Some(Interface::Ipv6), "use its public or private IPv4 address"),
        (
            "ssh_agent_auth",
            matches!(ssh.key, Key::Agent { .. }),
            "name a key with `ssh_private_key_file`, or leave both out",
        ),
        ("ssh_remote_tunnels", !ssh.remote_tunnels.is_empty(), "copy what the play needs with a `file` provisioner"),
        ("ssh_local_tunnels", !ssh.local_tunnels.is_empty(), "reach the service by the instance's address"),
        (
            "capacity_reservation_…",
            builder.launch.capacity_reservation != Default::default(),
            "an open reservation is used by itself",
        ),
        ("license_specifications", !builder.launch.license_configurations.is_empty(), "bake with Packer"),
        ("enable_nitro_enclave", builder.launch.nitro_enclave, "it is the launched image's own matter: leave it out"),
        ("instance_type", builder.instance_type.is_none(), "name the type of instance that is launched for the bake"),
        ("ssh_username", ssh.username.is_none(), "name the image's user, such as `admin` of Debian"),
    ];
    let missing = ["instance_type", "ssh_username"];
    match asked.iter().find(|(_, is_wrong, _)| *is_wrong) {
        None => Ok(()),
        Some((option, _, instead)) if missing.contains(option) => Err(BakeError::Unsupported(format!(
            "a bake on a launched instance needs `{option}` of amazon-ebs: {instead}"
        ))),
        Some((option, _, instead)) => Err(BakeError::Unsupported(format!(
            "`{option}` of amazon-ebs is not supported on a launched instance: {instead}"
        ))),
    }
}
