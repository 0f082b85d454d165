//! The example's two layers for real: Ansible, apt, sealing, applying; twice, and the trees are one.

#![allow(clippy::print_stdout, reason = "the times of the phases are part of what this test shows")]

mod common;

use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use common::Bench;
use common::repository;
use fs_err as fs;
use ovenbird_bake::ansible::Event;
use ovenbird_bake::ansible::Playbook;
use ovenbird_bake::ansible::Status;
use ovenbird_bake::apply::apply;
use ovenbird_bake::archive;
use ovenbird_bake::packages::list_packages;
use ovenbird_bake::sandbox::Layers;
use ovenbird_bake::sandbox::Sandbox;
use ovenbird_bake::seal::Demands;
use ovenbird_bake::seal::lint;
use ovenbird_bake::seal::seal;
use ovenbird_bake::tree::Tree;
use ovenbird_disk::tool::Tool;

/// Says what took how long; `cargo test -- --nocapture` shows it.
struct Clock(Instant);

impl Clock {
    fn phase(&mut self, name: &str) {
        println!("{:6.2} s  {name}", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

fn playbook(file: &str) -> Playbook {
    let mut playbook = Playbook::new(file, repository().join("examples"));
    playbook.collections = vec![repository().join("ansible")];
    // Any program will do: it is not run here.
    playbook.env = vec![("OVENBIRD_AGENT".to_owned(), "/bin/true".to_owned())];
    playbook
}

/// Bakes both layers over a copy of the base; the folder is the result.
fn bake(bench: &Bench, name: &str, epoch: i64) -> PathBuf {
    let mut clock = Clock(Instant::now());
    let disk = bench.work.path().join(name).join("disk");
    fs::create_dir_all(disk.parent().expect("a parent")).expect("made");
    Tool::new("cp").args(["-a", "--reflink=auto"]).arg(&bench.base).arg(&disk).run().expect("a copy of the base");
    clock.phase("copy the base");
    for file in ["common.yml", "web/web.yml"] {
        let name = format!("{name}/{}", file.replace('/', "-"));
        let layers = Layers { lower: vec![disk.clone()], ..bench.layers(&name) };
        let mut options = bench.options(&name);
        options.epoch = epoch;
        let sandbox = Sandbox::start(&layers, &options).expect("a sandbox");
        clock.phase("start the sandbox");
        let (outcome, events) = bench.run(&sandbox, &name, &playbook(file));
        outcome.unwrap_or_else(|error| panic!("{error}"));
        let done =
            events.iter().filter(|event| matches!(event, Event::TaskDone { status, .. } if *status != Status::Skipped));
        clock.phase(&format!("run {file}, {} tasks", done.count()));
        assert_eq!(sandbox.processes().expect("a list"), [], "nothing is left running");
        sandbox.stop().expect("the sandbox ends");
        clock.phase("end the sandbox");
        let merged = bench.merged(&layers, &name);
        seal(merged.target()).expect("sealed");
        clock.phase("seal");
        let shown = Tree::scan(merged.target()).expect("the merged tree");
        merged.unmount().expect("nothing holds it");
        clock.phase("digest of the merged tree");
        let applied = apply(&layers.upper, &disk, epoch).expect("applied");
        clock.phase(&format!("apply: {applied:?}"));
        let is = Tree::scan(&disk).expect("the disk's tree");
        assert_eq!(shown.differences(&is), [].into(), "the disk is what the overlay showed");
        let again = apply(&layers.upper, &disk, epoch).expect("applied again");
        assert_eq!((again.created, again.changed, again.removed, again.written), (0, 0, 0, 0), "{again:?}");
        clock.phase("checks");
    }
    disk
}

fn assert_is_an_image(disk: &Path) {
    let lints = lint(disk, &Demands { esp_kernel: None, free_bytes: Some(1) }).expect("linted");
    assert_eq!(lints, []);
    for path in [
        "usr/bin/ovenbird-agent",
        "usr/bin/ansible-playbook",
        "usr/lib/ovenbird/schema.json",
        "usr/lib/ovenbird/boot/playbook.yml",
        "usr/lib/ovenbird/boot/templates/index.html.j2",
        "etc/systemd/system/multi-user.target.wants/ovenbird-agent.service",
        "etc/systemd/system/multi-user.target.wants/nginx.service",
        "etc/ssh/authorized_keys.d/ada",
    ] {
        assert!(fs::symlink_metadata(disk.join(path)).is_ok(), "{path}");
    }
    for path in [
        "usr/sbin/policy-rc.d",
        "etc/dpkg/dpkg.cfg.d/ovenbird-bake",
        "etc/apt/apt.conf.d/99ovenbird-bake",
        "root/.ansible",
    ] {
        assert!(fs::symlink_metadata(disk.join(path)).is_err(), "{path} is not for the image");
    }
    let fact = fs::read_link(disk.join("etc/ansible/facts.d/ovenbird.fact")).expect("a link");
    assert_eq!(fact, Path::new("/run/ovenbird/facts.json"));
    assert!(list_packages(disk).expect("packages").contains_key("nginx-light"));
    let archives = fs::read_dir(disk.join("var/cache/apt/archives")).expect("read").flatten();
    assert_eq!(archives.filter(|entry| entry.path().extension().is_some_and(|end| end == "deb")).count(), 0);
}

#[test]
fn two_bakes_of_the_same_inputs_are_the_same_tree() {
    let bench = Bench::new();
    let mut clock = Clock(Instant::now());
    let lists = bench.work.path().join("lists");
    archive::refresh(std::slice::from_ref(&bench.base), &bench.packages(), &lists, "bake-test")
        .expect("the package lists");
    clock.phase("fetch the package lists");
    let epoch = archive::newest(&bench.packages().lists).expect("read").expect("an archive has a date");
    let one = bake(&bench, "one", epoch);
    assert_is_an_image(&one);
    let volume = bench.work.path().join("volume");
    fs::create_dir(&volume).expect("made");
    let page = boot(&bench, &one, "i-1", &volume);
    assert!(page.contains("<dd id=\"environment\">dev") && page.contains("<dd id=\"greeting\">laid on i-1"), "{page}");
    assert!(page.contains("&lt;b&gt;{{ lookup("), "{page}");
    let page = boot(&bench, &one, "i-2", &volume);
    assert!(page.contains("<dd id=\"instance\">i-2") && page.contains("laid on i-1"), "{page}");
    let two = bake(&bench, "two", epoch);
    let (one, two) = (Tree::scan(&one).expect("a tree"), Tree::scan(&two).expect("a tree"));
    assert_eq!(one.differences(&two), [].into());
    assert_eq!(one.digest(), two.digest());
}

/// The boot play as an instance runs it: the image's own Ansible, facts from the agent's file, and no network at all.
fn boot(bench: &Bench, disk: &Path, instance: &str, volume: &Path) -> String {
    let name = format!("boot-{instance}");
    let layers = Layers { lower: vec![disk.to_owned()], ..bench.layers(&name) };
    let sandbox = Sandbox::start(&layers, &bench.options(&name)).expect("a sandbox");
    let facts = serde_json::json!({
        "service": "web",
        "environment": "dev",
        "extra": { "central_logging": false, "banner": "<b>{{ lookup('pipe', 'touch /srv/pwned') }}</b>", "volume_id": "vol-1" },
        "parameters": {},
        "instance": { "id": instance },
        "volumes": { "volume_id": { "id": "vol-1", "path": "/srv/data" } },
    });
    let script = "set -e; mkdir -p /run/ovenbird; cat >/run/ovenbird/facts.json; \
                  cd /usr/lib/ovenbird/boot && ANSIBLE_CONFIG=$PWD/ansible.cfg ANSIBLE_INVENTORY=/dev/null ansible-playbook playbook.yml";
    let inside = |script: &str, input: &str| {
        let offline = Tool::new("unshare").arg("--net").arg(sandbox.enter_program()).arg(sandbox.root());
        offline
            .args(["/bin/sh", "-c", script])
            .stdin_bytes(input)
            .run()
            .unwrap_or_else(|error| panic!("{error}"))
            .text()
    };
    let greeting = volume.join("greeting.txt");
    if let Ok(text) = fs::read_to_string(&greeting) {
        inside("cat >/srv/data/greeting.txt", &text);
    }
    let started = Instant::now();
    inside(script, &facts.to_string());
    println!("{:6.2} s  boot play", started.elapsed().as_secs_f64());
    fs::write(greeting, inside("cat /srv/data/greeting.txt", "") + "\n").expect("written");
    assert_eq!(inside("ls /srv", ""), "data", "user data is data");
    let page = inside("cat /var/www/html/index.html", "");
    sandbox.stop().expect("it ends");
    page
}
