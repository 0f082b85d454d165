//! `ovenbird bake` and `ovenbird plan`

mod find;
mod reproduce;
pub(crate) mod show;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use ovenbird_bake::BakeError;
use ovenbird_bake::BakePath;
use ovenbird_bake::Baked;
use ovenbird_bake::Plan;
use ovenbird_bake::Request;
use ovenbird_bake::Resumable;
use ovenbird_bake::bake_layers;
use ovenbird_bake::find_base;
use ovenbird_bake::has_package_lists;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::pointer::Pointer;

use super::Context;
use super::plan;
use super::wait_for;
use crate::account::Account;
use crate::clock;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;
use crate::progress::Progress;
use crate::project::OpenProject;
use crate::template::Given;
use crate::template::Occasion;
use crate::template::Template;
use crate::template::missing_files;

/// Bake a service's template into an image
///
/// Bakes the service's template into an image, and points the first environment at it. Layers whose inputs did not change are not
/// run again. Where the base's blocks may be read, no instance is launched
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The service; with --resume, that of the bake
    #[arg(required_unless_present = "resume")]
    service: Option<String>,
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    choices: Choices,
    /// Go on with a bake that was cut off; without its id, with the only one
    #[arg(long, value_name = "BAKE", num_args = 0..=1, conflicts_with_all = ["rebuild", "max_age"])]
    resume: Option<Option<String>>,
    /// After a failure or an interrupt take nothing back, and say how to get in
    #[arg(long)]
    keep_on_failure: bool,
    /// Run Ansible's modules plainly, each in an interpreter of its own; slower, and the image is the same
    #[arg(long, env = "OVENBIRD_PLAIN_ANSIBLE", value_parser = clap::builder::FalseyValueParser::new())]
    plain_ansible: bool,
    /// Leave the first environment's pointer alone
    #[arg(long)]
    no_pointer: bool,
    /// Bake twice, every layer, the second time into nothing, and compare what came out
    #[arg(long, conflicts_with = "dry_run")]
    check_reproducible: bool,
    /// Bake only up to the layer with this key, for other bakes to stand on; no image is registered. `rebuild --plan` gives keys
    #[arg(long, value_name = "KEY", conflicts_with_all = ["check_reproducible", "dry_run"])]
    until_layer: Option<String>,
    /// So many bakes of this account run at a time: each takes its part of the quotas
    #[arg(long, value_name = "NUMBER", default_value_t = 1, hide_default_value = true)]
    one_of: u16,
    /// Show the plan, bake nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

/// What a plan and a bake are asked in the same way.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Choices {
    /// Run every layer, whatever is there
    #[arg(long)]
    rebuild: bool,
    /// Make anew what is older than this, such as 7d or 12h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<SignedDuration>,
    /// Bake without an instance, or not at all
    #[arg(long, conflicts_with = "launch")]
    direct: bool,
    /// Bake on an instance that is launched for it
    #[arg(long)]
    launch: bool,
    /// Use the package lists that this machine has, even if they are older than an hour
    #[arg(long)]
    keep_lists: bool,
}

impl Choices {
    fn path(&self) -> Option<BakePath> {
        match (self.direct, self.launch) {
            (true, _) => Some(BakePath::Direct),
            (_, true) => Some(BakePath::Launch),
            _ => None,
        }
    }
}

/// Days have 24 hours.
fn duration(text: &str) -> Result<SignedDuration, String> {
    let span: jiff::Span = text.parse().map_err(|_| "such as 7d, 12h or 90m".to_owned())?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    duration.map_err(|_| "days, hours and minutes alone: such as 7d, 12h or 90m".to_owned())
}

impl Arguments {
    /// A check is of all layers, not of those that happen to be new.
    fn runs_all(&self) -> bool {
        self.choices.rebuild || self.check_reproducible
    }
}

