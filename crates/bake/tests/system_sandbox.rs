//! The sandbox for real: the traps of reference offline.md 4.2, its walls, and its end. Needs root.

mod common;

use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Stdio;
use std::time::Duration;

use common::Bench;
use fs_err as fs;
use ovenbird_bake::ansible::Event;
use ovenbird_bake::ansible::Status;
use ovenbird_bake::sandbox::BAKE_VARIABLE;
use ovenbird_bake::sandbox::Sandbox;
use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;

/// What a shell inside says.
fn sh(sandbox: &Sandbox, script: &str) -> String {
    sandbox.tool("/bin/sh").args(["-c", script]).run().unwrap_or_else(|error| panic!("{error}")).text()
}

/// Processes of any name space that carry the bake's id.
fn strays(bake: &str) -> Vec<String> {
    let mark = format!("{BAKE_VARIABLE}={bake}");
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let environs = processes.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
    environs
        .map(|environ| String::from_utf8_lossy(&environ).into_owned())
        .filter(|text| text.split('\0').any(|one| one == mark))
        .collect()
}

#[test]
fn services_are_enabled_and_never_started() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("services");
    let play = "
- hosts: all
  gather_facts: true
  become: true
  handlers:
    - name: again
      service: {name: demo, state: restarted}
  tasks:
    - assert: {that: [ansible_service_mgr == 'systemd', ansible_is_chroot, ansible_hostname == 'localhost']}
    - copy:
        dest: /etc/systemd/system/demo.service
        content: |
          [Service]
          ExecStart=/bin/sleep 1000
          [Install]
          WantedBy=multi-user.target
      notify: again
    - copy:
        dest: /etc/init.d/demo
        mode: '0755'
        content: |
          #!/bin/sh
          ### BEGIN INIT INFO
          # Provides: demo
          # Required-Start:
          # Required-Stop:
          # Default-Start: 2 3 4 5
          # Default-Stop: 0 1 6
          ### END INIT INFO
          touch /var/tmp/started
          setsid sleep 1000 >/dev/null 2>&1 </dev/null &
    - systemd: {daemon_reload: true}
    - service: {name: demo, state: started, enabled: true}
    - systemd: {name: demo.service, state: restarted}
    - command: invoke-rc.d demo start
    - command: sudo systemctl daemon-reload
    - command: sudo -u nobody id -un
      register: nobody
    - assert: {that: nobody.stdout == 'nobody'}
    - stat: {path: /var/tmp/started}
      register: started
    - assert: {that: not started.stat.exists}
";
    let (outcome, events) = bench.play(&sandbox, "services", play);
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((outcome.stats.failures, outcome.stats.ignored), (0, 0));
    let restarted = |event: &Event| matches!(event, Event::TaskDone { task, status: Status::Ok | Status::Changed, .. } if task.name == "again");
    assert!(events.iter().any(restarted), "the handler ran, and did nothing: {events:?}");
    assert_eq!(sandbox.processes().expect("a list"), []);
    let wanted = bench.work.path().join("services/upper/etc/systemd/system/multi-user.target.wants/demo.service");
    assert!(wanted.is_symlink(), "it is enabled");
    sandbox.stop().expect("it ends");
}

#[test]
fn what_is_left_running_is_known_and_ends_with_it() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("strays");
    sh(
        &sandbox,
        "setsid sleep 987 >/dev/null 2>&1 </dev/null & cd /srv && setsid sh -c 'exec 9>/srv/held; sleep 986' >/dev/null 2>&1 </dev/null & sleep 0.2",
    );
    let left: Vec<_> = sandbox.processes().expect("a list").into_iter().map(|(_, command)| command).collect();
    assert!(
        left.iter().any(|command| command == "sleep 987") && left.iter().any(|command| command == "sleep 986"),
        "{left:?}"
    );
    let layers = bench.layers("strays");
    sandbox.stop().expect("it ends");
    assert_eq!(strays("test-strays"), Vec::<String>::new());
    // The same upper can be used at once, and let go at once.
    for round in 0..3 {
        let merged = bench.merged(&layers, "strays");
        assert!(merged.target().join("srv/held").exists());
        merged.unmount().unwrap_or_else(|error| panic!("round {round}: {error}"));
        Sandbox::start(&layers, &bench.options("strays")).expect("it starts again").stop().expect("it ends again");
    }
    let mounts = fs::read_to_string("/proc/self/mounts").expect("the mounts");
    assert!(!mounts.contains(&*bench.work.path().to_string_lossy()), "{mounts}");
}

