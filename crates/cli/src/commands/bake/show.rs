//! Plans and progress, for people and for programs.

use std::path::Path;
use std::time::Duration;

use ovenbird_bake::Event;
use ovenbird_bake::Fate;
use ovenbird_bake::Phase;
use ovenbird_bake::Plan;
use ovenbird_bake::Request;
use ovenbird_bake::Source;
use ovenbird_bake::ansible;
use ovenbird_bake::ansible::Status;
use ovenbird_disk::wait::wait_until;
use ovenbird_template::Provisioner;
use ovenbird_template::Unsupported;

use super::Context;
use crate::progress::Progress;

/// How long a breakpoint waits.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Phases that a summary tells.
const MOST_PHASES: usize = 5;

/// Shows a bake's events as they come.
pub(crate) struct Events<'a> {
    context: Context<'a>,
    progress: &'a Progress<'a>,
    /// The command that logs in to the bake's instance.
    login: Option<String>,
}

impl<'a> Events<'a> {
    pub(crate) fn new(context: Context<'a>, progress: &'a Progress<'a>) -> Self {
        Self { context, progress, login: None }
    }

    /// How a person gets into the instance that was baked on, if there was one.
    pub(crate) fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    pub(crate) fn show(&mut self, event: &Event) {
        if let Event::Phase { phase } = event {
            self.progress.phase(&phase_name(phase));
        }
        if let Event::Instance { login, .. } = event {
            self.login = Some(login.clone());
        }
        if self.context.output.is_json() {
            self.context.output.data(event);
            return;
        }
        match event {
            Event::Phase { .. } => {}
            Event::Reused { layer, snapshot } => self.progress.line(&format!("reuses  {layer}  ({snapshot})")),
            Event::Runs { layer, why } => self.progress.line(&format!("runs    {layer}  because {}", why.join("; "))),
            Event::Ansible { task } => self.show_task(task),
            Event::Output { line, .. } => self.progress.line(&format!("            {line}")),
            Event::Retries { run, error, left } => {
                self.progress
                    .line(&format!("            {run} failed and is tried again ({left} tries left): {error}"));
            }
            Event::Waits { note } => wait_for_a_person(self.progress, note.as_deref()),
            Event::Blocks { done, total } => self.progress.detail(&format!("{done} of {total} blocks")),
            Event::Kept { layer, snapshot, changed_blocks } => {
                self.progress.line(&format!("kept    {layer}  as {snapshot}, {changed_blocks} changed blocks"));
            }
            Event::SnapshotStays { snapshot, why } => {
                self.progress.line(&format!("stays   {snapshot}  of the replaced image: {why}"));
                self.context.output.hint(&format!(
                    "when nothing needs {snapshot} any more: aws ec2 delete-snapshot --snapshot-id {snapshot}"
                ));
            }
            Event::Stays { bake, disk } => self.show_what_stays(bake, disk.as_deref()),
            Event::NotToBeCopied { image, why } => self.progress.line(&format!(
                "{image} may not be copied ({why}): it is launched once and sealed, and the image of that is our base from now on"
            )),
            Event::NoCapacity { tried, why } => self.progress.line(&format!("no room for {tried}: {why}")),
            Event::Instance { instance, .. } => self.progress.line(&format!("launched {instance}")),
            Event::Left { step, error } => {
                self.context
                    .output
                    .hint(&format!("`{step}` could not be taken back: {error}; `ovenbird doctor` finds it"));
            }
        }
    }

    fn show_what_stays(&self, bake: &str, disk: Option<&Path>) {
        let output = self.context.output;
        if let Some(disk) = disk {
            output.hint(&format!("look at it: systemd-nspawn --image {} /bin/bash", disk.display()));
        }
        output.hint(&format!("go on: ovenbird bake --resume {bake}; take it back: ovenbird doctor --fix"));
    }

    fn show_task(&self, event: &ansible::Event) {
        match event {
            ansible::Event::FastPath { .. } => self.progress.detail("fast path"),
            ansible::Event::PlainAnsible { reason } => self.progress.line(&format!("plain Ansible: {reason}")),
            ansible::Event::TaskStarted { task } => self.progress.detail(&title(task)),
            ansible::Event::TaskDone { task, status: Status::Changed, seconds, .. } => {
                self.progress.line(&format!("{seconds:>10.1} s  {}", title(task)));
            }
            ansible::Event::TaskDone {
                task,
                status: status @ (Status::Failed | Status::Unreachable | Status::Ignored),
                message,
                ..
            } => {
                let how = if *status == Status::Ignored { "failed, ignored" } else { "failed" };
                self.progress.line(&format!(
                    "            {}: {how}: {}",
                    title(task),
                    message.as_deref().unwrap_or_default()
                ));
            }
            _ => {}
        }
    }
}

/// Returns when Enter is pressed, the input ends, or the bake is interrupted.
fn wait_for_a_person(progress: &Progress<'_>, note: Option<&str>) {
    progress.line(&format!("breakpoint{}", note.map(|note| format!(": {note}")).unwrap_or_default()));
    progress.line("press Enter to go on");
    let stdin = std::io::stdin();
    let has_input = || {
        let mut polled = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut polled, Some(&now)).is_ok_and(|ready| ready > 0).then_some(())
    };
    if wait_until(A_DAY, Duration::from_millis(100), has_input).is_ok() {
        // What was typed means nothing but "go on"; an input that ended means it too.
        _ = stdin.read_line(&mut String::new());
    }
}

