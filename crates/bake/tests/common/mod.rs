//! What the system tests share: a base tree, made once and kept, and a place to work in.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_bake::ansible::Event;
use ovenbird_bake::ansible::Playbook;
use ovenbird_bake::ansible::PlaybookError;
use ovenbird_bake::ansible::PlaybookOutcome;
use ovenbird_bake::ansible::run_playbook;
use ovenbird_bake::sandbox::Layers;
use ovenbird_bake::sandbox::Options;
use ovenbird_bake::sandbox::PackageCache;
use ovenbird_bake::sandbox::Sandbox;
use ovenbird_bake::sandbox::Tmp;
use ovenbird_disk::mount::Mount;
use ovenbird_disk::tool::Tool;

/// What times are clamped to in these tests, where it matters: 2026-01-01.
pub const EPOCH: i64 = 1_767_225_600;

/// A folder of its own for a test, over the shared base tree.
pub struct Bench {
    pub base: PathBuf,
    pub cache: PathBuf,
    pub work: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let cache = cache_folder();
        let base = base_tree(&cache);
        Self { base, cache, work: tempfile::tempdir().expect("a folder to work in") }
    }

    pub fn layers(&self, name: &str) -> Layers {
        let folder = |kind: &str| {
            let folder = self.work.path().join(name).join(kind);
            fs::create_dir_all(&folder).expect("a layer's folder");
            folder
        };
        Layers { lower: vec![self.base.clone()], upper: folder("upper"), work: folder("work") }
    }

    pub fn packages(&self) -> PackageCache {
        PackageCache { lists: self.cache.join("lists"), archives: self.cache.join("archives") }
    }

    pub fn options(&self, name: &str) -> Options {
        let room = self.work.path().join(name).join("room");
        Options {
            bake: format!("test-{name}"),
            room,
            packages: Some(self.packages()),
            tmp: Tmp::OfItsOwn,
            epoch: EPOCH,
        }
    }

    pub fn sandbox(&self, name: &str) -> Sandbox {
        Sandbox::start(&self.layers(name), &self.options(name)).expect("the sandbox starts")
    }

    /// Runs a playbook of this text in a sandbox of this name; all events are returned too.
    pub fn play(
        &self,
        sandbox: &Sandbox,
        name: &str,
        text: &str,
    ) -> (Result<PlaybookOutcome, PlaybookError>, Vec<Event>) {
        let project = self.work.path().join(name).join("project");
        fs::create_dir_all(&project).expect("the project's folder");
        fs::write(project.join("play.yml"), text).expect("written");
        self.run(sandbox, name, &Playbook::new("play.yml", project))
    }

    pub fn run(
        &self,
        sandbox: &Sandbox,
        name: &str,
        playbook: &Playbook,
    ) -> (Result<PlaybookOutcome, PlaybookError>, Vec<Event>) {
        let mut events = Vec::new();
        let work = self.work.path().join(name).join("ansible");
        let outcome = run_playbook(sandbox, playbook, &work, &mut |event| events.push(event));
        (outcome, events)
    }

    /// The tree that a layer shows, without anything of the sandbox's.
    pub fn merged(&self, layers: &Layers, name: &str) -> Mount {
        let target = self.work.path().join(name).join("merged");
        Mount::overlay(&layers.lower[0], &layers.upper, &layers.work, &target).expect("an overlay")
    }
}

/// The folder with `examples` and `ansible`.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Kept between runs: `OVENBIRD_TEST_CACHE`, else a folder next to the build's.
fn cache_folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-cache");
    let folder = std::env::var_os("OVENBIRD_TEST_CACHE").map_or_else(default, PathBuf::from).join("bake");
    fs::create_dir_all(&folder).expect("the cache folder");
    folder.canonicalize().expect("the cache folder's path")
}

/// A small Debian with what a cloud image has, as a plain tree. Made once, by whoever comes first.
fn base_tree(cache: &Path) -> PathBuf {
    let tree = cache.join("base");
    let lock = fs::File::create(cache.join("base.lock")).expect("the lock");
    lock.file().lock().expect("the lock is free sooner or later");
    if !tree.is_dir() {
        let half = cache.join("base.half");
        _ = fs::remove_dir_all(&half);
        Tool::new("mmdebstrap")
            .doing("make the tests' base tree")
            .args(["--variant=apt", "--format=directory"])
            .arg("--include=python3,systemd,systemd-sysv,dbus,openssh-server,cloud-init,sudo,ca-certificates,iproute2")
            .arg("bookworm")
            .arg(&half)
            .run()
            .expect("a base tree");
        fs::rename(&half, &tree).expect("the base tree is complete");
    }
    tree
}
