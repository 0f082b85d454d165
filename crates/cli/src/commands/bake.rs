//! `ovenbird bake` and `ovenbird plan`

mod find;
mod reproduce;
pub(crate) mod show;

use std::time::Duration;

use ovenbird_bake::BakeError;
use ovenbird_bake::Baked;
use ovenbird_bake::Plan;
use ovenbird_bake::Request;
use ovenbird_bake::find_source;
use ovenbird_bake::has_package_lists;
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
use crate::template;
use crate::template::Given;
use crate::template::Occasion;

/// Bake a service's template into an image
///
/// Bakes the service's template into an image, and points the first environment at it. No instance is launched; layers
/// whose inputs did not change are not run again
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The service
    service: String,
    #[command(flatten)]
    given: Given,
    /// Run every layer, whatever is there
    #[arg(long)]
    rebuild: bool,
    /// Leave the first environment's pointer alone
    #[arg(long)]
    no_pointer: bool,
    /// Bake twice, every layer, the second time into nothing, and compare what came out
    #[arg(long, conflicts_with = "dry_run")]
    check_reproducible: bool,
    /// Show the plan, bake nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

impl Arguments {
    /// A check is of all layers, not of those that happen to be new.
    fn runs_all(&self) -> bool {
        self.rebuild || self.check_reproducible
    }
}

pub(crate) fn plan(context: Context<'_>, arguments: &plan::Arguments) -> Result<(), Failure> {
    wait_for(async {
        let (_, account, request) = prepare(context, &arguments.service, &arguments.given, arguments.rebuild).await?;
        show_plan(context, &account, &request).await
    })
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    // First of all, while there is one thread: every mount of the bake goes with this process, however it ends.
    if !arguments.dry_run {
        ovenbird_disk::namespace::enter_private().map_err(|error| {
            Failure::usage(format!("a bake mounts disks, which needs root: {error}")).hint("run it with sudo")
        })?;
    }
    wait_for(async {
        let (project, account, request) =
            prepare(context, &arguments.service, &arguments.given, arguments.runs_all()).await?;
        if arguments.dry_run {
            return show_plan(context, &account, &request).await;
        }
        let progress = Progress::new(context.output);
        let mut events = show::Events::new(context, &progress);
        let baked = ovenbird_bake::bake(&account.client, &request, &mut |event| events.show(&event)).await;
        let (plan, baked) = baked.map_err(failure)?;
        if arguments.check_reproducible {
            reproduce::check(context, &account, (&request, &plan), &baked.image, &progress).await?;
        }
        let took = progress.finish();
        let pointer = first_pointer(&project, arguments);
        let moved = match &pointer {
            Some(pointer) => ovenbird_fleet::put_pointer(&account.client, pointer, &baked.image)
                .await
                .map_err(|error| Failure::of(Kind::Aws, &error))?,
            None => false,
        };
        show_baked(context, &plan, &baked, took, pointer.filter(|_| moved).as_ref());
        Ok(())
    })
}

fn first_pointer(project: &OpenProject, arguments: &Arguments) -> Option<Pointer> {
    let first = project.project.environments.first().filter(|_| !arguments.no_pointer)?;
    Some(Pointer::new(&arguments.service, &first.name))
}

async fn prepare(
    context: Context<'_>,
    name: &str,
    given: &Given,
    rebuild: bool,
) -> Result<(OpenProject, Account, Request), Failure> {
    let project = OpenProject::find(context.global.directory.as_deref())?;
    let (service, file) = project.service(name)?;
    // The template's region counts where nothing else names one, as the project's does.
    let occasion = Occasion::draw(clock::wall())?;
    let recipe = template::read_service(&file, &service.variables, given, &project.folder, occasion)?;
    let build = find::build(&recipe, service.builder.as_deref(), &file)?;
    let region = find::region(&build).or_else(|| project.project.region.clone());
    let account = Account::connect(context.global, region.as_deref(), context.output).await?;
    let now = clock::now(&account)?;
    // Once more with the clock of this endpoint: the image's name may hold the time.
    let occasion = Occasion { instant: now, ..occasion };
    let recipe = template::read_service(&file, &service.variables, given, &project.folder, occasion)?;
    let build = find::build(&recipe, service.builder.as_deref(), &file)?;
    for note in &recipe.notes {
        context.output.note(&recipe.masked(&note.to_string()));
    }
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
        path: None,
        seed: occasion.seed,
        rebuild,
        keep_on_failure: false,
        resume: None,
    };
    Ok((project, account, request))
}

async fn show_plan(context: Context<'_>, account: &Account, request: &Request) -> Result<(), Failure> {
    let source = find_source(&account.client, &request.builder().map_err(failure)?.source).await.map_err(failure)?;
    if !has_package_lists(request, &source) {
        show::unread(context, request, &source);
        return Ok(());
    }
    let plan = Plan::make(&account.client, request, source).await.map_err(failure)?;
    show::plan(context, &plan);
    Ok(())
}

fn show_baked(context: Context<'_>, plan: &Plan, baked: &Baked, took: Duration, moved: Option<&Pointer>) {
    let output = context.output;
    if output.is_json() {
        output.data(&serde_json::json!({
            "event": "baked", "image": baked.image, "name": baked.name, "reused": baked.reused, "seconds": took.as_secs_f64(),
            "key": plan.image_key.hex(), "tree": baked.manifest.as_ref().map(|manifest| manifest.tree.hex()),
            "pointer": moved.map(Pointer::parameter),
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
            "baked `{}` in {:.1} s: {ran} of {} layers run, no instance launched",
            baked.name,
            took.as_secs_f64(),
            plan.layers.len()
        ));
    }
    if let Some(pointer) = moved {
        output.line(&format!("{} points at it now", pointer.parameter()));
    }
    output.print(&baked.image);
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(crate) fn failure(error: BakeError) -> Failure {
    let kind = match &error {
        BakeError::Aws { .. } | BakeError::PendingSnapshots { .. } => Kind::Aws,
        BakeError::Source(_) => Kind::NotFound,
        BakeError::Unsupported(_) => Kind::Usage,
        BakeError::Lints { .. } => Kind::Refused,
        BakeError::Interrupted => Kind::Interrupted,
        BakeError::Local { .. } | BakeError::Checksum { .. } => Kind::Failed,
    };
    let failure = Failure::of(kind, &error);
    match kind {
        Kind::Usage | Kind::NotFound => failure,
        _ => failure
            .hint("finished layers are kept: the next bake goes on from them; `ovenbird doctor` shows what was left"),
    }
}
