//! Running a play with the machine's own `ansible-playbook`, and knowing what it does.

mod config;
mod early;
mod error;
mod event;
mod fast;
mod log;
mod over_ssh;
mod playbook;

use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use fs_err as fs;
use ovenbird_disk::tool::Line;
use ovenbird_disk::tool::Output;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::tool::ToolError;

pub use config::Config;
pub(crate) use early::Early;
pub use error::PlaybookError;
pub use event::Event;
pub use event::Place;
pub use event::Stats;
pub use event::Status;
pub use event::Task;
pub(crate) use over_ssh::run_playbook_over_ssh;
pub use playbook::Playbook;

use crate::sandbox::BAKE_VARIABLE;
use crate::sandbox::Sandbox;
use fast::Worker;
use log::Log;

/// The callback plugin that turns what Ansible does into lines of JSON.
const EVENTS_PLUGIN: &str = include_str!("ansible/events.py");
/// Its name as a plugin.
const EVENTS_NAME: &str = "ovenbird_events";

/// Exit statuses of `ansible-playbook` (`ansible/errors`, reference boot.md 5.2). Each means something to us, so none surprises.
const EXIT_CODES: [i32; 7] = [1, 2, 4, 5, 99, 250, 255];

/// A play that ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaybookOutcome {
    /// What it did, counted.
    pub stats: Stats,
    /// Seconds that it took.
    pub seconds: f64,
    /// Everything that Ansible said.
    pub log: PathBuf,
}

/// Runs a playbook in the sandbox, as Packer's `ansible` provisioner would run it against an instance.
///
/// `work` receives the inventory, the log (`ansible.log`, appended to), Ansible's temporary files and what is learnt of its sources.
///
/// # Errors
/// [`PlaybookError`], which names the failed task, its place, what the module said, and the log.
pub fn run_playbook(
    sandbox: &Sandbox,
    playbook: &Playbook,
    work: &Path,
    on_event: &mut dyn FnMut(Event),
) -> Result<PlaybookOutcome, PlaybookError> {
    let early = Early::start(playbook, work, &work.join("sources"), sandbox.bake());
    run_playbook_with(early, sandbox, playbook, work, on_event)
}

/// As [`run_playbook`], by an Ansible that is loaded already.
///
/// # Errors
/// As [`run_playbook`].
pub(crate) fn run_playbook_with(
    early: Option<Early>,
    sandbox: &Sandbox,
    playbook: &Playbook,
    work: &Path,
    on_event: &mut dyn FnMut(Event),
) -> Result<PlaybookOutcome, PlaybookError> {
    let began = Instant::now();
    let config = Config::read(&playbook.directory, &playbook.env)?;
    fs::create_dir_all(work)?;
    let mut log = Log::append(&work.join("ansible.log"), &playbook.secrets)?;
    let mut worker = start_worker(sandbox, playbook).map_err(|reason| say_plain(reason, &mut log, on_event)).ok();
    if let Some(worker) = &worker {
        let event = Event::FastPath { python: worker.python.clone() };
        log.line(&format!("fast path: modules are forks of one Python {} in the image", worker.python));
        on_event(event);
    }
    write_inputs(sandbox, playbook, work, worker.as_ref())?;
    let mut course = Course::default();
    let tool = command(playbook, &config, work).env(BAKE_VARIABLE, sandbox.bake());
    log.line(&format!("$ {tool}"));
    let started = early.map_or_else(|| tool.start(), |early| Ok(early.go()));
    let ended = started.and_then(|running| running.run_lines(|line| course.follow(line, &mut log, on_event)));
    end_worker(worker.as_mut(), &mut log, on_event);
    outcome(ended, course, playbook, log, began)
}

/// What became of a run.
fn outcome(
    ended: Result<Output, ToolError>,
    course: Course,
    playbook: &Playbook,
    mut log: Log,
    began: Instant,
) -> Result<PlaybookOutcome, PlaybookError> {
    log.finish()?;
    let code = match ended {
        Ok(output) => output.code,
        Err(ToolError::Interrupted { .. }) => return Err(PlaybookError::Interrupted),
        Err(ToolError::TimedOut { deadline, .. }) => return Err(PlaybookError::TimedOut { deadline, log: log.path }),
        Err(error) => return Err(PlaybookError::Tool(error)),
    };
    let stats = course.judge(code, playbook, &log)?;
    Ok(PlaybookOutcome { stats, seconds: began.elapsed().as_secs_f64(), log: log.path })
}

fn start_worker(sandbox: &Sandbox, playbook: &Playbook) -> Result<Worker, String> {
    if playbook.plain { Err("it was asked for".to_owned()) } else { Worker::start(sandbox) }
}

/// Every step that the worker did not begin was done plainly, so its early end is no failure; but it is to be seen.
fn end_worker(worker: Option<&mut Worker>, log: &mut Log, on_event: &mut dyn FnMut(Event)) {
    let Some(worker) = worker else { return };
    match worker.end() {
        Ok(work) => log.line(&format!("fast path: {} modules were forks, {} commands", work.forked, work.shells)),
        Err(reason) => say_plain(reason, log, on_event),
    }
    let said = worker.said();
    if !said.is_empty() {
        log.line(&said);
    }
}

fn say_plain(reason: String, log: &mut Log, on_event: &mut dyn FnMut(Event)) {
    log.line(&format!("plain Ansible: {reason}"));
    on_event(Event::PlainAnsible { reason });
}

