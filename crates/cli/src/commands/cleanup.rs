//! `ovenbird cleanup`

use ovenbird_core::retention::Policy;
use ovenbird_fleet::CleanupReport;
use ovenbird_fleet::ImageVerdict;

use super::Context;
use crate::account::Account;
use crate::clock;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::project;

/// Delete images that nothing uses any more (the scheduled job, by hand)
///
/// Deletes images with AutoCleanup=true that were not used for 7 days, if a complete inventory ran within the last hour and
/// nothing else speaks for them; says why for every image
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Say what would go and why, delete nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let account =
        Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
    let now = clock::now(&account)?;
    let report = ovenbird_fleet::cleanup(&account.client, now, &Policy::default(), arguments.dry_run)
        .await
        .map_err(|error| Failure::of(Kind::Aws, &error).hint("run it again: it takes up where it was cut off"))?;
    if context.output.is_json() {
        context.output.data(&report);
    } else {
        tell(context, &report);
    }
    Ok(())
}

fn tell(context: Context<'_>, report: &CleanupReport) {
    let output = context.output;
    for image in &report.images {
        output.print(&line(image, report.dry_run));
        for (snapshot, word) in image.deleted.iter().flat_map(|deleted| &deleted.kept) {
            output.print(&format!("    its snapshot {snapshot} stays: {word}"));
        }
    }
    for layer in &report.layers {
        let verdict = verb(layer.delete, report.dry_run);
        output.print(&format!("{verdict} layer {}  {}", layer.snapshot, layer.why.join("; ")));
    }
    let gone = report.images.iter().filter(|image| image.delete).count();
    let snapshots: usize =
        report.images.iter().filter_map(|image| image.deleted.as_ref()).map(|deleted| deleted.snapshots.len()).sum();
    let did = if report.dry_run { "would delete" } else { "deleted" };
    output.print(&format!("{did} {gone} of {} images, with {snapshots} snapshots", report.images.len()));
}

fn line(image: &ImageVerdict, dry_run: bool) -> String {
    format!("{} {}  {}  {}", verb(image.delete, dry_run), image.image, image.name, image.why.join("; "))
}

fn verb(delete: bool, dry_run: bool) -> &'static str {
    match (delete, dry_run) {
        (false, _) => "keeps",
        (true, true) => "would delete",
        (true, false) => "deleted",
    }
}