pub(crate) fn plan(context: Context<'_>, arguments: &plan::Arguments) -> Result<(), Failure> {
    wait_for(async {
        let asked = Asked::simply(&arguments.given, &arguments.choices);
        let (_, account, request) = prepare(context, &arguments.service, &asked).await?;
        show_plan(context, &account, &request).await
    })
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let resumed = arguments.resume.as_ref().map(|bake| find::resumable(bake.as_deref(), arguments)).transpose()?;
    let path = arguments.choices.path().or_else(|| resumed.as_ref()?.path);
    // First of all, while there is one thread: every mount of the bake goes with this process, however it ends.
    if !arguments.dry_run && path != Some(BakePath::Launch) {
        ovenbird_disk::namespace::enter_private().map_err(|error| {
            Failure::usage(format!("a bake mounts disks, which needs root: {error}"))
                .hint("run it with sudo; or bake on an instance with --launch, which needs no root here")
        })?;
    }
    wait_for(async {
        let service = resumed.as_ref().map(|resumed| &resumed.service).or(arguments.service.as_ref());
        let service = service.map(String::as_str).unwrap_or_default();
        let keep_on_failure = arguments.keep_on_failure;
        let asked = Asked {
            given: &arguments.given,
            choices: &arguments.choices,
            runs_all: arguments.runs_all(),
            resumed: resumed.as_ref(),
            moves_pointer: !arguments.no_pointer,
            keep_on_failure,
            known: None,
        };
        let (project, mut account, mut request) = prepare(context, service, &asked).await?;
        account.client = account.client.with_sharers(arguments.one_of);
        request.plain_ansible = arguments.plain_ansible;
        if arguments.dry_run {
            return show_plan(context, &account, &request).await;
        }
        let progress = Progress::new(context.output);
        let mut events = show::Events::new(context, &progress);
        if let Some(key) = &arguments.until_layer {
            let until = LayerKey::from_hex(key)
                .ok_or_else(|| Failure::usage(format!("`{key}` is no layer's key, which has 64 hex digits")))?;
            let baked = bake_layers(&account.client, &request, until, &mut |event| events.show(&event)).await;
            return baked.map(|_| show_layers(context, until, progress.finish())).map_err(failure);
        }
        let baked = ovenbird_bake::bake(&account.client, &request, &mut |event| events.show(&event)).await;
        if let Some(login) = events.login().filter(|_| baked.is_err() && keep_on_failure) {
            context.output.hint(&format!("the instance is kept; log in with: {login}"));
        }
        let (plan, baked) = baked.map_err(|error| failure(error).masked(|text| request.recipe.masked(text)))?;
        if arguments.check_reproducible {
            reproduce::check(context, &account, (&request, &plan), &baked.image, &progress).await?;
        }
        let took = progress.finish();
        let pointer = first_pointer(&project, service, arguments);
        let moved = match &pointer {
            Some(pointer) => ovenbird_fleet::put_pointer(&account.client, pointer, &baked.image)
                .await
                .map_err(|error| Failure::of(Kind::Aws, &error))?,
            None => false,
        };
        let place = place(plan.path.path, events.login().is_some());
        show_baked(context, (&plan, &baked), (took, &progress.phases(), place), pointer.filter(|_| moved).as_ref());
        Ok(())
    })
}

fn first_pointer(project: &OpenProject, service: &str, arguments: &Arguments) -> Option<Pointer> {
    let first = project.project.environments.first().filter(|_| !arguments.no_pointer)?;
    Some(Pointer::new(service, &first.name))
}

/// What was typed.
pub(crate) struct Asked<'a> {
    given: &'a Given,
    choices: &'a Choices,
    /// Whether every layer is run.
    runs_all: bool,
    resumed: Option<&'a Resumable>,
    /// Whether the first environment's pointer follows the new image.
    moves_pointer: bool,
    keep_on_failure: bool,
    /// An account that was connected before; a service of another region connects anew.
    known: Option<&'a Account>,
}

