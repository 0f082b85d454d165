//! A service that bakes within seconds: two layers that copy a few files, and no packages.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ovenbird_bake::BakePath;
use ovenbird_bake::Request;
use ovenbird_bake::find_resumable;
use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Guarded;
use ovenbird_disk::wait::wait_until;
use ovenbird_template::Context;
use ovenbird_template::Source;
use ovenbird_template::Variables;
use ovenbird_template::parse;
use rustix::process::Signal;

use super::random::Random;
use crate::support::Lab;
use crate::support::Leftover;
use crate::support::agent;
use crate::support::days_from_now;
use crate::support::now;
use crate::support::processes_with;
use crate::support::repository;

const PROJECT: &str = r#"
environments = ["dev"]
region = "us-east-1"
[services.light]
template = "light.json"
"#;

const TEMPLATE: &str = r#"{
  "builders": [{
    "type": "amazon-ebs",
    "region": "us-east-1",
    "source_ami_filter": {"filters": {"name": "debian-12-amd64-*"}, "owners": ["136693071363"], "most_recent": true},
    "instance_type": "t3.micro",
    "ssh_username": "admin",
    "ami_name": "light {{uuid}}"OPTIONS
  }],
  "provisioners": [PROVISIONERS]
}"#;

const PLAYS: &str = r#"
    {"type": "ansible", "playbook_file": "one.yml"},
    {"type": "ansible", "playbook_file": "two.yml"}"#;

/// The same content without Ansible, which takes its time. The first layer's file in `/tmp` is the second one's.
const FILES: &str = r#"
    {"type": "file", "sources": ["one", "two"], "destination": "/tmp"},
    {"type": "shell", "inline": ["mv /tmp/one /tmp/two /opt", "rm /opt/one/1"]}"#;

const PLAYBOOK: &str = "
- hosts: all
  gather_facts: false
  tasks:
    - name: A few files
      ansible.builtin.copy:
        src: NAME/
        dest: /opt/NAME/
        mode: preserve
";

/// The same on an instance, where it is not root who logs in. Its time is the sealing's, so it is little.
const FILES_BY_SUDO: &str = r#"
    {"type": "file", "sources": ["one", "two"], "destination": "/tmp"},
    {"type": "shell", "inline": ["sudo mv /tmp/one /tmp/two /opt", "sudo rm /opt/one/1"]}"#;

/// What everything that is launched carries.
const RUN_TAGS: &str = r#", "run_tags": {"team": "birds"}"#;

/// What becomes of a finished image.
const FINISHED: &str = r#",
    "ami_users": ["111122223333"],
    "snapshot_users": ["444455556666"],
    "deprecate_at": "NEXT-YEAR",
    "deregistration_protection": {"enabled": true},
    "ami_regions": ["eu-west-1"]"#;

const REPLACING: &str = r#", "spot_price": "auto", "force_deregister": true, "force_delete_snapshot": true"#;

fn finished() -> String {
    // AWS takes no date that is more than ten years away.
    FINISHED.replace("NEXT-YEAR", &format!("{}T03:04:00Z", &days_from_now(365)[..10]))
}

/// Bytes of each of a playbook's files.
const FILE: usize = 2 << 20;

/// The service, in a lab that has a base.
pub struct Light<'a> {
    pub lab: &'a Lab,
    path: Option<BakePath>,
    random: Random,
    started: Cell<u32>,
}

impl<'a> Light<'a> {
    pub fn of_plays(lab: &'a Lab, random: Random) -> Self {
        Self::new(lab, random, None, (PLAYS, ""))
    }

    pub fn of_files(lab: &'a Lab, random: Random) -> Self {
        Self::new(lab, random, None, (FILES, ""))
    }

    /// The same, with an image that is shared, deprecated in years, protected, and copied to another region.
    pub fn finished(lab: &'a Lab, random: Random) -> Self {
        Self::new(lab, random, None, (FILES, &finished()))
    }

    /// On an instance, with an image that is finished as well.
    pub fn launched(lab: &'a Lab, random: Random) -> Self {
        Self::new(lab, random, Some(BakePath::Launch), (FILES_BY_SUDO, &(RUN_TAGS.to_owned() + &finished())))
    }

    /// On an instance of the spot market, with an image that replaces the one before.
    pub fn replacing(lab: &'a Lab, random: Random) -> Self {
        let light = Self::new(lab, random, Some(BakePath::Launch), (FILES_BY_SUDO, REPLACING));
        lab.home.edit("light.json", "light {{uuid}}", "light");
        light
    }

