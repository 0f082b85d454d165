//! `ovenbird rebuild`

mod matrix;
mod outcome;
mod planning;
mod run;
mod show;

use std::num::NonZero;

use ovenbird_core::pointer::Pointer;
use ovenbird_core::rebuild::units;

use self::planning::Fleet;
use super::Context;
use super::wait_for;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::progress::Progress;
use crate::project::OpenProject;
use crate::template::Given;

/// Bake every service whose inputs changed, common layers once
///
/// Works out from the inputs which services changed, and bakes those: layers that several services share once and first,
/// then the services side by side. What did not change is reused. A service that fails does not stop the others
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these services [default: all of the project]
    services: Vec<String>,
    /// Every service's template is given them
    #[command(flatten)]
    given: Given,
    /// Bakes that run at a time [default: one for each core]
    #[arg(long, short, value_name = "NUMBER")]
    jobs: Option<NonZero<usize>>,
    /// Leave the first environment's pointers alone
    #[arg(long)]
    no_pointer: bool,
    /// Say what would be baked, bake nothing; with --json, a matrix for a CI system to fan out
    #[arg(long, visible_alias = "dry-run", short = 'n')]
    plan: bool,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let mounts = ovenbird_disk::namespace::enter_private();
    if !arguments.plan {
        mounts.map_err(|error| {
            Failure::usage(format!("bakes mount disks, which needs root: {error}")).hint("run it with sudo")
        })?;
    }
    let project = OpenProject::find(context.global.directory.as_deref())?;
    let names = names(&project, &arguments.services)?;
    let progress = Progress::new(context.output);
    let fleet = wait_for(planning::plan(context, &arguments.given, &names, &progress))?;
    let units = units(&fleet.wanted());
    progress.finish();
    if arguments.plan {
        matrix::show(context, &arguments.given, &fleet, &units);
        return fleet.verify_planned();
    }
    wait_for(point_at_reused(&fleet, &project, arguments))?;
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let ended = run::run(context, arguments, &fleet, &units, jobs)?;
    let services = outcome::services(&fleet, &units, &ended);
    show::summary(context, &fleet, &units, &ended, &services);
    end(&services)
}

/// The services that are wanted, in the project's order.
fn names(project: &OpenProject, wanted: &[String]) -> Result<Vec<String>, Failure> {
    for name in wanted {
        project.service(name)?;
    }
    let names: Vec<String> =
        project.project.services.keys().filter(|name| wanted.is_empty() || wanted.contains(name)).cloned().collect();
    if names.is_empty() {
        return Err(Failure::usage("the project has no services, so there is nothing to rebuild")
            .hint("add [services.NAME] with a template to ovenbird.toml"));
    }
    Ok(names)
}

/// The pointers of services that are baked already: a bake of each would move them too.
async fn point_at_reused(fleet: &Fleet, project: &OpenProject, arguments: &Arguments) -> Result<(), Failure> {
    let Some(first) = project.project.environments.first().filter(|_| !arguments.no_pointer) else { return Ok(()) };
    for (service, account, image) in fleet.reused() {
        ovenbird_fleet::put_pointer(&account.client, &Pointer::new(service, &first.name), image)
            .await
            .map_err(|error| Failure::of(Kind::Aws, &error))?;
    }
    Ok(())
}

/// The exit code tells whether every service has its image.
fn end(services: &[outcome::Service]) -> Result<(), Failure> {
    let lost: Vec<&str> =
        services.iter().filter(|service| service.is_lost()).map(|service| service.name.as_str()).collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Failed,
        format!("{} of {} services failed: {}", lost.len(), services.len(), lost.join(", ")),
    )
    .hint("finished layers are kept: the next rebuild goes on from them"))
}