fn title(task: &ansible::Task) -> String {
    match &task.role {
        Some(role) if !task.name.starts_with(role.as_str()) => format!("{role} : {}", task.name),
        _ => task.name.clone(),
    }
}

fn phase_name(phase: &Phase) -> String {
    match phase {
        Phase::Base => "own the base image".to_owned(),
        Phase::Fetch => "fetch the base".to_owned(),
        Phase::Packages => "read the package archive".to_owned(),
        Phase::Copy => "copy the disk".to_owned(),
        Phase::Launch => "launch an instance".to_owned(),
        Phase::Boot => "wait until it lets us in".to_owned(),
        Phase::Play { layer } => layer.clone(),
        Phase::Seal => "seal".to_owned(),
        Phase::Stop => "stop the instance".to_owned(),
        Phase::Apply => "write the layer to the disk".to_owned(),
        Phase::Scan => "look for changed blocks".to_owned(),
        Phase::Upload => "upload changed blocks".to_owned(),
        Phase::Register => "register the image".to_owned(),
        Phase::CopyImage { region } => format!("copy the image to {region}"),
        Phase::Look => "read what the image holds".to_owned(),
    }
}

/// Where the time went: the phases that took longest, in their order.
pub(super) fn phases(phases: &[(String, Duration)]) -> String {
    let mut longest: Vec<Duration> = phases.iter().map(|(_, took)| *took).collect();
    longest.sort_unstable_by(|a, b| b.cmp(a));
    let least = longest.get(MOST_PHASES - 1).copied().unwrap_or_default();
    let told = phases.iter().filter(|(_, took)| *took >= least && took.as_millis() >= 50);
    told.map(|(name, took)| format!("{name} {:.1} s", took.as_secs_f64())).collect::<Vec<_>>().join(", ")
}

/// The plan, layer by layer.
pub(super) fn plan(context: Context<'_>, plan: &Plan) {
    let output = context.output;
    if output.is_json() {
        let layers: Vec<_> = plan
            .layers
            .iter()
            .map(|layer| serde_json::json!({ "layer": layer.title, "key": layer.key.hex(), "fate": layer.fate, "files": layer.inputs.files.len() }))
            .collect();
        output.data(&serde_json::json!({
            "source": { "image": plan.source.image, "name": plan.source.name, "owner": plan.source.owner },
            "path": plan.path, "kms_key": plan.source.copy_key, "image_name": plan.image_name, "image_key": plan.image_key.hex(), "existing": plan.existing, "layers": layers,
        }));
        return;
    }
    output.print(&format!("source  {}  {}  of {}", plan.source.image, plan.source.name, plan.source.owner));
    output.print(&format!("path    {}, since {}", plan.path.path, plan.path.why));
    if let Some(key) = &plan.source.copy_key {
        output.print(&format!("key     {key}, by way of a copy of the base"));
    }
    for layer in &plan.layers {
        match &layer.fate {
            Fate::Reused { snapshot } => {
                output.print(&format!("reuses  {}  {}  ({snapshot})", layer.key.short(), layer.title));
            }
            Fate::Run { why } => {
                output.print(&format!("runs    {}  {}", layer.key.short(), layer.title));
                why.iter().for_each(|why| output.print(&format!("          {why}")));
            }
        }
    }
    match &plan.existing {
        Some(image) => output.print(&format!("image   {}  {}  is this already", image.id, image.name)),
        None => output.print(&format!("image   `{}` would be registered", plan.image_name)),
    }
}

/// The plan where keys are not known: on a machine that has never baked from this source all would run; of a template with something
/// that is refused, nothing.
pub(super) fn unread(context: Context<'_>, request: &Request, source: &Source, refused: &[&Unsupported]) {
    const UNREAD: &str = "this machine has not baked from this source before; the first bake reads its package archive";
    let output = context.output;
    let title = |provisioner: &Provisioner| request.recipe.masked(&provisioner.kind.to_string());
    let layers: Vec<String> = request.build.provisioners.iter().map(title).collect();
    let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let (fate, why) = if refused.is_empty() { ("run", vec![UNREAD.to_owned()]) } else { ("refused", refused.clone()) };
    if output.is_json() {
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| serde_json::json!({ "layer": layer, "fate": { "fate": fate, "why": why } }))
            .collect();
        output.data(&serde_json::json!({
            "source": { "image": source.image, "name": source.name, "owner": source.owner }, "layers": layers, "existing": null,
            "refused": refused,
        }));
        return;
    }
    output.print(&format!("source  {}  {}  of {}", source.image, source.name, source.owner));
    let word = if refused.is_empty() { "runs" } else { "refused" };
    layers.iter().for_each(|layer| output.print(&format!("{word:<7} {layer}")));
    why.iter().for_each(|why| output.print(&format!("          {why}")));
}
