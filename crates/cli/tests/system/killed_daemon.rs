//! A daemon that is killed finds its instances again, and one that is told to go takes them along.

use std::io::Read as _;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use ovenbird_aws::ec2;
use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use rustix::process::Signal;

use crate::support::Api;
use crate::support::Home;
use crate::support::Lab;
use crate::support::end_dead_tests;
use crate::support::find_leftovers;
use crate::support::list_instances;
use crate::support::processes_with;

const BOOTED: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_killed_daemon_finds_its_instances_again() {
    let lab = Lab::start("container");
    let base = lab.base();
    let (lasting, ending) = (launch(&lab.api(), &base), launch(&lab.api(), &base));
    let address = wait_until_booted(&lab.api(), &lasting);
    wait_until_booted(&lab.api(), &ending);
    assert!(find_metadata(&lab, &lasting).is_some_and(|id| id == lasting));

    kill_daemon(&lab);
    assert!(has_ssh(&address), "an instance outlives its daemon");
    assert_eq!(find_metadata(&lab, &lasting), None, "its metadata service does not");
    lab.home.run(["local", "env"]).exits(2).warns("not running");
    lab.up();
    for id in [&lasting, &ending] {
        assert_eq!(lab.api().state(id), "running");
        assert_eq!(find_metadata(&lab, id).as_ref(), Some(id));
    }
    assert!(has_ssh(&address));

    // This time an instance ends while nobody looks.
    kill_daemon(&lab);
    let nspawn = processes_with(&[&format!("--machine={ending}")], &[]);
    assert!(!nspawn.is_empty());
    nspawn.iter().for_each(crate::support::Leftover::remove);
    _ = wait_until(SOON, Duration::from_millis(50), || {
        processes_with(&[], std::slice::from_ref(&ending)).is_empty().then_some(())
    });
    lab.up();
    assert_eq!(lab.api().state(&ending), "terminated");
    let reason = lab.api().instance(&ending).state_reason.and_then(|reason| reason.code);
    assert_eq!(reason.as_deref(), Some("Server.InternalError"));
    assert_eq!(lab.api().state(&lasting), "running");
    assert!(has_ssh(&address));
    lab.home.run(["terminate", &lasting]).ok();
    assert!(!has_ssh(&address));
}

#[test]
fn down_ends_every_instance_even_those_of_a_killed_daemon() {
    let lab = Lab::start("container");
    let base = lab.base();
    launch(&lab.api(), &base);
    lab.down(&[]).ok();
    lab.up();
    assert_eq!(lab.status()["instances"], serde_json::json!([]));
    assert!(lab.api().find_image(&base).is_some(), "images stay");

    let id = launch(&lab.api(), &base);
    wait_until_booted(&lab.api(), &id);
    kill_daemon(&lab);
    lab.down(&[]).ok();
    lab.up();
    assert_eq!(lab.api().state(&id), "terminated");

    let id = launch(&lab.api(), &base);
    wait_until_booted(&lab.api(), &id);
    kill_daemon(&lab);
    lab.down(&["--delete"]).ok();
    assert!(!lab.home.local_state().exists());
}

#[test]
fn what_a_killed_test_has_left_is_ended_by_the_next() {
    let _turn = Lab::start("container");
    let home = Home::of_process(pid_of_nobody());
    home.run(["local", "up", "--port", "0", "--engine", "container"]).ok();
    let base = home.run(["local", "base", "debian-12", "--json"]).ok().json();
    let id = launch(&Api::of(&home), base["image"].as_str().expect("an id"));
    wait_until_booted(&Api::of(&home), &id);
    let ids = list_instances(&home.local_state());
    assert!(!find_leftovers(&home, &ids).is_empty());
    end_dead_tests();
    let none = || find_leftovers(&home, &ids).is_empty().then_some(());
    _ = wait_until(SOON, Duration::from_millis(100), none);
    assert_eq!(find_leftovers(&home, &ids), []);
    assert!(!home.path().exists());
}

/// The id of a process that has ended.
fn pid_of_nobody() -> u32 {
    let mut process = Tool::new("true").spawn_guarded(Stdio::null()).expect("it starts");
    wait_until(SOON, Duration::from_millis(1), || process.try_wait()).expect("it ends");
    process.pid()
}

fn launch(api: &Api, image: &str) -> String {
    let request = ec2::RunInstancesRequest {
        image_id: Some(image.to_owned()),
        min_count: Some(1),
        max_count: Some(1),
        ..Default::default()
    };
    let instances = api.send(request).expect("launched").instances;
    instances.into_iter().find_map(|instance| instance.instance_id).expect("an id")
}

/// Waits until the instance answers on the port of ssh; answers its address.
fn wait_until_booted(api: &Api, id: &str) -> String {
    let address =
        wait_until(BOOTED, Duration::from_millis(200), || api.instance(id).private_ip_address).expect("an address");
    let booted = wait_until(BOOTED, Duration::from_millis(200), || has_ssh(&address).then_some(()));
    assert!(booted.is_ok(), "{id} does not answer:\n{}", api.console(id));
    address
}

fn has_ssh(address: &str) -> bool {
    let address = format!("{address}:22").parse().expect("an address");
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(2)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("set");
    let mut banner = [0; 8];
    stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-2.0-"
}

/// The id that the metadata service gives to a process in the instance's network.
fn find_metadata(lab: &Lab, id: &str) -> Option<String> {
    let namespace = format!("ob-{}", &id[id.len() - 10..]);
    let curl = |arguments: &[&str]| {
        let tool =
            lab.home.tool("ip").args(["netns", "exec", &namespace, "curl", "--silent", "--fail", "--max-time", "5"]);
        tool.args(arguments).run().ok().map(|output| output.text())
    };
    let service = "http://169.254.169.254/latest";
    let token =
        curl(&["-X", "PUT", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60", &format!("{service}/api/token")])?;
    curl(&["-H", &format!("X-aws-ec2-metadata-token: {token}"), &format!("{service}/meta-data/instance-id")])
}

fn kill_daemon(lab: &Lab) {
    let pid = lab.status()["pid"].as_u64().expect("a process id");
    let daemon = Process::find(u32::try_from(pid).expect("a process id")).expect("it runs");
    daemon.signal(Signal::KILL);
    daemon.wait_for_end(SOON).expect("it is dead");
}
