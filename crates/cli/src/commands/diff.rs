//! `ovenbird diff`

mod json;
mod page;
mod text;
mod words;

use std::path::PathBuf;

use ovenbird_bake::Looked;
use ovenbird_core::diff::ImageDiff;
use ovenbird_core::diff::Summary;

pub(crate) use self::text::file_line;
use super::Context;
use super::bake::failure;
use super::bake::show;
use super::wait_for;
use crate::account::Account;
use crate::failure::Failure;
use crate::folders;
use crate::image;
use crate::progress::Progress;
use crate::project;

/// Compare two images: packages, files, services, users, size
///
/// Says what the second image has, lacks or has otherwise than the first: packages with their versions, files by what they
/// are for, enabled units, users and groups, size. Works for any image of the account, whoever baked it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// An image's id or name, SERVICE@ENVIRONMENT, or a service (its youngest image)
    before: String,
    /// The image to compare it with
    after: String,
    /// List every file, also those that came with their package
    #[arg(long)]
    all: bool,
    /// Write an HTML page for people to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Two images side by side.
pub(crate) struct Comparison {
    pub(crate) before: Looked,
    pub(crate) after: Looked,
    pub(crate) diff: ImageDiff,
    pub(crate) summary: Summary,
}

impl Comparison {
    pub(crate) fn of(before: Looked, after: Looked) -> Self {
        let diff = ImageDiff::between(&before.contents, &after.contents);
        let summary = diff.summary(&before.contents, &after.contents);
        Self { before, after, diff, summary }
    }
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let may_mount = may_mount();
    wait_for(async {
        let account =
            Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
        let ids = (image::find(&account, &arguments.before).await?, image::find(&account, &arguments.after).await?);
        let progress = Progress::new(context.output);
        let before = look(context, &account, &ids.0, &progress, may_mount).await?;
        let after = look(context, &account, &ids.1, &progress, may_mount).await?;
        progress.finish();
        let comparison = Comparison::of(before, after);
        if let Some(file) = &arguments.html {
            fs_err::write(file, page::render(&comparison))?;
        }
        if context.output.is_json() {
            context.output.data(&json::render(&comparison));
        } else {
            text::show(*context.output, &comparison, arguments.all);
        }
        if let Some(file) = &arguments.html {
            context.output.note(&format!("wrote {}", file.display()));
        }
        Ok(())
    })
}

/// Moves this process to mounts of its own, which reading an image's blocks needs. Only root can; who is not may still compare
/// images whose contents are kept.
pub(crate) fn may_mount() -> bool {
    ovenbird_disk::namespace::enter_private().is_ok()
}

/// Looks into an image, showing how.
pub(crate) async fn look(
    context: Context<'_>,
    account: &Account,
    image: &str,
    progress: &Progress<'_>,
    may_mount: bool,
) -> Result<Looked, Failure> {
    let mut events = show::Events::new(context, progress);
    let folders = folders::bake()?;
    // With --json the answer is one document.
    let mut on_event = |event| {
        if !context.output.is_json() {
            events.show(&event);
        }
    };
    let looked = ovenbird_bake::look(&account.client, &folders, (&account.id, image), may_mount, &mut on_event).await;
    looked.map_err(failure)
}
