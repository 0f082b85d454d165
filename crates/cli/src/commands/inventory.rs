//! `ovenbird inventory`

use super::Context;
use crate::account::Account;
use crate::clock;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::project;

/// Record which images are in use (the scheduled job, by hand)
///
/// Writes `LastUsed` on every image that an instance or a pointer uses, then `LastUsedRuntime` on all of them
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Look only, write nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let account =
        Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
    let now = clock::now(&account)?;
    let report = ovenbird_fleet::inventory(&account.client, now, arguments.dry_run).await.map_err(|error| {
        Failure::of(Kind::Aws, &error)
            .hint("nothing was committed, so cleanup deletes nothing on the strength of this run; run it again")
    })?;
    if context.output.is_json() {
        context.output.data(&report);
        return Ok(());
    }
    for used in &report.in_use {
        context.output.print(&format!("{}  in use by {}", used.image, used.by.join(", ")));
    }
    let did = if report.dry_run { "would mark" } else { "marked" };
    context.output.print(&format!(
        "{did} {} of {} images as used, on {} instances, as of {}",
        report.in_use.len(),
        report.images.len(),
        report.instances,
        report.began
    ));
    Ok(())
}