/// Writes the inventory and the plugins.
fn write_inputs(sandbox: &Sandbox, playbook: &Playbook, work: &Path, worker: Option<&Worker>) -> std::io::Result<()> {
    fast::write_plugin(&work.join("connection"))?;
    write_events_plugin(work)?;
    fs::write(inventory(work), playbook.inventory(sandbox, worker.map(Worker::socket).as_deref()))?;
    link_variables(playbook, work)
}

fn write_events_plugin(work: &Path) -> std::io::Result<()> {
    fs::create_dir_all(work.join("callback"))?;
    fs::write(work.join("callback").join(format!("{EVENTS_NAME}.py")), EVENTS_PLUGIN)
}

/// Where the inventory is.
fn inventory(work: &Path) -> PathBuf {
    work.join("inventory.ini")
}

/// Ansible reads the variables that lie beside an inventory: the folder's, beside ours.
fn link_variables(playbook: &Playbook, work: &Path) -> std::io::Result<()> {
    for name in ["group_vars", "host_vars"] {
        let link = work.join(name);
        if fs::symlink_metadata(&link).is_ok() {
            fs::remove_file(&link)?;
        }
        let folder = playbook.inventory_directory.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            std::os::unix::fs::symlink(folder, link)?;
        }
    }
    Ok(())
}

fn command(playbook: &Playbook, config: &Config, work: &Path) -> Tool {
    called(Tool::new(&playbook.command), playbook, config, work)
}

/// The program with all that it is told.
fn called(program: Tool, playbook: &Playbook, config: &Config, work: &Path) -> Tool {
    let temporary = work.join("tmp");
    let mut tool = program
        .doing(format!("run {}", playbook.file.display()))
        .current_dir(&playbook.directory)
        .deadline(playbook.deadline)
        .accept(EXIT_CODES)
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ANSIBLE_NOCOLOR", "1")
        .env("ANSIBLE_FORCE_COLOR", "0")
        .env("ANSIBLE_RETRY_FILES_ENABLED", "0")
        // One connection less per task; the enter program needs no terminal.
        .env("ANSIBLE_PIPELINING", "1")
        // Both are memory of the sandbox: nothing of them can end in the image.
        .env("ANSIBLE_REMOTE_TMP", "/tmp/.ansible")
        .env("ANSIBLE_ASYNC_DIR", "/tmp/.ansible_async")
        .env("ANSIBLE_LOCAL_TEMP", temporary);
    for (name, value) in &playbook.env {
        tool = tool.env(name, value);
    }
    tool.env("ANSIBLE_STDOUT_CALLBACK", EVENTS_NAME)
        .env("ANSIBLE_CALLBACK_PLUGINS", config.callback_path(&work.join("callback")))
        .env("ANSIBLE_CONNECTION_PLUGINS", config.connection_path(&work.join("connection")))
        .env("ANSIBLE_COLLECTIONS_PATH", config.collections_path(&playbook.collections))
        .env("ANSIBLE_ROLES_PATH", config.roles_path(&playbook.roles))
        .args(playbook.arguments(&inventory(work)))
}

/// What is known of a run while it goes on.
#[derive(Default)]
struct Course {
    stats: Option<Stats>,
    failure: Option<(Status, Task, String)>,
    no_hosts: bool,
    /// Lines of the standard error that begin with `ERROR!`, and those that follow them.
    errors: Vec<String>,
}

impl Course {
    fn follow(&mut self, line: Line<'_>, log: &mut Log, on_event: &mut dyn FnMut(Event)) {
        match line {
            Line::Out(text) => match event::parse(text) {
                Some(mut parsed) => {
                    parsed.event.mask(|text| log.mask(text));
                    log.event(&parsed);
                    self.note(&parsed.event);
                    on_event(parsed.event);
                }
                None => log.line(text),
            },
            Line::Err(text) => {
                log.line(text);
                if !self.errors.is_empty() || text.starts_with("ERROR!") {
                    self.errors.push(log.mask(text));
                }
            }
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::TaskDone { task, status: status @ (Status::Failed | Status::Unreachable), message, .. } => {
                self.failure = Some((*status, task.clone(), message.clone().unwrap_or_default()));
            }
            Event::Stats(stats) => self.stats = Some(*stats),
            Event::NoHosts => self.no_hosts = true,
            Event::FastPath { .. }
            | Event::PlainAnsible { .. }
            | Event::PlayStarted { .. }
            | Event::TaskStarted { .. }
            | Event::TaskDone { .. } => {}
        }
    }

    fn judge(self, code: i32, playbook: &Playbook, log: &Log) -> Result<Stats, PlaybookError> {
        let log = log.path.clone();
        let stats = self.stats.unwrap_or_default();
        match (code, self.failure) {
            (0, _) if stats.hosts == 0 => {
                Err(PlaybookError::NothingRan { playbook: playbook.file.clone(), no_hosts: self.no_hosts, log })
            }
            (0, _) => Ok(stats),
            (99, _) => Err(PlaybookError::Interrupted),
            (_, Some((Status::Unreachable, task, message))) => {
                Err(PlaybookError::Unreachable { task: Box::new(task), message, log })
            }
            (_, Some((_, task, message))) => Err(PlaybookError::TaskFailed { task: Box::new(task), message, log }),
            (_, None) => Err(PlaybookError::refused(&playbook.file, code, &self.errors, log)),
        }
    }
}
