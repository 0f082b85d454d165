//! The folders and the environment of a user who has just come.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use ovenbird_bake::Folders;
use ovenbird_disk::tool::Tool;

use super::Ran;

/// Every process that a test starts, and what those start, carries it; so what a test leaves can be told from all else.
pub const MARKER: &str = "OVENBIRD_TEST";

/// How the name of a test's folder begins; its process id follows.
pub const PREFIX: &str = "ovenbird-test-";

/// What is kept of the caller's environment: where programs are, and the way to package archives.
const KEPT: [&str; 4] = ["PATH", "http_proxy", "https_proxy", "no_proxy"];

/// No command may take longer; a virtual machine without KVM boots for minutes.
const DEADLINE: Duration = Duration::from_secs(720);

/// What is the same for every user, and kept in the cache: it takes minutes to fetch, or seconds to find out.
const SHARED: [&str; 3] = ["bases", "packages", "tools"];

/// A home folder, state, cache and project of its own. Of the cache, what is `SHARED` is one with all tests'.
pub struct Home {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Home {
    pub fn new() -> Self {
        Self::of_process(std::process::id())
    }

    /// That of a test in the process `pid`.
    pub fn of_process(pid: u32) -> Self {
        let prefix = format!("{PREFIX}{pid}-");
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("its real path, as the kernel names it");
        for name in ["home", "work", "cache/ovenbird"] {
            fs_err::create_dir_all(path.join(name)).expect("made");
        }
        for name in SHARED {
            let shared = shared_cache().join("ovenbird").join(name);
            fs_err::create_dir_all(&shared).expect("made");
            fs_err::os::unix::fs::symlink(shared, path.join("cache/ovenbird").join(name)).expect("linked");
        }
        Self { folder, path }
    }

    /// The folder that holds all that the test writes, but for what of the cache is shared.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What marks the test's processes.
    pub fn marker(&self) -> String {
        format!("{MARKER}={}", self.path.display())
    }

    /// Where commands are run: the project, where the test has one.
    pub fn project(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Makes the project a copy of `examples/`.
    pub fn copy_examples(&self) {
        Tool::new("cp").arg("-rT").arg(repository().join("examples")).arg(self.project()).run().expect("copied");
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.project().join(name);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(path, content).expect("written");
    }

    /// Replaces text in a file of the project; it must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs_err::read_to_string(self.project().join(name)).expect("read");
        assert!(text.contains(from), "{name} has no `{from}`:\n{text}");
        self.write(name, text.replace(from, to));
    }

    /// The embedded EC2's state.
    pub fn local_state(&self) -> PathBuf {
        self.path.join("state/ovenbird/local")
    }

    /// Where `ovenbird bake` keeps things.
    pub fn bake_folders(&self) -> Folders {
        Folders { cache: self.path.join("cache/ovenbird"), state: self.path.join("state/ovenbird/bake") }
    }

    /// The folders of bakes that run, or were cut off.
    pub fn bakes(&self) -> PathBuf {
        self.path.join("state/ovenbird/bake/bakes")
    }

    /// Where this user's cache keeps what the image behind `snapshot` holds, once it is known.
    pub fn contents_file(&self, snapshot: &str) -> PathBuf {
        self.bake_folders().cache.join("contents").join(format!("{snapshot}.json.gz"))
    }

    /// Makes it known what the image behind `snapshot` holds, as if it had been baked here.
    pub fn keep_contents(&self, snapshot: &str, json: &[u8]) {
        let file = self.contents_file(snapshot).with_extension("");
        fs_err::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs_err::write(&file, json).expect("written");
        Tool::new("gzip").arg("-f").arg(file).run().expect("packed");
    }

    /// Another program, with the user's environment.
    pub fn tool(&self, program: impl Into<String>) -> Tool {
        tool_in(&self.path, program).current_dir(self.project())
    }

    /// `ovenbird` with these arguments.
    pub fn ovenbird<'a>(&self, arguments: impl AsRef<[&'a str]>) -> Tool {
        self.tool(env!("CARGO_BIN_EXE_ovenbird")).args(arguments.as_ref())
    }

    /// Runs `ovenbird` to its end, whatever that is.
    pub fn run<'a>(&self, arguments: impl AsRef<[&'a str]>) -> Ran {
        let arguments = arguments.as_ref();
        Ran::of(&format!("ovenbird {}", arguments.join(" ")), self.ovenbird(arguments))
    }

    /// As [`Self::run`], at another time of the day.
    pub fn run_at<'a>(&self, now: &str, arguments: impl AsRef<[&'a str]>) -> Ran {
        let arguments = arguments.as_ref();
        let command = format!("OVENBIRD_NOW={now} ovenbird {}", arguments.join(" "));
        Ran::of(&command, self.ovenbird(arguments).env("OVENBIRD_NOW", now))
    }
}

/// A program with the environment of the user whose folder this is.
pub fn tool_in(folder: &Path, program: impl Into<String>) -> Tool {
    let mut tool = Tool::new(program).env_clear().deadline(DEADLINE);
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            tool = tool.env(name, value);
        }
    }
    tool.env(MARKER, folder)
        .env("HOME", folder.join("home"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("OVENBIRD_AGENT", agent())
}

/// The folder with `examples` and `ansible`.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Kept between runs, so that a base is built once: `OVENBIRD_TEST_CACHE`, else a folder beside the build's.
pub(super) fn shared_cache() -> PathBuf {
    let folder =
        std::env::var_os("OVENBIRD_TEST_CACHE").map_or_else(|| repository().join("target/test-cache"), PathBuf::from);
    fs_err::create_dir_all(&folder).expect("the cache folder");
    folder.canonicalize().expect("the cache folder's path")
}

/// The static agent: where `OVENBIRD_AGENT` says, or where `make agent` puts it.
pub fn agent() -> PathBuf {
    let built = || repository().join("target/x86_64-unknown-linux-gnu/agent/ovenbird-agent");
    std::env::var_os("OVENBIRD_AGENT").map_or_else(built, PathBuf::from)
}