impl<'a> Asked<'a> {
    /// A bake or a plan of no special kind.
    pub(crate) fn simply(given: &'a Given, choices: &'a Choices) -> Self {
        Self {
            given,
            choices,
            runs_all: choices.rebuild,
            resumed: None,
            moves_pointer: true,
            keep_on_failure: false,
            known: None,
        }
    }

    /// The same, in an account that was connected before.
    pub(crate) fn known(self, known: Option<&'a Account>) -> Self {
        Self { known, ..self }
    }
}

/// Reads what a bake of the service `name` needs.
pub(crate) async fn prepare(
    context: Context<'_>,
    name: &str,
    asked: &Asked<'_>,
) -> Result<(OpenProject, Account, Request), Failure> {
    let project = OpenProject::find(context.global.directory.as_deref())?;
    let (service, file) = project.service(name)?;
    // The template's region counts where nothing else names one, as the project's does.
    let occasion = match asked.resumed {
        Some(resumed) => Occasion { instant: resumed.now, seed: resumed.seed },
        None => Occasion::draw(clock::wall())?,
    };
    let profile = context.global.profile.as_deref();
    let open = |occasion| Template::open(&file, &service.variables, asked.given, &project.folder, profile, occasion);
    let recipe = open(occasion)?.check()?;
    let build = find::build(&recipe, service.builder.as_deref(), &file)?;
    let region = find::region(&build);
    let first = region.clone().or_else(|| project.project.region.clone());
    let account = match asked.known.filter(|known| first.as_deref().is_none_or(|region| region == known.region())) {
        Some(known) => known.clone(),
        None => Account::connect(context.global, first.as_deref(), context.output).await?,
    };
    if let Some(resumed) = asked.resumed.filter(|resumed| resumed.account != account.id) {
        let (bake, theirs) = (&resumed.bake, &resumed.account);
        return Err(Failure::usage(format!(
            "{bake} was baked in account {theirs}, and these credentials are of {}",
            account.id
        )));
    }
    let now = asked.resumed.map_or_else(|| clock::now(&account), |resumed| Ok(resumed.now))?;
    // Once more with the clock of this endpoint, which the image's name may hold, and with its answers to data sources.
    let occasion = Occasion { instant: now, ..occasion };
    let recipe = open(occasion)?.read(&account.client).await?;
    let build = find::build(&recipe, service.builder.as_deref(), &file)?;
    let missing = missing_files(&build, &project.folder);
    if !missing.is_empty() {
        return Err(Failure::usage(format!("{} cannot be baked as it is", file.display()))
            .picture(recipe.masked(&missing.join("\n")))
            .hint("relative paths count from the project's folder"));
    }
    // A region that a data source told was not known before.
    let account = match find::region(&build).filter(|_| region.is_none()) {
        Some(told) if told != account.region() => Account::connect(context.global, Some(&told), context.output).await?,
        _ => account,
    };
    let path = asked.choices.path().or_else(|| asked.resumed?.path);
    for note in recipe.notes.iter().filter(|note| !note.only_direct || path != Some(BakePath::Launch)) {
        context.output.note(&recipe.masked(&note.to_string()));
    }
    let moves = project.project.environments.first().filter(|_| asked.moves_pointer);
    let moved = moves.map(|first| Pointer::new(name, &first.name));
    let pointed = find::pointed(&account, &build, moved.as_ref()).await?;
    let request = Request {
        service: name.to_owned(),
        build,
        recipe,
        directory: project.folder.clone(),
        folders: folders::bake()?,
        agent: find::agent()?,
        collections: find::collections()?,
        account: account.id.clone(),
        now,
        wall: clock::wall(),
        path,
        seed: occasion.seed,
        rebuild: asked.resumed.map_or(asked.runs_all, |resumed| resumed.rebuild),
        max_age: asked.resumed.map_or(asked.choices.max_age, |resumed| resumed.max_age),
        keep_on_failure: asked.keep_on_failure,
        pointed,
        watch: Arc::default(),
        has_person: context.output.has_progress() && std::io::stdin().is_terminal(),
        resume: asked.resumed.map(|resumed| resumed.bake.clone()),
        keep_lists: asked.choices.keep_lists,
        plain_ansible: false,
    };
    Ok((project, account, request))
}

