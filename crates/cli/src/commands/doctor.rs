//! `ovenbird doctor`

use ovenbird_aws::ec2;
use ovenbird_fleet::list_pointers;
use serde::Serialize;

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;
use crate::project;

/// Find what cut-off bakes left behind, and what is wrong
///
/// Lists what cut-off bakes have left on this machine and in this account, and pointers that name images which are gone
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Take back what cut-off bakes have left
    #[arg(long)]
    fix: bool,
}

/// What is wrong.
#[derive(Serialize)]
struct Findings {
    abandoned: Vec<ovenbird_bake::Abandoned>,
    dangling: Vec<Dangling>,
    fixed: bool,
}

/// A pointer whose image cannot be launched.
#[derive(Serialize)]
struct Dangling {
    parameter: String,
    image: String,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let account =
        Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
    let folders = folders::bake()?;
    let failed = |error: ovenbird_bake::BakeError| Failure::of(Kind::Failed, &error);
    let abandoned = ovenbird_bake::find_abandoned(&account.client, &folders).await.map_err(failed)?;
    if arguments.fix {
        for left in &abandoned {
            ovenbird_bake::undo_abandoned(&account.client, &folders, &left.bake).await.map_err(failed)?;
        }
        ovenbird_bake::drop_half_fetched(&folders)?;
    }
    let findings = Findings { abandoned, dangling: dangling(&account).await?, fixed: arguments.fix };
    if context.output.is_json() {
        context.output.data(&findings);
    } else {
        tell(context, &findings);
    }
    if !findings.dangling.is_empty() || (!findings.abandoned.is_empty() && !arguments.fix) {
        return Err(Failure::new(Kind::Refused, "something is wrong, see above"));
    }
    Ok(())
}

async fn dangling(account: &Account) -> Result<Vec<Dangling>, Failure> {
    let mut found = Vec::new();
    for (pointer, state) in list_pointers(&account.client).await.map_err(|error| Failure::of(Kind::Aws, &error))? {
        let filters = vec![ec2::Filter::new("image-id", [&state.image]), ec2::Filter::new("state", ["available"])];
        let pages = account.client.send_all(ec2::DescribeImagesRequest { filters, ..Default::default() }).await?;
        if pages.iter().all(|page| page.images.is_empty()) {
            found.push(Dangling { parameter: pointer.parameter(), image: state.image });
        }
    }
    Ok(found)
}

fn tell(context: Context<'_>, findings: &Findings) {
    let output = context.output;
    for left in &findings.abandoned {
        let did = if findings.fixed { "took back" } else { "left behind by" };
        let service = left.service.as_deref().map_or_else(String::new, |service| format!(" of {service}"));
        output.print(&format!(
            "{did} {}{service}: {} pending snapshots, {} processes, {}{}",
            left.bake,
            left.snapshots.len(),
            left.processes.len(),
            left.launched
                .iter()
                .cloned()
                .chain(left.copies.iter().map(|copy| format!("{} in {}", copy.image, copy.region)))
                .map(|what| format!("{what}, "))
                .collect::<String>(),
            left.folder.display()
        ));
    }
    for pointer in &findings.dangling {
        output.print(&format!("{} names {}, which cannot be launched", pointer.parameter, pointer.image));
    }
    if findings.abandoned.is_empty() && findings.dangling.is_empty() {
        output.print("all is well");
    } else if !findings.fixed && !findings.abandoned.is_empty() {
        output.hint("`ovenbird bake --resume` goes on with a bake; `ovenbird doctor --fix` takes back what it left");
    }
}
