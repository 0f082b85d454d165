//! What the engines' tests share: a machine of a real disk, and a guard that leaves nothing behind.

use std::net::Ipv4Addr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::base;
use ovenbird_local::engine::AttachedVolume;
use ovenbird_local::engine::Engine;
use ovenbird_local::engine::Machine;
use ovenbird_local::metadata::InstanceFacts;
use ovenbird_local::metadata::MetadataSource;
use ovenbird_local::metadata::RoleCredentials;

/// An instance's metadata that never change.
struct Source {
    facts: InstanceFacts,
}

impl MetadataSource for Source {
    fn facts(&self) -> InstanceFacts {
        self.facts.clone()
    }

    fn credentials(&self) -> Option<RoleCredentials> {
        Some(RoleCredentials {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            token: "session".to_owned(),
            expiration: self.now() + jiff::SignedDuration::from_hours(6),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the edge where time enters a test")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A machine that is stopped, whatever the test does. Its files lie in a temporary folder.
pub(crate) struct Lab<'a> {
    pub(crate) machine: Machine,
    engine: &'a dyn Engine,
    folder: tempfile::TempDir,
}

/// How the name of a machine's folder begins; the engine, the process id and the number follow.
const PREFIX: &str = "ovenbird-engine-";

impl<'a> Lab<'a> {
    /// A machine of a copy of the test disk. `number` makes ids and addresses: it must be the test's own.
    pub(crate) fn new(engine: &'a dyn Engine, number: u8, api_port: u16) -> Self {
        end_dead(engine);
        Self::of_process(engine, std::process::id(), number, api_port)
    }

    /// That of a test in the process `pid`.
    pub(crate) fn of_process(engine: &'a dyn Engine, pid: u32, number: u8, api_port: u16) -> Self {
        let prefix = format!("{PREFIX}{}-{pid}-{number}-", engine.name());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir().unwrap();
        let private_key = folder.path().join("key");
        Tool::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&private_key).run().unwrap();
        let public_key = fs_err::read_to_string(private_key.with_extension("pub")).unwrap();
        let mut machine = machine(folder.path(), (pid, number), public_key);
        machine.api_port = api_port;
        let copy = ["--sparse=always", "--reflink=auto"];
        Tool::new("cp").args(copy).arg(test_disk()).arg(&machine.root_disk).run().unwrap();
        fs_err::create_dir_all(&machine.folder).unwrap();
        Self { machine, engine, folder }
    }

    /// A new volume of 64 MiB of zeros.
    pub(crate) fn volume(&self, volume_id: &str) -> AttachedVolume {
        let file = self.folder.path().join(volume_id);
        fs_err::File::create(&file).unwrap().into_file().set_len(64 << 20).unwrap();
        AttachedVolume { volume_id: volume_id.to_owned(), device: "/dev/sdf".to_owned(), file }
    }

    /// The private key of the instance's key pair.
    pub(crate) fn private_key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// Type and body of the public key.
    pub(crate) fn public_key(&self) -> String {
        let text = fs_err::read_to_string(self.private_key().with_extension("pub")).unwrap();
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn console(&self) -> String {
        String::from_utf8_lossy(&self.engine.console(&self.machine)).into_owned()
    }

    /// Waits until the console says `text`.
    pub(crate) fn wait_for_console(&self, text: &str, deadline: Duration) {
        let found = wait_until(deadline, Duration::from_millis(50), || self.console().contains(text).then_some(()));
        assert!(found.is_ok(), "no `{text}` within {deadline:?} in:\n{}", self.console());
    }

    /// Everything that a machine holds, by name; empty when it is gone.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = Vec::new();
        let folder = self.folder.path().display().to_string();
        let loops = Tool::new("losetup")
            .even_if_interrupted()
            .args(["--noheadings", "--output", "NAME,BACK-FILE"])
            .run()
            .unwrap()
            .text();
        left.extend(loops.lines().filter(|line| line.contains(&folder)).map(|line| format!("loop device {line}")));
        let mounts = fs_err::read_to_string("/proc/self/mountinfo").unwrap();
        left.extend(mounts.lines().filter(|line| line.contains(&folder)).map(|line| format!("mount {line}")));
        let ours = ovenbird_local::network::list_ours();
        left.extend(ours.into_iter().filter(|name| *name == self.machine.namespace));
        let marker = format!("{}={}", ovenbird_local::engine::MARKER, self.machine.instance_id);
        for process in fs_err::read_dir("/proc").unwrap().flatten() {
            let environment = fs_err::read(process.path().join("environ")).unwrap_or_default();
            if environment.split(|byte| *byte == 0).any(|variable| variable == marker.as_bytes()) {
                left.push(format!("process {}", process.path().display()));
            }
        }
        let routes = Tool::new("ip")
            .even_if_interrupted()
            .args(["route", "show", &self.machine.private_ip.to_string()])
            .run()
            .unwrap()
            .text();
        left.extend((!routes.is_empty()).then_some(routes));
        for hierarchy in ["", "systemd", "unified"] {
            let group = Path::new("/sys/fs/cgroup").join(hierarchy).join("ovenbird").join(&self.machine.instance_id);
            left.extend(group.exists().then(|| group.display().to_string()));
        }
        left
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.engine.stop(&self.machine) {
            eprintln!("{error}: {:?}", error.source);
        }
    }
}

/// Ends what the engine's tests have left whose process was killed: their machines run on.
pub(crate) fn end_dead(engine: &dyn Engine) {
    let prefix = format!("{PREFIX}{}-", engine.name());
    let find = |name: &str| {
        let mut parts = name.strip_prefix(&prefix)?.split('-');
        Some((parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u8>().ok()?))
    };
    for entry in fs_err::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let Some((pid, number)) = entry.file_name().to_str().and_then(find) else { continue };
        if Path::new(&format!("/proc/{pid}")).exists() {
            continue;
        }
        match engine.stop(&machine(&entry.path(), (pid, number), String::new())) {
            Ok(()) => drop(fs_err::remove_dir_all(entry.path())),
            Err(error) => eprintln!("{error}: {:?}", error.source),
        }
    }
}

/// The machine whose files lie in `folder`. The process id keeps test runs apart that share a machine.
fn machine(folder: &Path, (pid, number): (u32, u8), public_key: String) -> Machine {
    let instance_id = format!("i-{pid:08x}0000000{number:02x}");
    let mac = format!("0a:ff:d3:00:00:{number:02x}");
    let private_ip = Ipv4Addr::new(172, 31, 250, number);
    let facts = InstanceFacts {
        instance_id: instance_id.clone(),
        image_id: "ami-0123456789abcdef0".to_owned(),
        instance_type: "t3.micro".to_owned(),
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        zone: "us-east-1a".to_owned(),
        zone_id: "use1-az1".to_owned(),
        private_ip: private_ip.to_string(),
        public_ip: None,
        mac: mac.clone(),
        architecture: "x86_64".to_owned(),
        pending_time: "2026-01-31T12:00:00Z".to_owned(),
        user_data: Some(br#"{"environment":"dev"}"#.to_vec()),
        security_groups: vec!["default".to_owned()],
        public_key: Some(("test-key".to_owned(), public_key)),
        role: Some("test-role".to_owned()),
        tokens_required: true,
        tags: None,
    };
    Machine {
        instance_id: instance_id.clone(),
        folder: folder.join("instance"),
        root_disk: folder.join("root.raw"),
        root_volume_id: "vol-0fffffffffffffff0".to_owned(),
        firmware: false,
        private_ip,
        mac,
        namespace: format!("ob-{}", instance_id.trim_start_matches("i-")),
        volumes: Vec::new(),
        metadata: Arc::new(Source { facts }),
        api_port: 1,
    }
}

/// The base that the other tests use too; made if it is missing.
fn test_disk() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-cache");
    let cache = std::env::var_os("OVENBIRD_TEST_CACHE").map_or_else(default, PathBuf::from).join("ovenbird/bases");
    base::build(&base::BasePlan::debian_12(), &cache, base::Reuse::Disk, &mut |_| {}).unwrap().disk
}