fn show_layers(context: Context<'_>, until: LayerKey, took: Duration) {
    if context.output.is_json() {
        context
            .output
            .data(&serde_json::json!({ "event": "layers", "key": until.hex(), "seconds": took.as_secs_f64() }));
    } else {
        context.output.line(&format!("the layers up to {} are there ({:.1} s)", until.short(), took.as_secs_f64()));
    }
}

async fn show_plan(context: Context<'_>, account: &Account, request: &Request) -> Result<(), Failure> {
    let source = find_base(&account.client, request).await.map_err(failure)?;
    let refused = request.recipe.unsupported_in(&request.build);
    if !refused.is_empty() || request.path != Some(BakePath::Launch) && !has_package_lists(request, &source) {
        show::unread(context, request, &source, &refused);
        return Ok(());
    }
    let plan = Plan::make(&account.client, request, source).await.map_err(failure)?;
    show::plan(context, &plan);
    Ok(())
}

/// Where a bake was done, half a sentence.
fn place(path: BakePath, has_launched: bool) -> &'static str {
    match (path, has_launched) {
        (BakePath::Direct, false) => "no instance launched",
        (BakePath::Direct, true) => "no instance launched but the base's, which is gone again",
        (BakePath::Launch, _) => "on an instance that is gone again",
    }
}

fn show_baked(
    context: Context<'_>,
    (plan, baked): (&Plan, &Baked),
    (took, phases, place): (Duration, &[(String, Duration)], &str),
    moved: Option<&Pointer>,
) {
    let output = context.output;
    if output.is_json() {
        output.data(&serde_json::json!({
            "event": "baked", "image": baked.image, "name": baked.name, "reused": baked.reused, "seconds": took.as_secs_f64(),
            "key": plan.image_key.hex(), "tree": baked.manifest.as_ref().map(|manifest| manifest.tree.hex()),
            "pointer": moved.map(Pointer::parameter),
            "phases": phases
                .iter()
                .map(|(name, took)| serde_json::json!({ "name": name, "seconds": took.as_secs_f64() }))
                .collect::<Vec<_>>(),
        }));
        return;
    }
    if baked.reused {
        output.line(&format!(
            "nothing changed: `{}` was baked from the same inputs ({:.2} s)",
            baked.name,
            took.as_secs_f64()
        ));
    } else {
        let ran = plan.to_run().len();
        output.line(&format!(
            "baked `{}` in {:.1} s: {ran} of {} layers run, {place}",
            baked.name,
            took.as_secs_f64(),
            plan.layers.len(),
        ));
        output.note(&format!("where the time went: {}", show::phases(phases)));
    }
    if let Some(pointer) = moved {
        output.line(&format!("{} points at it now", pointer.parameter()));
    }
    output.print(&baked.image);
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(crate) fn failure(error: BakeError) -> Failure {
    let kind = match &error {
        BakeError::Aws { .. } | BakeError::PendingSnapshots { .. } | BakeError::NotToBeCopied { .. } => Kind::Aws,
        BakeError::Source(_) => Kind::NotFound,
        BakeError::Unsupported(_) => Kind::Usage,
        BakeError::Instance(_) => Kind::Aws,
        BakeError::Lints { .. } => Kind::Refused,
        BakeError::PostProcessor { .. } => Kind::AfterBake,
        BakeError::Interrupted => Kind::Interrupted,
        BakeError::Local { .. } | BakeError::Checksum { .. } => Kind::Failed,
    };
    let failure = Failure::of(kind, &error);
    match kind {
        Kind::Usage | Kind::NotFound => failure,
        Kind::AfterBake => failure.hint("bake again: the image is found, and the post-processors run again"),
        _ => failure
            .hint("finished layers are kept: the next bake goes on from them; `ovenbird doctor` shows what was left"),
    }
}
