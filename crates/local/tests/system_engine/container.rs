//! Containers: cloud-init, volumes, ends of all kinds, and nothing left behind.

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::engine::Engine as _;
use ovenbird_local::engine::Machine;
use ovenbird_local::engine::Seen;
use ovenbird_local::engine::container::Container;
use rustix::process::Signal;

use crate::lab::Lab;
use crate::lab::end_dead;
use crate::runtime;

const SOON: Duration = Duration::from_secs(60);

fn nspawn(machine: &Machine) -> Process {
    let record = fs_err::read_to_string(machine.folder.join("process")).unwrap();
    let (pid, started) = record.trim().split_once(' ').unwrap();
    Process { pid: pid.parse().unwrap(), started: started.parse().unwrap() }
}

/// Runs a shell command inside the container; its output.
fn inside(machine: &Machine, command: &str) -> String {
    let nspawn = nspawn(machine).pid.to_string();
    let leader = Tool::new("pgrep").args(["-P", &nspawn]).run().unwrap().text();
    let run = Tool::new("nsenter").args(["-t", &leader, "-a", "--", "sh", "-euc", command]).env_clear().run();
    run.unwrap_or_else(|error| panic!("{command}: {error}")).text()
}

fn wait_for_cloud_init(machine: &Machine) -> String {
    let result = "/run/cloud-init/result.json";
    inside(
        machine,
        &format!("i=0; until test -e {result}; do i=$((i+1)); test $i -lt 600; sleep 0.1; done; cat {result}"),
    )
}

#[test]
fn an_instance_boots_takes_volumes_and_leaves_nothing() {
    let runtime = runtime();
    let engine = Container::new(runtime.handle().clone());
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let lab = Lab::new(&engine, 11, api.local_addr().unwrap().port());
    let machine = &lab.machine;
    let began = Instant::now();
    engine.start(machine).unwrap();
    println!("started after {:?}", began.elapsed());
    engine.start(machine).unwrap();
    assert_eq!(engine.look(machine), Seen::Running);

    let result = wait_for_cloud_init(machine);
    println!("cloud-init done after {:?}", began.elapsed());
    assert!(result.contains("DataSourceEc2"), "{result}");
    let keys = inside(machine, "cat /home/*/.ssh/authorized_keys");
    assert!(keys.contains(&format!("{} test-key", lab.public_key())), "{keys}");
    println!("{}", inside(machine, "systemd-analyze blame | head -8"));
    let failed =
        inside(machine, "systemctl is-system-running --wait >/dev/null || systemctl --failed --plain --no-legend");
    assert_eq!(failed, "", "units that failed");

    // The API, through the instance's own loopback of sorts.
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = api.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let get = "import urllib.request as u; e=u.urlopen('http://169.254.169.254/latest/meta-data/services/endpoint-url').read().decode(); \
               print(u.urlopen(e + '/x').read().decode())";
    assert_eq!(inside(machine, &format!("python3 -c \"{get}\"")), "ok");
    let request = answer.join().unwrap();
    assert!(request.starts_with("GET /x ") && request.contains("Host: 169.254.169.254:8773\r\n"), "{request}");

    // A server of the instance's own on port 80, seen from this machine.
    inside(machine, "cd /etc/cloud; systemd-run --quiet python3 -m http.server 80");
    let address = SocketAddr::from((machine.private_ip, 80));
    wait_until(SOON, Duration::from_millis(20), || TcpStream::connect_timeout(&address, SOON).ok()).unwrap();

    volumes(&lab, &engine);

    let stopping = Instant::now();
    engine.stop(machine).unwrap();
    println!("stopped after {:?}", stopping.elapsed());
    assert_eq!(engine.look(machine), Seen::Ended);
    assert_eq!(lab.leftovers(), [""; 0]);
    engine.stop(machine).unwrap();
}

fn volumes(lab: &Lab<'_>, engine: &Container) {
    let machine = &lab.machine;
    let (first, second) = (lab.volume("vol-0aaaaaaaaaaaaaaa1"), lab.volume("vol-0aaaaaaaaaaaaaaa2"));
    engine.attach(machine, &first).unwrap();
    engine.attach(machine, &first).unwrap();
    engine.attach(machine, &second).unwrap();
    let seen = inside(
        machine,
        "cd /sys/block; for name in *; do echo $name $(cat $name/device/serial) $(cat $name/size); done",
    );
    let disk = fs_err::metadata(&machine.root_disk).unwrap().len() / 512;
    let expected = format!(
        "nvme0n1 vol0fffffffffffffff0 {disk}\nnvme1n1 vol0aaaaaaaaaaaaaaa1 131072\nnvme2n1 vol0aaaaaaaaaaaaaaa2 131072"
    );
    assert_eq!(seen, expected);
    inside(machine, "mkfs.ext4 -q /dev/nvme1n1; mkdir /data; mount /dev/nvme1n1 /data; echo kept > /data/file; sync");
    let refused = engine.detach(machine, &first).unwrap_err();
    assert!(refused.source.to_string().contains("still mounted"), "{}", refused.source);
    inside(machine, "umount /data; fsck.ext4 -fn /dev/nvme1n1");
    inside(machine, "python3 -c \"import os; os.open('/dev/nvme1n1', os.O_RDWR | os.O_EXCL)\"");
    engine.detach(machine, &first).unwrap();
    engine.detach(machine, &first).unwrap();
    assert_eq!(inside(machine, "ls /sys/block; ls /dev/nvme*"), "nvme0n1\nnvme2n1\n/dev/nvme2n1");
    engine.attach(machine, &first).unwrap();
    assert_eq!(inside(machine, "mount /dev/nvme1n1 /data; cat /data/file"), "kept");
}

