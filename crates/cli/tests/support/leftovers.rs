//! What a test could leave on the machine, and how it goes.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use ovenbird_core::block::Digest;
use ovenbird_disk::process::Process;
use ovenbird_disk::tool::Tool;
use rustix::process::Signal;

use super::Home;

/// Something that should be gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leftover {
    Process {
        pid: u32,
        command: String,
    },
    /// A mount, with a process that sees it.
    Mount {
        pid: u32,
        target: String,
    },
    Loop {
        device: PathBuf,
        file: String,
    },
    Namespace {
        name: String,
    },
    /// A network interface of this machine.
    Wire {
        name: String,
    },
    Group {
        path: PathBuf,
    },
}

impl Leftover {
    /// Takes it away by force, so that a test that failed disturbs nobody.
    pub fn remove(&self) {
        let tool = |name: &str| Tool::new(name).even_if_interrupted();
        match self {
            Self::Process { pid, .. } => {
                Process::find(*pid).into_iter().for_each(|process| process.signal(Signal::KILL));
            }
            Self::Mount { target, .. } => drop(tool("umount").args(["--lazy", target]).run()),
            Self::Loop { device, .. } => drop(tool("losetup").arg("--detach").arg(device).run()),
            Self::Namespace { name } => drop(tool("ip").args(["netns", "delete", name]).run()),
            Self::Wire { name } => drop(tool("ip").args(["link", "delete", "dev", name]).run()),
            Self::Group { path } => drop(fs_err::remove_dir(path)),
        }
    }
}

/// What is left of the test and of its `instances`.
pub fn find_leftovers(home: &Home, instances: &[String]) -> Vec<Leftover> {
    let folder = home.path().display().to_string();
    let mut left: Vec<Leftover> = processes_with(&[&home.marker(), &folder], instances);
    left.extend(mounts_below(&folder));
    left.extend(loops_below(&folder));
    for id in instances {
        left.extend(networks_of(id));
        let hierarchies =
            ["", "systemd", "unified"].map(|name| Path::new("/sys/fs/cgroup").join(name).join("ovenbird").join(id));
        left.extend(hierarchies.into_iter().filter(|path| path.exists()).map(|path| Leftover::Group { path }));
    }
    left.sort();
    left
}

/// Processes that have one of these texts in their environment or command line or in the path of their folder or root, or are in a
/// control group of one of the instances.
pub fn processes_with(texts: &[&str], instances: &[String]) -> Vec<Leftover> {
    let is_of = |pid: &u32| {
        let file = |name: &str| fs_err::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let link = |name: &str| {
            fs_err::read_link(format!("/proc/{pid}/{name}")).unwrap_or_default().into_os_string().into_encoded_bytes()
        };
        let told = [file("environ"), file("cmdline"), link("cwd"), link("root"), link("exe")].join(&0);
        let groups = file("cgroup");
        texts.iter().any(|text| has(&told, text)) || instances.iter().any(|id| has(&groups, id))
    };
    let pids = pids().into_iter().filter(|pid| *pid != std::process::id()).filter(is_of);
    let living = pids.filter_map(Process::find);
    living.map(|process| Leftover::Process { pid: process.pid, command: command(process.pid) }).collect()
}

/// Mounts below `folder` in any mount namespace of this machine.
pub(super) fn mounts_below(folder: &str) -> Vec<Leftover> {
    let mut found = BTreeMap::new();
    for pid in pids() {
        let mounts = fs_err::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        let targets = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        found.extend(targets.filter(|target| target.starts_with(folder)).map(|target| (target.to_owned(), pid)));
    }
    found.into_iter().map(|(target, pid)| Leftover::Mount { pid, target }).collect()
}

fn loops_below(folder: &str) -> Vec<Leftover> {
    let entries = fs_err::read_dir("/sys/block").expect("block devices").flatten();
    let file = |entry: &fs_err::DirEntry| {
        fs_err::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default().trim().to_owned()
    };
    let found = entries.map(|entry| (Path::new("/dev").join(entry.file_name()), file(&entry)));
    found.filter(|(_, file)| file.starts_with(folder)).map(|(device, file)| Leftover::Loop { device, file }).collect()
}

/// The network namespaces of an instance, and this machine's ends of the wires to them.
fn networks_of(instance: &str) -> Vec<Leftover> {
    let name = &instance[instance.len() - 10..];
    let entries = fs_err::read_dir("/run/netns").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|found| found.contains(name));
    let namespace = format!("ob-{name}");
    let wire = format!("obv{}", &Digest::of(namespace.as_bytes()).hex()[..12]);
    let wires = Path::new("/sys/class/net").join(&wire).exists().then_some(Leftover::Wire { name: wire });
    names.map(|name| Leftover::Namespace { name }).chain(wires).collect()
}

fn pids() -> Vec<u32> {
    let entries = fs_err::read_dir("/proc").expect("processes").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn command(pid: u32) -> String {
    let command = fs_err::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).replace('\0', " ").trim().chars().take(200).collect()
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
