//! What must not be in an image, or be missing from it.

use std::io;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::FileType;
use serde::Serialize;

use super::boot_play::find_network_use;
use super::rules::homes;
use crate::root::Root;

/// Something about an image that a person must look at. An image with lints is not registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lint {
    /// Its name, for `--allow`.
    pub name: &'static str,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// `name: sentence`
impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.sentence)
    }
}

/// What is demanded of an image besides what is demanded of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// File name of the kernel on the EFI system partition, such as `vmlinuz-6.1.0-37-cloud-amd64`; `None` where it boots otherwise.
    pub esp_kernel: Option<String>,
    /// Bytes that must be free on the root file system; meaningful only for a mounted disk.
    pub free_bytes: Option<u64>,
}

type Check = fn(&Root, &Demands) -> io::Result<Vec<String>>;

const CHECKS: [(&str, Check); 10] = [
    ("private-key", private_keys),
    ("authorized-keys", authorized_keys),
    ("machine-id", machine_id),
    ("ssh-host-keys", host_keys),
    ("cloud-init-state", cloud_init_state),
    ("user-data-is-code", user_data),
    ("journal-unbounded", journal),
    ("no-boot-play", boot_play),
    ("kernel-behind", kernel),
    ("no-room", room),
];

/// Looks for everything that is wrong with the tree at `root`; sorted. An image without the agent needs no boot play.
///
/// # Errors
/// When the tree cannot be read.
pub fn lint(root: &Path, demands: &Demands) -> io::Result<Vec<Lint>> {
    let root = Root::open(root)?;
    let mut lints = Vec::new();
    for (name, check) in CHECKS {
        lints.extend(check(&root, demands)?.into_iter().map(|sentence| Lint { name, sentence }));
    }
    let network = find_network_use(&root)?;
    lints.extend(network.into_iter().map(|what| Lint {
        name: "boot-network",
        sentence: format!("{what}; bake what it needs, so that an instance starts without anybody's help"),
    }));
    lints.sort();
    Ok(lints)
}

/// Where keys lie that nobody meant to bake. What packages ship below /usr is not of the bake.
const KEY_FOLDERS: [&str; 6] = ["etc", "home", "opt", "root", "srv", "var"];
/// No private key is larger (OpenSSH's with 16384 bits has 12 KB).
const LARGEST_KEY: i64 = 64 * 1024;

fn private_keys(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in KEY_FOLDERS {
        for (path, stat) in root.walk(folder)? {
            let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
            if !is_file || !(32..=LARGEST_KEY).contains(&stat.st_size) || is_host_key(&path) {
                continue;
            }
            let start = root.read_start(&path, 64)?.unwrap_or_default();
            if start.starts_with(b"-----BEGIN ") && String::from_utf8_lossy(&start).contains("PRIVATE KEY-----") {
                found.push(format!("/{} is a private key, which every instance would share; make it when an instance boots, or fetch it from Parameter Store", path.display()));
            }
        }
    }
    Ok(found)
}

/// They have a lint of their own.
fn is_host_key(path: &Path) -> bool {
    path.starts_with("etc/ssh") && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ssh_host_"))
}

fn authorized_keys(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for home in homes(root)? {
        for name in ["authorized_keys", "authorized_keys2"] {
            let file = home.join(".ssh").join(name);
            if root.stat_file(&file)?.is_some_and(|stat| stat.st_size > 0) {
                found.push(format!("/{} opens every instance to the bake's key; keys of people belong to /etc/ssh/authorized_keys.d, where the role ovenbird.base.users puts them", file.display()));
            }
        }
    }
    Ok(found)
}

fn machine_id(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    let wrong = match root.read("etc/machine-id")? {
        None => "is missing, so the first boot would be taken for a first installation",
        Some(id) if !id.is_empty() && id != b"uninitialized\n" => "is the bake's, and instances would share it",
        Some(_) => return Ok(Vec::new()),
    };
    Ok(vec![format!("/etc/machine-id {wrong}; sealing leaves it empty")])
}

fn host_keys(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    let keys = root.list("etc/ssh")?.into_iter().filter(|name| name.starts_with("ssh_host_"));
    Ok(keys
        .map(|name| format!("/etc/ssh/{name} is a host key that instances would share; sealing removes it"))
        .collect())
}

