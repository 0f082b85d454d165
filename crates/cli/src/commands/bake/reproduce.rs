//! `ovenbird bake --check-reproducible`

use ovenbird_bake::Plan;
use ovenbird_bake::Request;
use ovenbird_bake::bake_again;
use ovenbird_core::diff::ImageDiff;

use super::Context;
use super::failure;
use super::show;
use crate::account::Account;
use crate::commands::diff::file_line;
use crate::commands::diff::look;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::progress::Progress;

/// Differences that are told; what makes one usually makes many.
const MOST: usize = 50;

/// Bakes once more and compares with `image`, which the same request just became.
pub(super) async fn check(
    context: Context<'_>,
    account: &Account,
    (request, plan): (&Request, &Plan),
    image: &str,
    progress: &Progress<'_>,
) -> Result<(), Failure> {
    let first = look(context, account, image, progress, true).await?;
    let mut events = show::Events::new(context, progress);
    let again = bake_again(&account.client, request, plan, &mut |event| events.show(&event)).await.map_err(failure)?;
    let diff = ImageDiff::between(&first.contents, &again);
    if diff.is_empty() {
        progress.line(&format!("baked twice: {} files, all the same", again.files.len()));
        return Ok(());
    }
    let rows = diff.file_rows();
    let more = rows.len().saturating_sub(MOST);
    let lines = rows.iter().take(MOST).map(file_line);
    let lines = lines.chain((more > 0).then(|| format!("and {more} more")));
    Err(Failure::new(
        Kind::Refused,
        format!("{image} is not reproducible: baked again from the same inputs, {} files differ", rows.len()),
    )
    .picture(lines.collect::<Vec<_>>().join("\n"))
    .hint("the image is registered, and the pointer was not moved; make the play write the same each time (no dates, no random values)"))
}
