//! An instance starts with the metadata service alone: the agent and the real `ansible-playbook` in a network namespace where
//! nothing but 169.254.169.254 exists (as root).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use rustix::thread::LinkNameSpaceType;
use rustix::thread::move_into_link_name_space;
use support::Fake;
use support::INSTANCE;
use support::machine::Machine;
use support::machine::command;
use support::machine::end;
use support::machine::tool;
use support::seconds;

const PLAY: &str = r"
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Read what the agent found out
      ansible.builtin.setup:
        gather_subset: ['!all', '!min', 'local']
        fact_path: '{{ playbook_dir }}/../../../../etc/ansible/facts.d'
    - name: Write the page
      ansible.builtin.copy:
        dest: '{{ playbook_dir }}/page'
        mode: '0644'
        content: '{{ ansible_local.ovenbird.environment }} {{ ansible_local.ovenbird.extra.note }} {{ ansible_local.ovenbird.parameters.banner }} {{ ansible_local.ovenbird.instance.id }}'
";

/// A network namespace with the link-local address of the metadata service and nothing else.
struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Self {
        let name = format!("ob-agent-{name}-{}", std::process::id());
        tool(&["ip", "netns", "add", &name]);
        let namespace = Self(name);
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace.ip(&["address", "add", "169.254.169.254/32", "dev", "lo"]);
        namespace
    }

    fn ip(&self, arguments: &[&str]) {
        tool(&[&["ip", "-n", &self.0], arguments].concat());
    }

    /// A listener inside; a socket stays in the namespace of its making.
    fn listen(&self) -> TcpListener {
        let path = format!("/run/netns/{}", self.0);
        let inside = thread::spawn(move || {
            let file = fs::File::open(path).unwrap();
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(LinkNameSpaceType::Network)).unwrap();
            TcpListener::bind("169.254.169.254:80").unwrap()
        });
        inside.join().unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        _ = command("ip").args(["netns", "delete", &self.0]).output();
    }
}

fn machine() -> Machine {
    let machine = Machine::with_play("exec /usr/bin/ansible-playbook \"$@\"");
    fs::write(machine.root.boot().join("playbook.yml"), PLAY).unwrap();
    fs::write(machine.root.boot().join("ansible.cfg"), "[defaults]\n").unwrap();
    let schema =
        fs::read_to_string(machine.root.schema()).unwrap().replace(r#""extra": {"#, r#""extra": {"note": "string", "#);
    fs::write(machine.root.schema(), schema).unwrap();
    machine
}

#[test]
fn system_a_boot_needs_the_metadata_service_alone() {
    let namespace = Namespace::new("alone");
    let fake = Fake::on(namespace.listen());
    // Parameter Store and EC2 are where they are in a region, and nothing leads there.
    fake.world().items.remove("meta-data/services/endpoint-url");
    let note = "{{ lookup('pipe', 'touch /tmp/ovenbird-was-here; echo hacked') }}";
    let user_data = serde_json::json!({"environment": "dev", "extra": {"note": note}});
    fake.world().user_data = Some(user_data.to_string().into_bytes());
    let machine = machine();

    let began = Instant::now();
    let ended = end(machine.start(&["ip", "netns", "exec", &namespace.0], "http://169.254.169.254", &["run"]));
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.line().starts_with(&format!("ovenbird: result=ok instance={INSTANCE}")), "{}", ended.stdout);
    // User data came through as data, and the parameter as its default.
    let page = machine.read("/usr/lib/ovenbird/boot/page").unwrap();
    assert_eq!(page, format!("dev {note} hello {INSTANCE}"));
    assert!(!std::path::Path::new("/tmp/ovenbird-was-here").exists(), "user data was run");
    // 10 s for Parameter Store, 5 s for the tag, and the play itself.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn system_a_metadata_service_that_appears_late_is_awaited() {
    let namespace = Namespace::new("late");
    let machine = machine();
    fs::write(machine.root.schema(), r#"{"service":"web","environments":["dev"]}"#).unwrap();
    machine.put_program("ansible-playbook", "true");
    let agent = machine.start(&["ip", "netns", "exec", &namespace.0], "http://169.254.169.254", &["run"]);
    assert!(seconds(10.0).pause(Duration::from_secs(2)));
    let fake = Fake::on(namespace.listen());
    fake.world().user_data = Some(br#"{"environment":"dev"}"#.to_vec());
    fake.world().items.remove("meta-data/iam/security-credentials/");
    let ended = end(agent);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}