#[test]
fn nothing_of_the_host_is_in_reach() {
    let bench = Bench::new();
    let host_name = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let sandbox = bench.sandbox("walls");
    assert_eq!(sh(&sandbox, "cat /proc/1/comm; ls /proc/1/root; ls /proc/1/root/.."), "sh\nimage\nimage");
    assert_eq!(
        sh(&sandbox, "ls /dev"),
        "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero"
    );
    for attempt in [
        "mknod /tmp/disk b 8 0",
        "mount -t tmpfs x /mnt",
        "mount -t devtmpfs x /mnt",
        "umount /proc",
        "hostname intruder",
        "echo 1 >/proc/sys/kernel/panic",
        "echo 0 >/sys/kernel/mm/ksm/run",
        "ip link add dummy0 type dummy",
        "date -s 2000-01-01",
        "nsenter -t 1 -m true",
        "unshare -m true",
        "touch /proc/1/root/x",
    ] {
        assert_eq!(
            sh(&sandbox, &format!("({attempt}) >/dev/null 2>&1 && echo done || echo refused")),
            "refused",
            "{attempt}"
        );
    }
    // There is no machine to restart, and a script that says so goes on.
    for command in ["reboot", "shutdown -r now", "systemctl --force --force reboot"] {
        let said = sh(&sandbox, &format!("{command} 2>&1 && echo and on"));
        assert!(said.starts_with("Running in chroot, ignoring") && said.ends_with("and on"), "{command}: {said}");
    }
    // A chroot can be left by root; this one only leads into the empty room around it.
    let escape = "import os; os.mkdir('/tmp/x'); os.chroot('/tmp/x'); [os.chdir('..') for _ in range(50)]; os.chroot('.'); print(os.listdir('/'))";
    let python = sandbox.tool("python3").args(["-c", escape]).run().expect("python runs");
    assert_eq!(python.text(), "['image']");
    let env = sh(&sandbox, "env");
    assert!(
        env.contains("SYSTEMD_OFFLINE=1") && env.contains("OVENBIRD_BAKE=test-walls") && !env.contains("CARGO"),
        "{env}"
    );
    assert_eq!(sh(&sandbox, "stat -c %a /tmp /run/lock /dev/shm | tr '\\n' ' '"), "1777 1777 1777");
    sandbox.stop().expect("it ends");
    assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").expect("a name"), host_name);
}

#[test]
fn the_shield_is_seen_and_never_in_the_image() {
    let bench = Bench::new();
    let sandbox = bench.sandbox("shield");
    assert_eq!(
        sh(&sandbox, "/usr/sbin/policy-rc.d; echo $?; cat /etc/dpkg/dpkg.cfg.d/ovenbird-bake"),
        "101\nforce-unsafe-io"
    );
    let resolver = fs::read_to_string("/etc/resolv.conf").expect("a resolver");
    assert_eq!(sh(&sandbox, "cat /etc/resolv.conf"), resolver.trim());
    // What the play itself puts there is the image's.
    sh(
        &sandbox,
        "printf 'nameserver 192.0.2.1\\n' >/tmp/r && mv /tmp/r /etc/resolv.conf && rm /usr/sbin/policy-rc.d && touch /usr/sbin/mine",
    );
    sandbox.stop().expect("it ends");
    let merged = bench.merged(&bench.layers("shield"), "shield");
    let read = |path: &str| fs::read_to_string(merged.target().join(path)).ok();
    assert_eq!(read("etc/resolv.conf").as_deref(), Some("nameserver 192.0.2.1\n"));
    assert_eq!((read("usr/sbin/policy-rc.d"), read("etc/dpkg/dpkg.cfg.d/ovenbird-bake")), (None, None));
    assert_eq!(read("usr/sbin/mine").as_deref(), Some(""));
    merged.unmount().expect("nothing holds it");
}

