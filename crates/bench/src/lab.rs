//! An embedded EC2 of its own for a group of measurements, with a Debian base in it.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;

use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use serde_json::Value;

use crate::Failure;

/// No single command may take longer.
const DEADLINE: Duration = Duration::from_secs(3600);
/// What is kept of the caller's environment.
const KEPT: [&str; 4] = ["PATH", "http_proxy", "https_proxy", "no_proxy"];

/// The programs and folders that are measured.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The repository.
    pub(crate) repository: PathBuf,
    /// The optimised `ovenbird`.
    pub(crate) ovenbird: PathBuf,
    /// Kept between runs: package archives, bases.
    pub(crate) cache: PathBuf,
}

/// A running endpoint. It ends, and all that it holds goes, when this is dropped.
pub(crate) struct Lab<'a> {
    pub(crate) place: &'a Place,
    folder: tempfile::TempDir,
}

impl<'a> Lab<'a> {
    /// Starts the endpoint with these further arguments of `local up`, and registers the base.
    pub(crate) fn start(place: &'a Place, arguments: &[&str]) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("ovenbird-bench-").tempdir()?;
        fs_err::create_dir(folder.path().join("project"))?;
        let lab = Self { place, folder };
        lab.ovenbird(&[&["local", "up", "--port", "0"], arguments].concat()).run()?;
        lab.ovenbird(&["local", "base", "debian-12"]).run()?;
        Ok(lab)
    }

    /// The project's folder.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Where the output of what runs beside other things goes.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<(), Failure> {
        let path = self.project().join(name);
        fs_err::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        Ok(fs_err::write(path, content)?)
    }

    /// Makes the project a copy of a folder of the repository.
    pub(crate) fn copy(&self, folder: &str) -> Result<(), Failure> {
        Tool::new("cp").arg("-rT").arg(self.place.repository.join(folder)).arg(self.project()).run()?;
        Ok(())
    }

    /// A program in the project's folder, in the environment of this lab alone.
    pub(crate) fn tool(&self, program: &str) -> Tool {
        let mut tool = Tool::new(program).env_clear().deadline(DEADLINE).current_dir(self.project());
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                tool = tool.env(name, value);
            }
        }
        tool.env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env("XDG_CACHE_HOME", &self.place.cache)
    }

    /// `ovenbird` with these arguments.
    pub(crate) fn ovenbird(&self, arguments: &[&str]) -> Tool {
        self.tool(&self.place.ovenbird.to_string_lossy()).args(arguments)
    }

    /// A variable of `ovenbird local env`.
    pub(crate) fn variable(&self, name: &str) -> Result<String, Failure> {
        let said: Value = serde_json::from_slice(&self.ovenbird(&["local", "env", "--json"]).run()?.stdout)?;
        said[name].as_str().map(str::to_owned).ok_or_else(|| format!("`local env` does not say {name}").into())
    }

    /// `ovenbird local status`
    pub(crate) fn status(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.ovenbird(&["local", "status", "--json"]).run()?.stdout)?)
    }

    /// How often the API was called so far.
    pub(crate) fn calls(&self) -> Result<u64, Failure> {
        let status = self.status()?;
        let accounts = status["calls"].as_object().into_iter().flat_map(|accounts| accounts.values());
        Ok(accounts.filter_map(Value::as_object).flat_map(|calls| calls.values()).filter_map(Value::as_u64).sum())
    }

    /// How many different blocks are stored.
    pub(crate) fn blocks(&self) -> Result<u64, Failure> {
        Ok(self.status()?["blocks"].as_u64().unwrap_or_default())
    }
}

impl Drop for Lab<'_> {
    fn drop(&mut self) {
        _ = self.ovenbird(&["local", "down", "--delete"]).even_if_interrupted().run();
    }
}

/// How long a tool takes, in seconds; it must end well.
pub(crate) fn time(tool: Tool) -> Result<f64, Failure> {
    let began = Instant::now();
    tool.run()?;
    Ok(began.elapsed().as_secs_f64())
}

/// How long tools take that run side by side, in seconds. What each prints goes to the file beside it, and each is followed to its end;
/// the error says which failed, and the last that they said.
pub(crate) fn time_all(tools: Vec<(Tool, PathBuf)>) -> Result<f64, Failure> {
    let began = Instant::now();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let start = |(tool, log)| scope.spawn(move || run_logged(tool, log));
        let running: Vec<_> = tools.into_iter().map(start).collect();
        let ended = running.into_iter().map(|run| run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.filter_map(|result| result.err().map(|failure| failure.to_string())).collect()
    });
    if failures.is_empty() { Ok(began.elapsed().as_secs_f64()) } else { Err(failures.join("\n").into()) }
}

fn run_logged(tool: Tool, log: PathBuf) -> Result<(), Failure> {
    let mut log = fs_err::File::create(log)?;
    let mut written = Ok(());
    tool.run_lines(|(Line::Out(line) | Line::Err(line))| {
        if written.is_ok() {
            written = writeln!(log, "{line}");
        }
    })?;
    Ok(written?)
}

/// The largest amount of memory that the program itself held at a time, in MiB; what it spawns does not count.
pub(crate) fn peak_memory(tool: Tool) -> Result<f64, Failure> {
    let mut running = tool.spawn_guarded(std::process::Stdio::null())?;
    let status = format!("/proc/{}/status", running.pid());
    let mut peak = 0.0_f64;
    let ended = wait_until(DEADLINE, Duration::from_millis(20), || {
        peak = peak.max(high_water(&status).unwrap_or_default());
        running.try_wait()
    })?;
    if ended.success() { Ok(peak) } else { Err(running.stderr_tail().into()) }
}

/// `VmHWM`, in MiB.
fn high_water(status: &str) -> Option<f64> {
    let text = fs_err::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_tools_side_by_side_the_failed_one_is_named_with_its_last_words_and_the_others_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let shell = |name: &str, script: &str| {
            (Tool::new("sh").doing(format!("build {name}")).args(["-c", script]), folder.path().join(name))
        };
        let said = |name: &str| fs_err::read_to_string(folder.path().join(name)).expect("its output");

        let failed = time_all(vec![shell("web", "echo no capacity; exit 3"), shell("mail", "sleep 0.2; echo baked")]);
        let text = failed.expect_err("one failed").to_string();
        assert!(text.contains("build web") && text.contains("no capacity") && !text.contains("mail"), "{text}");
        assert_eq!((said("web").as_str(), said("mail").as_str()), ("no capacity\n", "baked\n"));

        let both = time_all(vec![shell("web", "sleep 0.2"), shell("mail", "true")]);
        assert!(both.expect("both end well") >= 0.2);
    }
}
