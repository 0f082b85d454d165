//! The rules of sealing (reference boot.md 1.6, offline.md 4.4).

use std::io;
use std::path::Path;

use fs_err as fs;

use crate::root::Root;

/// One thing that is put right.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name in messages.
    pub name: &'static str,
    /// Why an image needs it.
    pub why: &'static str,
    act: fn(&Root) -> io::Result<()>,
}

impl Rule {
    pub(super) fn apply(&self, root: &Root) -> io::Result<()> {
        (self.act)(root)
    }
}

/// The rule that empties `/tmp`, which layers of one bake may share until the last.
pub const TEMPORARY_FILES: &str = "temporary-files";

/// All rules. Their order does not matter.
pub const RULES: &[Rule] = &[
    Rule {
        name: "machine-id",
        why: "each instance makes its own; the file stays, empty, so that the first boot is not taken for a first installation",
        act: |root| {
            root.ensure_file("etc/machine-id")?;
            root.rewrite("etc/machine-id", b"")?;
            // A link to the other one is right; a file is a copy.
            if root.stat_file("var/lib/dbus/machine-id")?.is_some() {
                root.remove("var/lib/dbus/machine-id")
            } else {
                Ok(())
            }
        },
    },
    Rule {
        name: "ssh-host-keys",
        why: "instances that share a host key can pretend to be each other; cloud-init makes new ones",
        act: |root| remove_matching(root, "etc/ssh", |name| name.starts_with("ssh_host_")),
    },
    Rule {
        name: "random-seed",
        why: "a seed that two instances share is no seed",
        act: |root| {
            let seeds =
                ["var/lib/systemd/random-seed", "var/lib/systemd/credential.secret", "var/lib/urandom/random-seed"];
            seeds.iter().try_for_each(|seed| root.remove(seed))
        },
    },
    Rule {
        name: "cloud-init",
        why: "cloud-init must not take a new instance for the one that was baked on; scripts that the play put there stay",
        act: |root| {
            remove_given_hostname(root)?;
            let state = ["instance", "instances", "data", "sem", "handlers"];
            state.iter().try_for_each(|name| root.remove(Path::new("var/lib/cloud").join(name)))?;
            let written = ["etc/netplan/50-cloud-init.yaml", "etc/network/interfaces.d/50-cloud-init"];
            written.iter().try_for_each(|file| root.remove(file))?;
            keep_lines(root, "etc/fstab", |line| !line.contains("comment=cloudconfig"))?;
            // With the time of the boot.
            keep_lines(root, "etc/sudoers.d/90-cloud-init-users", |line| !line.starts_with("# Created by cloud-init"))
        },
    },
    Rule {
        name: "logs",
        why: "they tell of the bake, not of the instance; files stay, since some services need theirs with its owner and mode",
        act: clear_logs,
    },
    Rule {
        name: "package-lists",
        why: "lists are of the bake's day, and an instance fetches nothing; a stamp would differ from bake to bake",
        act: |root| {
            let is_list = |name: &str| !matches!(name, "lock" | "partial" | "auxfiles");
            remove_matching(root, "var/lib/apt/lists", is_list)?;
            root.clear("var/lib/apt/lists/partial")?;
            root.clear("var/lib/apt/periodic")?;
            remove_matching(root, "var/cache/apt", |name| name.ends_with(".bin"))?;
            remove_matching(root, "var/cache/apt/archives", |name| name.ends_with(".deb"))?;
            root.clear("var/cache/apt/archives/partial")
        },
    },
    Rule {
        name: "old-copies",
        why: "what a tool kept of a file before its last change depends on how often it changed it",
        act: |root| {
            let accounts = ["passwd-", "group-", "shadow-", "gshadow-", "subuid-", "subgid-"];
            accounts.iter().try_for_each(|name| root.remove(Path::new("etc").join(name)))?;
            remove_matching(root, "var/lib/dpkg", |name| name.ends_with("-old"))?;
            remove_matching(root, "var/cache/debconf", |name| name.ends_with("-old"))?;
            root.clear("var/backups")
        },
    },
    Rule {
        name: "homes",
        why: "histories and caches of whoever worked on the image",
        act: |root| homes(root)?.iter().try_for_each(|home| clear_home(root, home)),
    },
    Rule {
        name: TEMPORARY_FILES,
        why: "they were for the bake",
        act: |root| ["tmp", "var/tmp"].iter().try_for_each(|folder| root.clear(folder)),
    },
    Rule {
        name: "leases",
        why: "an address is the instance's own",
        act: |root| {
            root.clear("var/lib/dhcp")?;
            remove_matching(root, "var/lib/NetworkManager", |name| name.ends_with(".lease"))
        },
    },
    Rule {
        name: "resolver",
        why: "the name servers of the machine that bakes are nobody else's business; a resolver that a play wrote stays",
        act: |root| {
            let own = root.read("etc/resolv.conf")?;
            let leaked = own.is_some() && own == fs::read("/etc/resolv.conf").ok();
            if leaked { root.rewrite("etc/resolv.conf", b"") } else { Ok(()) }
        },
    },
    Rule {
        name: "caches",
        why: "ldconfig's cache of inode numbers and times differs from bake to bake, and is made again when it is missing",
        act: |root| root.remove("var/cache/ldconfig/aux-cache"),
    },
    Rule {
        name: "run-state",
        why: "what a timer, sudo or the agent remembers is of the machine that it ran on",
        act: |root| {
            let folders = ["var/lib/systemd/timers", "var/lib/sudo/lectured", "var/lib/ovenbird/instance"];
            folders.iter().try_for_each(|folder| root.clear(folder))?;
            remove_matching(root, "var/lib/ovenbird/metrics", |name| name.ends_with(".prom"))
        },
    },
];

