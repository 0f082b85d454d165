//! Virtual machines: one boot to the end of cloud-init, one by firmware. Under TCG, so they are slow.

use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::engine::Engine as _;
use ovenbird_local::engine::Seen;
use ovenbird_local::engine::qemu::Qemu;

use crate::lab::Lab;
use crate::runtime;

const BOOTED: Duration = Duration::from_secs(240);
const SOON: Duration = Duration::from_secs(30);

/// Runs a command in the guest, over ssh from this machine.
fn find_answer(lab: &Lab<'_>, command: &str) -> Option<String> {
    let options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"];
    let ssh = Tool::new("ssh").args(options).args(["-q", "-o", "ConnectTimeout=10", "-i"]).arg(lab.private_key());
    let answer = ssh.arg(format!("admin@{}", lab.machine.private_ip)).arg(command).deadline(SOON).run();
    answer.inspect_err(|error| println!("{command}: {error}")).ok().map(|output| output.text())
}

fn wait_for_answer(lab: &Lab<'_>, command: &str, expected: &str) {
    let asked = wait_until(SOON, Duration::from_millis(500), || (find_answer(lab, command)? == expected).then_some(()));
    assert!(asked.is_ok(), "`{command}` never answered `{expected}`");
}

#[test]
fn a_machine_boots_provisions_itself_and_takes_volumes() {
    let runtime = runtime();
    let state = tempfile::tempdir().unwrap();
    let engine = Qemu::new(runtime.handle().clone(), state.path().to_owned());
    let mut lab = Lab::new(&engine, 21, 1);
    let from_start = lab.volume("vol-0aaaaaaaaaaaaaaa1");
    lab.machine.volumes.push(from_start.clone());
    let began = Instant::now();
    engine.start(&lab.machine).unwrap();
    println!("started after {:?}", began.elapsed());
    println!("KVM: {}", fs_err::read_to_string(state.path().join("kvm")).unwrap());
    engine.start(&lab.machine).unwrap();
    assert_eq!(engine.look(&lab.machine), Seen::Running);

    // systemd and the kernel write to the same line at times; cloud-init's last word is a line of its own.
    lab.wait_for_console("Datasource DataSourceEc2", BOOTED);
    println!("cloud-init done after {:?}", began.elapsed());
    let status = "cloud-init status --wait --long | grep -E '^(status|DataSource)'";
    println!(
        "{:?}; {:?}",
        find_answer(&lab, status),
        find_answer(&lab, "systemd-analyze; systemd-analyze blame | head -8")
    );
    wait_for_answer(&lab, "cat /sys/class/dmi/id/board_asset_tag", &lab.machine.instance_id.clone());

    let list = "for name in /sys/block/nvme*; do echo $(basename $name) $(cat $name/device/serial); done";
    let (root, first) = ("nvme0n1 vol0fffffffffffffff0", "nvme1n1 vol0aaaaaaaaaaaaaaa1");
    wait_for_answer(&lab, list, &format!("{root}\n{first}"));
    let added = lab.volume("vol-0aaaaaaaaaaaaaaa2");
    let attaching = Instant::now();
    engine.attach(&lab.machine, &added).unwrap();
    engine.attach(&lab.machine, &added).unwrap();
    wait_for_answer(&lab, list, &format!("{root}\n{first}\nnvme2n1 vol0aaaaaaaaaaaaaaa2"));
    println!("a volume is seen after {:?}", attaching.elapsed());
    let detaching = Instant::now();
    engine.detach(&lab.machine, &added).unwrap();
    engine.detach(&lab.machine, &added).unwrap();
    println!("detached after {:?}", detaching.elapsed());
    wait_for_answer(&lab, list, &format!("{root}\n{first}"));
    engine.detach(&lab.machine, &from_start).unwrap();
    wait_for_answer(&lab, list, root);

    let stopping = Instant::now();
    engine.stop(&lab.machine).unwrap();
    println!("stopped after {:?}", stopping.elapsed());
    assert!(lab.console().contains("Power down"), "{}", lab.console());
    assert_eq!(engine.look(&lab.machine), Seen::Ended);
    assert_eq!(lab.leftovers(), [""; 0]);
    engine.stop(&lab.machine).unwrap();
}

#[test]
fn firmware_boots_the_disk_and_another_daemon_finds_the_machine() {
    let runtime = runtime();
    let state = tempfile::tempdir().unwrap();
    let engine = Qemu::new(runtime.handle().clone(), state.path().to_owned());
    let mut lab = Lab::new(&engine, 22, 1);
    lab.machine.firmware = true;
    engine.start(&lab.machine).unwrap();
    lab.wait_for_console("Linux version", Duration::from_secs(90));

    // Another daemon finds it.
    let other = Qemu::new(runtime.handle().clone(), state.path().to_owned());
    assert_eq!(engine.adopt(&lab.machine).unwrap(), Seen::Running);
    assert_eq!(other.look(&lab.machine), Seen::Running);
    let process = fs_err::read_to_string(lab.machine.folder.join("process")).unwrap();
    let pid = process.split(' ').next().unwrap().to_owned();
    Tool::new("kill").args(["-9", &pid]).run().unwrap();
    wait_until(SOON, Duration::from_millis(20), || (other.look(&lab.machine) == Seen::Ended).then_some(())).unwrap();
    other.stop(&lab.machine).unwrap();
    assert_eq!(engine.look(&lab.machine), Seen::Ended);
    assert_eq!(lab.leftovers(), [""; 0]);
}
