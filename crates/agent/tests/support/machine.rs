//! A folder that looks like an instance of a baked image, and the real agent run on it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use ovenbird_agent::settings::Root;
use tempfile::TempDir;

/// Takes everything that the demo's image takes.
pub const SCHEMA: &str = r#"{
    "service": "web",
    "environments": ["dev", "prod"],
    "extra": {"volume_id": "volume", "central_logging": "boolean"},
    "parameters": [{"name": "banner", "parameter": "/web/{environment}/banner", "default": "hello"}],
    "volumes": {"volume_id": {"mount": "/srv/data", "format": "ext4"}}
}"#;

/// Where `/dev` and `/sys/block` of the pretend instance have the disk of [`super::VOLUME`].
pub const DISK: &str = "nvme1n1";

pub struct Machine {
    folder: TempDir,
    pub root: Root,
}

impl Drop for Machine {
    /// Before its folder is removed: what is mounted in it must not be removed with it.
    fn drop(&mut self) {
        _ = command("umount").arg("--quiet").arg(self.path().join("srv/data")).output();
    }
}

pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// The last line of the console.
    pub fn line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "tests run the agent itself and the system's tools to prepare disks")]
    Command::new(program)
}

/// Runs a tool of the system that must succeed, and answers what it printed.
pub fn tool(line: &[&str]) -> String {
    let output = command(line[0]).args(&line[1..]).output().unwrap();
    assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Machine {
    /// An image with the schema above and a boot play; its `ansible-playbook` is a script.
    pub fn with_play(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Root(folder.path().to_owned());
        fs::create_dir_all(root.boot()).unwrap();
        fs::write(root.schema(), SCHEMA).unwrap();
        fs::write(root.boot().join("playbook.yml"), "[]").unwrap();
        let machine = Self { folder, root };
        machine.put_program("ansible-playbook", script);
        machine
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A program that this machine has before all others.
    pub fn put_program(&self, name: &str, script: &str) {
        let path = self.programs().join(name);
        fs::create_dir_all(self.programs()).unwrap();
        fs::write(&path, format!("#!/bin/sh\nROOT={}\n{script}\n", self.path().display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A `systemctl` that mounts what a mount unit says.
    pub fn put_systemctl(&self) {
        self.put_program(
            "systemctl",
            r#"[ "$1" = start ] || exit 0
unit="$ROOT/run/systemd/system/$2"
value() { sed -n "s/^$1=//p" "$unit"; }
exec mount -t "$(value Type)" -o "$(value Options)" "$(value What)" "$(value Where)""#,
        );
    }

    fn programs(&self) -> PathBuf {
        self.path().join("test-programs")
    }

    /// Shows `node` as the disk with a volume's serial.
    pub fn put_disk(&self, node: &Path, volume_id: &str) {
        let sysfs = self.path().join("sys/block").join(DISK).join("device");
        fs::create_dir_all(&sysfs).unwrap();
        fs::write(sysfs.join("serial"), format!("{}\n", volume_id.replace('-', ""))).unwrap();
        let dev = self.path().join("dev");
        fs::create_dir_all(&dev).unwrap();
        std::os::unix::fs::symlink(node, dev.join(DISK)).unwrap();
    }

    pub fn start(&self, prefix: &[&str], endpoint: &str, arguments: &[&str]) -> Child {
        let words: Vec<&str> =
            [prefix, &[env!("CARGO_BIN_EXE_ovenbird-agent"), "--root", self.path().to_str().unwrap()], arguments]
                .concat();
        let path = format!("{}:{}", self.programs().display(), std::env::var("PATH").unwrap());
        let mut agent = command(words[0]);
        agent.args(&words[1..]).env("PATH", path).env("OVENBIRD_METADATA_ENDPOINT", endpoint);
        agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn agent(&self, endpoint: &str, arguments: &[&str]) -> Ended {
        end(self.start(&[], endpoint, arguments))
    }

    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.path(path)).ok()
    }
}

pub fn end(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
