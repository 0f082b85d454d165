//! How the virtual machine is started: one command line.

use std::path::Path;

use data_encoding::HEXLOWER;
use ovenbird_disk::tool::Tool;
use sha2::Digest as _;
use sha2::Sha256;

use super::accelerator::Accelerator;
use super::boot::Boot;
use super::qmp::block_node;
use crate::engine::Failure;
use crate::engine::Machine;
use crate::engine::serial;

/// The machine protocol's socket in the machine's folder.
pub(super) const SOCKET: &str = "qmp";
/// The firmware's variables in the machine's folder.
pub(super) const VARIABLES: &str = "efi-variables";
/// Debian's package ovmf.
const FIRMWARE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
/// What [`VARIABLES`] begins as.
pub(super) const FIRMWARE_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// Ports for volumes that come while the machine runs.
const PORTS: usize = 8;
/// Ports of the instance that this machine can reach.
const REACHABLE: [u16; 2] = [22, 80];

/// The tool that becomes the virtual machine. It runs in the machine's folder, inside the machine's network namespace.
pub(super) fn command(machine: &Machine, boot: &Boot, accelerator: Accelerator) -> Result<Tool, Failure> {
    let mut tool = Tool::new("nsenter")
        .doing(format!("start the virtual machine {}", machine.instance_id))
        .env_clear()
        .current_dir(&machine.folder)
        .arg(format!("--net=/run/netns/{}", machine.namespace))
        .args(["qemu-system-x86_64", "-name", &machine.instance_id])
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-smp", "2", "-m", "1024"])
        .args(["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"])
        .args(accelerator.options())
        .args(identity(machine))
        .args(network(machine))
        .args(["-device", "virtio-rng-pci"])
        .args(["-chardev", "file,id=console,path=console.log,append=on", "-serial", "chardev:console"])
        .args(["-qmp", &format!("unix:{SOCKET},server=on,wait=off")]);
    for number in 1..=PORTS {
        let port = format!("pcie-root-port,id={},chassis={number},slot={number}", port(number));
        tool = tool.args(["-device", &port]);
    }
    let root = serial(&machine.root_volume_id);
    tool = disk(tool, &root, &machine.root_disk, "bootindex=1")?;
    for (index, volume) in machine.volumes.iter().enumerate() {
        if index >= PORTS {
            return Err(format!("a machine of this engine takes {PORTS} volumes besides its root").into());
        }
        tool = disk(tool, &serial(&volume.volume_id), &volume.file, &format!("bus={}", port(index + 1)))?;
    }
    Ok(start(tool, boot))
}

fn port(number: usize) -> String {
    format!("port{number}")
}

/// What cloud-init looks for: a UUID that begins with `ec2`, and in Debian 12's version an equal serial; and the
/// instance's id where Nitro has it.
fn identity(machine: &Machine) -> Vec<String> {
    let uuid = uuid(&machine.instance_id);
    let vendor = "Amazon EC2";
    let product = machine.metadata.facts().instance_type;
    vec![
        "-uuid".to_owned(),
        uuid.clone(),
        "-smbios".to_owned(),
        format!("type=0,vendor={vendor},version=1.0"),
        "-smbios".to_owned(),
        format!("type=1,manufacturer={vendor},product={},serial={uuid},uuid={uuid}", quote(&product)),
        "-smbios".to_owned(),
        format!("type=2,manufacturer={vendor},asset={}", machine.instance_id),
        "-smbios".to_owned(),
        format!("type=3,manufacturer={vendor},asset={vendor}"),
    ]
}

fn uuid(instance_id: &str) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(instance_id));
    format!("ec2{}-{}-4{}-8{}-{}", &digest[..5], &digest[5..9], &digest[9..12], &digest[12..15], &digest[15..27])
}

/// QEMU's own network, in which the metadata service's address stands for the namespace's loopback. It is small: this
/// machine's end of the wire (169.254.250.1) must lie outside, or the guest looks for it next door and never answers.
fn network(machine: &Machine) -> Vec<String> {
    let forwards = REACHABLE.map(|port| format!(",hostfwd=tcp:{}:{port}-:{port}", machine.private_ip)).concat();
    let net = "net=169.254.169.0/24,host=169.254.169.254,dns=169.254.169.253,dhcpstart=169.254.169.15,ipv6=off";
    vec![
        "-netdev".to_owned(),
        format!("user,id=net0,{net}{forwards}"),
        "-device".to_owned(),
        format!("virtio-net-pci,netdev=net0,mac={}", machine.mac),
    ]
}

fn disk(tool: Tool, serial: &str, file: &Path, place: &str) -> Result<Tool, Failure> {
    let file = file.to_str().ok_or("the path of a volume's file is no UTF-8")?;
    let device = format!("nvme,id={serial},drive={serial},serial={serial},{place}");
    Ok(tool.args(["-blockdev", &block_node(serial, file).to_string(), "-device", &device]))
}

fn start(tool: Tool, boot: &Boot) -> Tool {
    match boot {
        Boot::Bios => tool,
        Boot::Uefi => tool
            .args(["-drive", &format!("if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE}")])
            .args(["-drive", &format!("if=pflash,unit=1,format=raw,file={VARIABLES}")]),
        Boot::Kernel(files) => {
            let tool = tool.arg("-kernel").arg(&files.kernel).args(["-append", &files.options]);
            if let Some(initrd) = &files.initrd { tool.arg("-initrd").arg(initrd) } else { tool }
        }
    }
}

/// In QEMU's options a comma ends a value, and two stand for one.
fn quote(value: &str) -> String {
    value.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_looks_like_ec2s() {
        let uuid = uuid("i-0123456789abcdef0");
        let lengths: Vec<_> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        assert!(uuid.starts_with("ec2"), "{uuid}");
    }
}
