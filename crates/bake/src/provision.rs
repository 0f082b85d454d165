//! Provisioners: what a template asks to be run, for either path.
//!
//! Those that change the image are layers: `ansible`, `ansible-local`, `shell`, `file`. The others (`shell-local`, downloads, pauses) are
//! run whenever the layer after them is; those at the end whenever an image is made.

mod ansible_local;
mod file;
mod pause;
mod play;
mod script;
mod shell;
mod shell_local;

use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use ovenbird_template::AnsibleLocal;
use ovenbird_template::Breakpoint;
use ovenbird_template::FileTransfer;
use ovenbird_template::Shell;
use ovenbird_template::ShellLocal;
use ovenbird_template::Sleep;
use ovenbird_template::SourceAmi;

use crate::ansible::Early;
use crate::ansible::Playbook;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::interrupt::stop_if_interrupted;
use crate::request::Request;
use crate::target::Target;

pub(crate) use ansible_local::list_uploads;
pub(crate) use ansible_local::requirements;
pub(crate) use file::list_sources;
pub(crate) use play::LateOptions;
pub(crate) use script::list_scripts;
pub(crate) use shell_local::run as run_on_this_machine;

/// How long a provisioner without a `timeout` may take.
const LONGEST: Duration = Duration::from_secs(3600);

/// A provisioner, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Such as `ansible web/web.yml`.
    pub title: String,
    /// What is run.
    pub work: Work,
    /// To wait before it.
    pub pause_before: Duration,
    /// How often to try again.
    pub max_retries: u64,
    /// How long a try may take.
    pub timeout: Option<Duration>,
}

/// What a provisioner does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the template's types")]
pub enum Work {
    Play(Box<Playbook>, LateOptions),
    AnsibleLocal(Box<AnsibleLocal>),
    Shell(Box<Shell>),
    File(Box<FileTransfer>),
    ShellLocal(Box<ShellLocal>),
    Breakpoint(Breakpoint),
    Sleep(Sleep),
}

impl Work {
    /// Can it change the image? Then it is a layer.
    #[must_use]
    pub fn changes_image(&self) -> bool {
        match self {
            Self::Play(..) | Self::AnsibleLocal(_) | Self::Shell(_) => true,
            Self::File(transfer) => transfer.direction == ovenbird_template::Direction::Upload,
            Self::ShellLocal(_) | Self::Breakpoint(_) | Self::Sleep(_) => false,
        }
    }

    /// May it leave files in `/tmp` for those after it, as Packer's users are used to?
    #[must_use]
    pub fn shares_tmp(&self) -> bool {
        matches!(self, Self::AnsibleLocal(_) | Self::Shell(_) | Self::File(_))
    }
}

/// Where and for whom provisioners run.
pub(crate) struct Site<'a> {
    pub(crate) target: &'a dyn Target,
    pub(crate) request: &'a Request,
    /// What the template's late values are worth.
    pub(crate) ami: &'a SourceAmi,
    /// Folder of the logs.
    pub(crate) logs: &'a Path,
    /// An Ansible that is loaded already, for the play that it is of.
    pub(crate) early: Option<Early>,
    pub(crate) on_event: &'a mut dyn FnMut(Event),
}

impl Site<'_> {
    /// A line that a provisioner printed: into the log and to whoever watches, without secrets.
    fn say(&mut self, run: &str, line: &str) -> Result<(), BakeError> {
        let line = self.request.recipe.masked(line);
        append(&self.logs.join("provisioners.log"), &line).map_err(working("write the log of a provisioner"))?;
        (self.on_event)(Event::Output { run: run.to_owned(), line });
        Ok(())
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(fs_err::OpenOptions::new().create(true).append(true).open(path)?, "{line}")
}

/// Runs a provisioner, again where it may be.
///
/// # Errors
/// What it failed with in the last try.
pub(crate) fn run(site: &mut Site<'_>, run: &Run) -> Result<(), BakeError> {
    pause::wait(run.pause_before)?;
    let mut left = run.max_retries;
    loop {
        stop_if_interrupted()?;
        match run_once(site, run) {
            Err(error) if left > 0 && !matches!(error, BakeError::Interrupted) => {
                left -= 1;
                (site.on_event)(Event::Retries {
                    run: run.title.clone(),
                    error: site.request.recipe.masked(&error.chain()),
                    left,
                });
            }
            ended => return ended,
        }
    }
}

/// Runs what the template wants to be run after a failure. How it ends changes nothing; the failure is the news.
pub(crate) fn clean_up(site: &mut Site<'_>, cleanup: Option<&Run>) {
    let Some(cleanup) = cleanup.filter(|_| stop_if_interrupted().is_ok()) else { return };
    if let Err(error) = run(site, cleanup) {
        let line = site.request.recipe.masked(&error.chain());
        (site.on_event)(Event::Output { run: cleanup.title.clone(), line });
    }
}

fn run_once(site: &mut Site<'_>, run: &Run) -> Result<(), BakeError> {
    let deadline = Instant::now() + run.timeout.unwrap_or(LONGEST);
    match &run.work {
        Work::Play(playbook, late) => play::run(site, run, (playbook, late)),
        Work::AnsibleLocal(local) => ansible_local::run(site, &run.title, local, deadline),
        Work::Shell(shell) => shell::run(site, &run.title, shell, deadline),
        Work::File(transfer) => file::run(site, transfer),
        Work::ShellLocal(shell) => shell_local::run_for(site, &run.title, shell, deadline),
        Work::Breakpoint(breakpoint) => pause::breakpoint(site, breakpoint),
        Work::Sleep(sleep) => pause::wait(sleep.duration),
    }
}

/// What is left of a try's time.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Did a script end as the template allows?
fn judge(code: i32, valid: &[i32], doing: &str) -> Result<(), BakeError> {
    if valid.contains(&code) {
        return Ok(());
    }
    let told: Vec<String> = valid.iter().map(ToString::to_string).collect();
    Err(working(doing)(format!("it ended with exit code {code}, and {} would be well", told.join(" or "))))
}