    fn new(lab: &'a Lab, random: Random, path: Option<BakePath>, (provisioners, options): (&str, &str)) -> Self {
        lab.home.write("ovenbird.toml", PROJECT);
        lab.home.write("light.json", TEMPLATE.replace("PROVISIONERS", provisioners).replace("OPTIONS", options));
        let light = Self { lab, path, random, started: Cell::new(0) };
        for name in ["one", "two"] {
            lab.home.write(&format!("{name}.yml"), PLAYBOOK.replace("NAME", name));
        }
        light.change();
        light
    }

    /// Gives both playbooks other files, so that the next bake has to run both.
    pub fn change(&self) {
        for name in ["one", "two"] {
            for number in 0..3 {
                self.lab.home.write(&format!("{name}/{number}"), self.random.bytes(FILE));
            }
        }
    }

    /// What `ovenbird bake light` asks the library for; with `--resume`, where a bake is named.
    pub fn request(&self, resume: Option<&str>) -> Request {
        let home = &self.lab.home;
        let resumed = resume.map(|bake| {
            let all = find_resumable(&home.bake_folders()).expect("bakes");
            all.into_iter().find(|found| found.bake == bake).expect("it was cut off")
        });
        let seed = || u64::from_ne_bytes(self.random.bytes(8).try_into().expect("8 bytes"));
        let (now, seed) = resumed.as_ref().map_or_else(|| (now(), seed()), |resumed| (resumed.now, resumed.seed));
        let directory = home.project();
        let context = Context {
            instant: now,
            template_dir: directory.display().to_string(),
            pwd: directory.display().to_string(),
            environment: BTreeMap::new(),
            seed,
        };
        let text = fs_err::read_to_string(directory.join("light.json")).expect("the template");
        let recipe =
            parse(&Source::new("light.json", &text), &Variables::default(), &context).expect("a good template");
        Request {
            service: "light".to_owned(),
            build: recipe.builds[0].clone(),
            recipe,
            directory,
            folders: home.bake_folders(),
            agent: agent(),
            collections: repository().join("ansible"),
            account: ovenbird_local::DEFAULT_ACCOUNT.to_owned(),
            now,
            wall: now,
            path: self.path,
            seed,
            plain_ansible: false,
            rebuild: resumed.is_some_and(|resumed| resumed.rebuild),
            max_age: None,
            keep_on_failure: false,
            pointed: BTreeMap::new(),
            // Lists that grow old during a test would give a bake more steps than the one before it.
            keep_lists: true,
            watch: Arc::default(),
            has_person: false,
            resume: resume.map(str::to_owned),
        }
    }

    /// Starts a bake, which goes on by itself.
    pub fn start_bake(&self) -> Bake<'a> {
        match self.path {
            Some(BakePath::Launch) => self.start(["bake", "light", "--no-pointer", "--json", "--launch"]),
            _ => self.start(["bake", "light", "--no-pointer", "--json"]),
        }
    }

    /// Starts `ovenbird` with these arguments.
    pub fn start<const N: usize>(&self, arguments: [&str; N]) -> Bake<'a> {
        self.started.set(self.started.get() + 1);
        let mark = format!("{}-{}", self.lab.home.path().display(), self.started.get());
        let tool = self.lab.home.ovenbird(arguments).env(BAKE_MARKER, &mark);
        let process = tool.spawn_guarded(Stdio::piped()).expect("it starts");
        Bake { lab: self.lab, process, mark: format!("{BAKE_MARKER}={mark}") }
    }
}

const BAKE_MARKER: &str = "OVENBIRD_TEST_BAKE";

/// A bake under way.
pub struct Bake<'a> {
    lab: &'a Lab,
    pub process: Guarded,
    mark: String,
}

impl Bake<'_> {
    /// Sends a signal to the process alone, not to its group.
    pub fn signal(&self, signal: Signal) {
        Process::find(self.process.pid()).expect("it runs").signal(signal);
    }

    /// How it ended, if it does within `deadline`.
    pub fn find_end(&mut self, deadline: Duration) -> Option<ExitStatus> {
        wait_until(deadline, Duration::from_millis(5), || self.process.try_wait()).ok()
    }

    /// Its processes, and the mounts of its folder that any process sees.
    pub fn leftovers(&self) -> Vec<Leftover> {
        let folder = self.lab.home.bakes();
        let mut marks = vec![self.mark.clone(), folder.display().to_string()];
        marks.extend(self.lab.list_bakes().iter().map(|bake| format!("OVENBIRD_BAKE={bake}")));
        let marks: Vec<&str> = marks.iter().map(String::as_str).collect();
        let mounts = crate::support::find_leftovers(&self.lab.home, &[]);
        let mounts = mounts.into_iter().filter(|left| matches!(left, Leftover::Mount { .. } | Leftover::Loop { .. }));
        processes_with(&marks, &[]).into_iter().chain(mounts).collect()
    }
}