fn cloud_init_state(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    let has_state = root.has("var/lib/cloud/instance")? || !root.list("var/lib/cloud/instances")?.is_empty();
    let sentence =
        "/var/lib/cloud remembers an instance, so cloud-init might not set up the next one; sealing removes it";
    Ok(has_state.then(|| sentence.to_owned()).into_iter().collect())
}

fn user_data(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    if !root.has("usr/bin/cloud-init")? || cloud_setting(root, "allow_userdata")?.as_deref() == Some("false") {
        return Ok(Vec::new());
    }
    Ok(vec!["cloud-init would run user data as code: /etc/cloud/cloud.cfg.d has no `allow_userdata: false`; the role ovenbird.base.agent sets it".to_owned()])
}

fn boot_play(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    if !root.has("usr/bin/ovenbird-agent")? || root.has("usr/lib/ovenbird/boot/playbook.yml")? {
        return Ok(Vec::new());
    }
    Ok(vec!["no instance would provision itself: the image has the agent, and no /usr/lib/ovenbird/boot/playbook.yml; the role ovenbird.base.boot in the service's play puts it there".to_owned()])
}

/// A top-level setting as cloud-init reads it: the last file in the alphabet wins.
fn cloud_setting(root: &Root, key: &str) -> io::Result<Option<String>> {
    let folder = Path::new("etc/cloud/cloud.cfg.d");
    let parts = root.list(folder)?.into_iter().filter(|name| name.ends_with(".cfg")).map(|name| folder.join(name));
    let mut setting = None;
    for file in std::iter::once(PathBuf::from("etc/cloud/cloud.cfg")).chain(parts) {
        let text = root.read(&file)?.unwrap_or_default();
        let documents = crate::yaml::parse(&String::from_utf8_lossy(&text)).unwrap_or_default();
        setting = documents.iter().find_map(|node| Some(node.get(key)?.text()?.to_lowercase())).or(setting);
    }
    Ok(setting)
}

fn journal(root: &Root, _: &Demands) -> io::Result<Vec<String>> {
    let mut files = vec![PathBuf::from("etc/systemd/journald.conf")];
    for folder in ["etc/systemd/journald.conf.d", "usr/lib/systemd/journald.conf.d"] {
        files.extend(root.list(folder)?.into_iter().map(|name| Path::new(folder).join(name)));
    }
    for file in &files {
        let text = root.read(file)?.unwrap_or_default();
        if String::from_utf8_lossy(&text).lines().any(|line| line.trim().starts_with("SystemMaxUse=")) {
            return Ok(Vec::new());
        }
    }
    let sentence = "the journal may take a tenth of the disk: no journald.conf sets SystemMaxUse; the role ovenbird.base.logging does";
    Ok(if root.has("usr/lib/systemd/systemd-journald")? { vec![sentence.to_owned()] } else { Vec::new() })
}

fn kernel(root: &Root, demands: &Demands) -> io::Result<Vec<String>> {
    let Some(booted) = &demands.esp_kernel else { return Ok(Vec::new()) };
    let mut kernels: Vec<_> = root.list("boot")?.into_iter().filter(|name| name.starts_with("vmlinuz-")).collect();
    kernels.sort_by(|one, two| compare_versions(one, two));
    Ok(match kernels.last() {
        Some(newest) if newest != booted => {
            vec![format!(
                "the newest kernel is {newest}, but the image would boot {booted}, which is on the EFI system partition"
            )]
        }
        _ => Vec::new(),
    })
}

/// Numbers count as numbers: 6.1.0-9 is older than 6.1.0-37.
fn compare_versions(one: &str, two: &str) -> std::cmp::Ordering {
    let parts = |text: &str| -> Vec<Result<u64, String>> {
        text.split(['.', '-', '+', '~', '_']).map(|part| part.parse().map_err(|_| part.to_owned())).collect()
    };
    parts(one).cmp(&parts(two))
}