#[test]
fn an_instance_that_powers_off_or_is_killed_has_ended() {
    let runtime = runtime();
    let engine = Container::new(runtime.handle().clone());
    let lab = Lab::new(&engine, 12, 1);
    let machine = &lab.machine;
    engine.start(machine).unwrap();
    wait_for_cloud_init(machine);
    inside(machine, "systemctl poweroff --no-block");
    wait_until(SOON, Duration::from_millis(20), || (engine.look(machine) == Seen::Ended).then_some(())).unwrap();
    engine.stop(machine).unwrap();
    assert_eq!(lab.leftovers(), [""; 0]);

    // Again, from the same disk; now its supervisor is killed.
    engine.start(machine).unwrap();
    engine.attach(machine, &lab.volume("vol-0aaaaaaaaaaaaaaa3")).unwrap();
    let process = nspawn(machine);
    process.signal(Signal::KILL);
    process.wait_for_end(SOON).unwrap();
    assert_eq!(engine.look(machine), Seen::Ended);
    engine.stop(machine).unwrap();
    assert_eq!(lab.leftovers(), [""; 0]);
}

#[test]
fn another_daemon_takes_the_instance_up() {
    let first_runtime = runtime();
    let first = Container::new(first_runtime.handle().clone());
    let second_runtime = runtime();
    let second = Container::new(second_runtime.handle().clone());
    let lab = Lab::new(&second, 13, 1);
    let machine = &lab.machine;
    first.start(machine).unwrap();
    let volume = lab.volume("vol-0aaaaaaaaaaaaaaa4");
    first.attach(machine, &volume).unwrap();
    drop(first);
    drop(first_runtime);

    // The first one may have been killed before it wrote down what it had started.
    let record = machine.folder.join("process");
    fs_err::rename(&record, record.with_extension("away")).unwrap();
    assert_eq!(second.adopt(machine).unwrap(), Seen::Running);
    fs_err::rename(record.with_extension("away"), &record).unwrap();
    let ask = "import urllib.request as u; print(u.urlopen('http://169.254.169.254/latest/meta-data/instance-id').read().decode())";
    assert_eq!(inside(machine, &format!("python3 -c \"{ask}\"")), machine.instance_id);
    second.detach(machine, &volume).unwrap();
    assert_eq!(inside(machine, "ls /sys/block"), "nvme0n1");
    second.stop(machine).unwrap();
    assert_eq!(second.adopt(machine).unwrap(), Seen::Ended);
    assert_eq!(lab.leftovers(), [""; 0]);
}

#[test]
fn a_disk_that_is_no_image_is_refused_and_nothing_is_left() {
    let runtime = runtime();
    let engine = Container::new(runtime.handle().clone());
    let lab = Lab::new(&engine, 14, 1);
    fs_err::write(&lab.machine.root_disk, "no disk").unwrap();
    let error = engine.start(&lab.machine).unwrap_err();
    assert!(error.source.to_string().contains("partition table"), "{}", error.source);
    assert_eq!(lab.leftovers(), [""; 0]);

    // A file system without an init.
    Tool::new("mke2fs").args(["-q", "-t", "ext4"]).arg(&lab.machine.root_disk).arg("8M").run().unwrap();
    let error = engine.start(&lab.machine).unwrap_err();
    assert!(error.source.to_string().contains("ended early"), "{}", error.source);
    assert_eq!(lab.leftovers(), [""; 0]);
}

#[test]
fn what_a_killed_test_has_left_is_ended_by_the_next() {
    let runtime = runtime();
    let engine = Container::new(runtime.handle().clone());
    // The process of a test that has ended.
    let mut process = Tool::new("true").spawn_guarded(std::process::Stdio::null()).unwrap();
    wait_until(SOON, Duration::from_millis(1), || process.try_wait()).unwrap();
    let dead = Lab::of_process(&engine, process.pid(), 16, 1);
    engine.start(&dead.machine).unwrap();
    engine.attach(&dead.machine, &dead.volume("vol-0aaaaaaaaaaaaaaa6")).unwrap();
    end_dead(&engine);
    assert_eq!(dead.leftovers(), [""; 0]);
    assert!(!dead.machine.folder.exists());
}
