//! The login against a real sshd: it is waited for, its key is pinned, and commands go over one connection.

mod common;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use common::Bench;
use fs_err as fs;
use ovenbird_bake::sandbox::Sandbox;
use ovenbird_bake::ssh::Host;
use ovenbird_bake::ssh::KeyPair;
use ovenbird_bake::ssh::Login;
use ovenbird_bake::ssh::SshError;
use ovenbird_disk::tool::Guarded;
use ovenbird_disk::wait::wait_until;

/// A server of the base's own OpenSSH, on a port of this machine.
fn serve(sandbox: &Sandbox, port: u16) -> Guarded {
    sandbox.tool("/usr/bin/mkdir").args(["-p", "/run/sshd"]).run().expect("a folder");
    sandbox
        .tool("/usr/sbin/sshd")
        .args(["-D", "-e", "-o", "ListenAddress=127.0.0.1", "-o", "UsePAM=no", "-p", &port.to_string()])
        .spawn_guarded(Stdio::null())
        .expect("a server")
}

fn new_host_keys(sandbox: &Sandbox) {
    let renew = "rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -A";
    sandbox.tool("/bin/sh").args(["-c", renew]).run().expect("host keys");
}

fn authorize(sandbox: &Sandbox, pair: &KeyPair) {
    let folder = sandbox.root().join("root/.ssh");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("authorized_keys"), format!("{}\n", pair.public)).expect("written");
    fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("changed");
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port()
}

fn login(folder: &Path, pair: &KeyPair, port: u16) -> Login {
    let host = Host {
        address: "127.0.0.1".to_owned(),
        port,
        user: "root".to_owned(),
        name: "i-0123456789abcdef0".to_owned(),
        bastion: None,
    };
    Login::new(host, &pair.private, folder, &format!("test-{}-{port}", std::process::id()))
}

#[test]
fn one_connection_to_one_key_serves_all_commands() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("ssh");
    let dir = tempfile::tempdir().expect("a folder");
    let pair = KeyPair::ensure(dir.path(), "bake-test").expect("a key");
    let port = free_port();
    let login = login(dir.path(), &pair, port);
    // Nobody listens yet, then a server comes whose key is not final, then the key is: the login waits it out.
    let refused = login.ensure_connected(Duration::from_secs(1)).expect_err("nobody listens");
    assert!(matches!(&refused, SshError::Unreachable { last, .. } if last.contains("refused")), "{refused}");
    new_host_keys(&sandbox);
    let early = serve(&sandbox, port);
    let denied = login.ensure_connected(Duration::from_secs(2)).expect_err("the key is not there yet");
    assert!(matches!(&denied, SshError::Unreachable { last, .. } if last.contains("Permission denied")), "{denied}");
    drop(early);
    new_host_keys(&sandbox);
    authorize(&sandbox, &pair);
    let server = serve(&sandbox, port);
    let started = Instant::now();
    login.ensure_connected(Duration::from_secs(20)).expect("a login");
    println!("logged in after {:.2} s", started.elapsed().as_secs_f64());

    let started = Instant::now();
    for _ in 0..10 {
        assert_eq!(login.command("say a word", "printf %s word").run().expect("it runs").text(), "word");
    }
    let each = started.elapsed() / 10;
    println!("a command takes {:.0} ms", each.as_secs_f64() * 1000.0);
    assert_eq!(login.command_as_root("fail", "exit 3").run().expect_err("it fails").code(), Some(3));
    let late = login.command("sleep", "sleep 60").deadline(Duration::from_millis(300)).run().expect_err("too long");
    assert!(late.to_string().contains("still running"), "{late}");

    a_lost_connection_is_told_from_an_exit_code(&login);
    the_connection_dies_with_whoever_made_it(dir.path(), &pair, port);

    // The same address with another key is another machine.
    login.close();
    drop(server);
    new_host_keys(&sandbox);
    let _server = serve(&sandbox, port);
    let up = || std::net::TcpStream::connect(("127.0.0.1", port)).ok();
    wait_until(Duration::from_secs(10), Duration::from_millis(20), up).expect("it listens");
    let other = login.ensure_connected(Duration::from_secs(1)).expect_err("the key is not the pinned one");
    assert!(other.to_string().contains("Host key verification failed"), "{other}");
    login.close();
}

/// ssh ends with 255 for both. A shell's parent is what serves its connection.
fn a_lost_connection_is_told_from_an_exit_code(login: &Login) {
    let code_of = |script: &str| login.command("end", script).run().expect_err("it does not end well").code();
    assert_eq!(code_of("exit 255"), Some(255));
    assert!(!login.was_lost(255));
    assert_eq!(code_of("kill -KILL $PPID; sleep 60"), Some(255));
    assert!(login.was_lost(255) && !login.was_lost(3));
    login.ensure_connected(Duration::from_secs(20)).expect("a connection again");
    assert!(!login.was_lost(255));
}

/// A thread that ends is to its children as a process that is killed: nothing is closed, and nothing lives on.
fn the_connection_dies_with_whoever_made_it(folder: &Path, pair: &KeyPair, port: u16) {
    let folder = folder.join("other");
    fs::create_dir_all(&folder).expect("made");
    let host = Host { name: "i-0123456789abcdef1".to_owned(), ..login(&folder, pair, port).host().clone() };
    let bake = format!("test-{}-killed", std::process::id());
    let login = Login::new(host, &pair.private, &folder, &bake);
    let made = login.clone();
    std::thread::spawn(move || {
        made.ensure_connected(Duration::from_secs(20)).expect("a login");
        assert_eq!(count_processes_of(made.bake()), 1, "one holds the connection");
        // Whoever is killed drops nothing.
        std::mem::forget(made);
    })
    .join()
    .expect("it logs in");
    let none = || (count_processes_of(&bake) == 0).then_some(());
    wait_until(Duration::from_secs(5), Duration::from_millis(20), none).expect("none holds it any more");
    login.close();
}

/// Processes whose environment names the bake.
fn count_processes_of(bake: &str) -> usize {
    let marker = format!("OVENBIRD_BAKE={bake}").into_bytes();
    let entries = fs::read_dir("/proc").expect("processes").flatten();
    let has_marker = |entry: &fs::DirEntry| {
        fs::read(entry.path().join("environ")).is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == marker))
    };
    entries.filter(has_marker).count()
}