/// What a shell, a tool or Ansible leaves in a home folder.
const LEFT_AT_HOME: [&str; 9] = [
    ".ansible",
    ".ansible_async",
    ".bash_history",
    ".cache",
    ".lesshst",
    ".python_history",
    ".sudo_as_admin_successful",
    ".viminfo",
    ".wget-hsts",
];

fn clear_home(root: &Root, home: &Path) -> io::Result<()> {
    LEFT_AT_HOME.iter().try_for_each(|name| root.remove(home.join(name)))
}

/// The home folders of root and of people.
pub(super) fn homes(root: &Root) -> io::Result<Vec<std::path::PathBuf>> {
    let people = root.list("home")?.into_iter().map(|name| Path::new("home").join(name));
    Ok(std::iter::once("root".into()).chain(people).collect())
}

fn remove_matching(root: &Root, folder: &str, want: impl Fn(&str) -> bool) -> io::Result<()> {
    let folder = Path::new(folder);
    root.list(folder)?.iter().filter(|name| want(name)).try_for_each(|name| root.remove(folder.join(name)))
}

fn keep_lines(root: &Root, file: &str, keep: impl Fn(&str) -> bool) -> io::Result<()> {
    let Some(content) = root.read(file)? else { return Ok(()) };
    let text = String::from_utf8_lossy(&content);
    let kept: String = text.split_inclusive('\n').filter(|line| keep(line)).collect();
    root.rewrite(file, kept.as_bytes())
}

/// The name that cloud-init gave the instance, which is that of its address. It notes which one that was; a name that a play gave stays.
fn remove_given_hostname(root: &Root) -> io::Result<()> {
    let read =
        |file: &str| Ok::<_, io::Error>(root.read(file)?.map(|text| String::from_utf8_lossy(&text).into_owned()));
    let (Some(name), Some(noted)) = (read("etc/hostname")?, read("var/lib/cloud/data/set-hostname")?) else {
        return Ok(());
    };
    if noted.contains(&format!("\"{}\"", name.trim())) { root.remove("etc/hostname") } else { Ok(()) }
}

fn clear_logs(root: &Root) -> io::Result<()> {
    root.clear("var/log/journal")?;
    for (file, _) in root.walk("var/log")? {
        if is_rotated(&file) { root.remove(&file)? } else { root.rewrite(&file, b"")? }
    }
    Ok(())
}