#[test]
fn packages_are_shared_and_a_play_cannot_take_them_away() {
    let bench = Bench::new();
    let (lists, archives) = (bench.work.path().join("cache/lists"), bench.work.path().join("cache/archives"));
    for (folder, name) in [(&lists, "x_InRelease"), (&archives, "one_1_all.deb")] {
        fs::create_dir_all(folder).expect("made");
        fs::write(folder.join(name), "kept").expect("written");
    }
    let mut options = bench.options("cache");
    options.packages = Some(ovenbird_bake::sandbox::PackageCache { lists: lists.clone(), archives: archives.clone() });
    let sandbox = Sandbox::start(&bench.layers("cache"), &options).expect("it starts");
    let seen = sh(
        &sandbox,
        "cat /var/lib/apt/lists/x_InRelease; ls /var/cache/apt/archives; rm -rf /var/lib/apt/lists/*; apt-get clean; \
                             ls /var/cache/apt/archives; echo new >/var/cache/apt/archives/two_1_all.deb",
    );
    assert!(seen.starts_with("keptone_1_all.deb"), "{seen}");
    sandbox.stop().expect("it ends");
    assert_eq!(fs::read_to_string(lists.join("x_InRelease")).expect("still there"), "kept");
    assert_eq!(fs::read_to_string(archives.join("one_1_all.deb")).expect("still there"), "kept");
    assert_eq!(fs::read_to_string(archives.join("two_1_all.deb")).expect("kept for others"), "new\n");
    assert!(!bench.work.path().join("cache/upper/var/cache/apt/archives").exists(), "none of it is in the image");
}

#[test]
fn a_tree_that_is_no_image_is_refused() {
    let bench = Bench::new();
    let mut layers = bench.layers("empty");
    layers.lower = vec![bench.work.path().join("nothing")];
    fs::create_dir(&layers.lower[0]).expect("made");
    let error = Sandbox::start(&layers, &bench.options("empty")).expect_err("no image");
    assert_eq!(error.to_string(), "the image has no /bin/sh; is it a root file system?");
    layers.lower = vec![bench.work.path().join("a,b")];
    let error = Sandbox::start(&layers, &bench.options("comma")).expect_err("no path");
    assert!(error.to_string().contains("work in another folder"), "{error}");
    assert_eq!(strays("test-empty"), Vec::<String>::new());
}

/// Not a test: what the next one kills.
#[test]
#[ignore = "started by the next test"]
fn holds_a_sandbox() {
    if std::env::var_os("OVENBIRD_TEST_HOLD").is_none() {
        return;
    }
    let bench = Bench::new();
    let sandbox = bench.sandbox("orphan");
    sh(&sandbox, "setsid sleep 985 >/dev/null 2>&1 </dev/null & sleep 0.1");
    for (pid, _) in sandbox.processes().expect("a list") {
        println!("\nheld {pid}");
    }
    println!("\nready {}", bench.work.path().display());
    _ = wait_until(Duration::from_secs(60), Duration::from_secs(1), || None::<()>);
}

#[test]
fn it_dies_with_whoever_started_it() {
    let this = std::env::current_exe().expect("this program");
    let holder = Tool::new(this.to_string_lossy()).env("OVENBIRD_TEST_HOLD", "1").args([
        "--ignored",
        "--exact",
        "holds_a_sandbox",
        "--nocapture",
    ]);
    let mut holder = holder.spawn_guarded(Stdio::piped()).expect("it starts");
    let (mut held, mut work) = (Vec::new(), None);
    for line in BufReader::new(holder.take_stdout().expect("its output")).lines() {
        let line = line.expect("a line");
        if let Some(pid) = line.strip_prefix("held ") {
            held.extend(Process::find(pid.parse().expect("a number")));
        } else if let Some(path) = line.strip_prefix("ready ") {
            work = Some(path.to_owned());
            break;
        }
    }
    assert!(!held.is_empty(), "something runs in it: {}", holder.stderr_tail());
    holder.kill();
    for process in held {
        process.wait_for_end(Duration::from_secs(10)).expect("it went with its parent");
    }
    let work = work.expect("its folder");
    let mounts = fs::read_to_string("/proc/self/mounts").expect("the mounts");
    assert!(!mounts.contains(&work), "{mounts}");
    fs::remove_dir_all(work).expect("nothing holds its folder");
}