fn room(root: &Root, demands: &Demands) -> io::Result<Vec<String>> {
    let Some(wanted) = demands.free_bytes else { return Ok(Vec::new()) };
    let free = root.free_bytes()?;
    let mib = |bytes: u64| bytes / (1024 * 1024);
    let sentence =
        format!("the root disk has {} MiB free and an instance needs {}; use a larger volume", mib(free), mib(wanted));
    Ok((free < wanted).then_some(sentence).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal;
    use crate::testing::put;

    fn good() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, content) in [
            ("etc/machine-id", ""),
            ("etc/cloud/cloud.cfg", "users: [default]\n"),
            ("etc/cloud/cloud.cfg.d/95-ovenbird.cfg", "allow_userdata: false\n"),
            ("usr/bin/cloud-init", ""),
            ("usr/lib/systemd/systemd-journald", ""),
            ("etc/systemd/journald.conf.d/50.conf", "[Journal]\nSystemMaxUse=200M\n"),
            ("boot/vmlinuz-6.1.0-9-cloud-amd64", ""),
            ("boot/vmlinuz-6.1.0-37-cloud-amd64", ""),
            (
                "usr/lib/ovenbird/boot/playbook.yml",
                "- hosts: localhost\n  vars: {package: x, git: y}\n  tasks:\n    - ansible.builtin.template: {src: a, dest: b}\n",
            ),
            ("etc/ssl/certs/public.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
        ] {
            put(dir.path(), path, content);
        }
        dir
    }

    fn demands() -> Demands {
        Demands { esp_kernel: Some("vmlinuz-6.1.0-37-cloud-amd64".to_owned()), free_bytes: Some(1) }
    }

    fn found(dir: &tempfile::TempDir) -> Vec<&'static str> {
        lint(dir.path(), &demands()).expect("linted").iter().map(|lint| lint.name).collect()
    }

    #[test]
    fn a_good_image_has_none() {
        assert_eq!(lint(good().path(), &demands()).expect("linted"), []);
    }

    #[test]
    fn each_fault_has_its_lint() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n";
        let task = |task: &str| format!("- hosts: localhost\n  tasks:\n    - block:\n        - {task}\n");
        let faults: [(&str, &str, String); 13] = [
            ("private-key", "root/.ssh/id_ed25519", key.to_owned()),
            (
                "private-key",
                "etc/ssl/private/x.key",
                "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n".to_owned(),
            ),
            ("authorized-keys", "home/admin/.ssh/authorized_keys", "ssh-ed25519 AAAA bake\n".to_owned()),
            ("machine-id", "etc/machine-id", "0123\n".to_owned()),
            ("ssh-host-keys", "etc/ssh/ssh_host_rsa_key", key.to_owned()),
            ("cloud-init-state", "var/lib/cloud/instances/i-1/x", String::new()),
            ("user-data-is-code", "etc/cloud/cloud.cfg.d/99-other.cfg", "allow_userdata: true\n".to_owned()),
            ("journal-unbounded", "etc/systemd/journald.conf.d/50.conf", "[Journal]\n#SystemMaxUse=\n".to_owned()),
            ("kernel-behind", "boot/vmlinuz-6.1.0-100-cloud-amd64", String::new()),
            ("boot-network", "usr/lib/ovenbird/boot/playbook.yml", task("apt: {name: x}")),
            ("boot-network", "usr/lib/ovenbird/boot/roles/r/tasks/main.yml", task("ansible.builtin.get_url: {url: x}")),
            (
                "boot-network",
                "usr/lib/ovenbird/boot/templates/x.j2",
                "{{ lookup('amazon.aws.aws_ssm', '/x') }}".to_owned(),
            ),
            ("boot-network", "usr/lib/ovenbird/boot/playbook.yml", task("local_action: git repo=x")),
        ];
        for (name, path, content) in faults {
            let dir = good();
            put(dir.path(), path, &content);
            assert_eq!(found(&dir), [name], "{path}");
        }
        let dir = good();
        put(dir.path(), "usr/bin/ovenbird-agent", "");
        assert_eq!(found(&dir), Vec::<&str>::new());
        fs_err::remove_file(dir.path().join("usr/lib/ovenbird/boot/playbook.yml")).expect("removed");
        assert_eq!(found(&dir), ["no-boot-play"]);
        let none = Demands { free_bytes: Some(u64::MAX), ..demands() };
        assert_eq!(lint(good().path(), &none).expect("linted")[0].name, "no-room");
    }

    #[test]
    fn sealing_mends_what_it_can() {
        let dir = good();
        put(dir.path(), "etc/machine-id", "0123\n");
        put(dir.path(), "etc/ssh/ssh_host_rsa_key", "x");
        put(dir.path(), "var/lib/cloud/instances/i-1/x", "x");
        seal(dir.path()).expect("sealed");
        assert_eq!(found(&dir), Vec::<&str>::new());
    }
}