fn is_rotated(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    matches!(&*extension, "gz" | "xz" | "zst" | "bz2" | "old") || extension.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal;
    use crate::testing::put;
    use crate::tree::Tree;

    /// A tree with a trace for every rule, and things that must stay.
    fn used() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for (path, content) in [
            ("etc/machine-id", "0123456789abcdef\n"),
            ("var/lib/dbus/machine-id", "0123456789abcdef\n"),
            ("etc/ssh/ssh_host_ed25519_key", "private"),
            ("etc/ssh/sshd_config", "stays"),
            ("etc/fstab", "UUID=1 / ext4 defaults 0 1\n/dev/xvdb /mnt auto defaults,comment=cloudconfig 0 2\n"),
            ("etc/passwd-", "old"),
            ("etc/hostname", "ip-10-0-0-7\n"),
            ("var/lib/cloud/data/set-hostname", "{\n \"hostname\": \"ip-10-0-0-7\"\n}\n"),
            ("etc/sudoers.d/90-cloud-init-users", "# Created by cloud-init v. 22.4.2 on Tue\n\nadmin ALL=(ALL) ALL\n"),
            ("var/lib/systemd/random-seed", "seed"),
            ("var/lib/cloud/instances/i-1/obj.pkl", "state"),
            ("var/lib/cloud/scripts/per-boot/mine", "stays"),
            ("var/log/syslog", "words"),
            ("var/log/syslog.1", "words"),
            ("var/log/journal/abc/system.journal", "words"),
            ("var/lib/apt/lists/x_InRelease", "list"),
            ("var/lib/dpkg/status-old", "old"),
            ("var/lib/dpkg/status", "stays"),
            ("var/cache/ldconfig/aux-cache", "cache"),
            ("root/.bash_history", "ls"),
            ("root/.profile", "stays"),
            ("home/ada/.ansible/tmp/x", "x"),
            ("tmp/x/y", "x"),
            ("var/lib/dhcp/dhclient.leases", "lease"),
        ] {
            put(dir.path(), path, content);
        }
        dir
    }

    #[test]
    fn removes_the_traces_and_keeps_the_rest() {
        let dir = used();
        seal(dir.path()).expect("sealed");
        let left: Vec<_> = walkdir::WalkDir::new(dir.path()).sort_by_file_name().into_iter().flatten().collect();
        let files = left.iter().filter(|entry| entry.file_type().is_file());
        let files: Vec<_> =
            files.map(|file| file.path().strip_prefix(dir.path()).expect("inside").display().to_string()).collect();
        let wanted = [
            "etc/fstab",
            "etc/machine-id",
            "etc/ssh/sshd_config",
            "etc/sudoers.d/90-cloud-init-users",
            "root/.profile",
            "var/lib/cloud/scripts/per-boot/mine",
            "var/lib/dpkg/status",
            "var/log/syslog",
        ];
        assert_eq!(files, wanted);
        let read = |path: &str| fs::read_to_string(dir.path().join(path)).expect("read");
        assert_eq!((read("etc/machine-id").as_str(), read("var/log/syslog").as_str()), ("", ""));
        assert_eq!(read("etc/fstab"), "UUID=1 / ext4 defaults 0 1\n");
        assert_eq!(read("etc/sudoers.d/90-cloud-init-users"), "\nadmin ALL=(ALL) ALL\n");
    }

    #[test]
    fn a_hostname_of_the_plays_stays() {
        let dir = used();
        put(dir.path(), "etc/hostname", "nest\n");
        seal(dir.path()).expect("sealed");
        assert_eq!(fs::read_to_string(dir.path().join("etc/hostname")).expect("read"), "nest\n");
    }

    #[test]
    fn sealing_twice_is_sealing_once() {
        let dir = used();
        seal(dir.path()).expect("sealed");
        let once = Tree::scan(dir.path()).expect("a tree");
        seal(dir.path()).expect("sealed again");
        assert_eq!(Tree::scan(dir.path()).expect("a tree"), once);
        assert_eq!(RULES.iter().map(|rule| rule.name).collect::<std::collections::BTreeSet<_>>().len(), RULES.len());
    }
}
