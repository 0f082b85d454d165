//! `ovenbird promote`

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::project::OpenProject;

/// Let the next environment use the very image of the one before it
///
/// Points the next environment at the image that the environment before it uses: the same image, nothing is rebuilt
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The service
    service: String,
    /// The environment whose pointer moves
    #[arg(long, value_name = "ENVIRONMENT")]
    to: String,
    /// Take the image of this environment [default: the one before]
    #[arg(long, value_name = "ENVIRONMENT")]
    from: Option<String>,
    /// Allow to skip environments or to go back
    #[arg(long)]
    force: bool,
    /// Say what would change, change nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let project = OpenProject::find(context.global.directory.as_deref())?;
    project.service(&arguments.service)?;
    for environment in arguments.from.iter().chain([&arguments.to]) {
        project.environment(environment)?;
    }
    let account = Account::connect(context.global, project.project.region.as_deref(), context.output).await?;
    let promotion = ovenbird_fleet::promote(
        &account.client,
        &arguments.service,
        &project.project.environment_names(),
        (arguments.from.as_deref(), &arguments.to),
        arguments.force,
        arguments.dry_run,
    )
    .await
    .map_err(|error| match &error {
        ovenbird_fleet::FleetError::Promotion(_) => Failure::of(Kind::Refused, &error),
        _ => Failure::of(Kind::Aws, &error),
    })?;
    if context.output.is_json() {
        context.output.data(&serde_json::json!({
            "parameter": promotion.pointer.parameter(), "image": promotion.image, "replaces": promotion.replaces,
            "from": promotion.from, "changed": !promotion.is_done() && !arguments.dry_run, "dry_run": arguments.dry_run,
        }));
    } else {
        let would = if arguments.dry_run && !promotion.is_done() { "would move " } else { "" };
        context.output.print(&format!("{would}{promotion}"));
    }
    Ok(())
}
