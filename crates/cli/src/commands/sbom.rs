//! `ovenbird sbom`

use jiff::Timestamp;
use ovenbird_core::block::Digest;
use ovenbird_core::sbom;

use super::Context;
use super::diff::look;
use super::wait_for;
use crate::account::Account;
use crate::failure::Failure;
use crate::image;
use crate::progress::Progress;
use crate::project;

/// Write the bill of materials of an image
///
/// Writes what an image's package database lists, as the SPDX or CycloneDX document that scanners read. The same image
/// has the same document
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// An image's id or name, SERVICE@ENVIRONMENT, or a service (its youngest image)
    image: String,
    /// The document's format
    #[arg(long, value_enum, default_value_t = Format::Spdx)]
    format: Format,
    /// Write to this file [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// SPDX 2.3, JSON
    Spdx,
    /// CycloneDX 1.5, JSON
    Cyclonedx,
}

pub(crate) fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let may_mount = super::diff::may_mount();
    wait_for(async {
        let account =
            Account::connect(context.global, project::find_region(context.global).as_deref(), context.output).await?;
        let id = image::find(&account, &arguments.image).await?;
        let progress = Progress::new(context.output);
        let looked = look(context, &account, &id, &progress, may_mount).await?;
        progress.finish();
        let text = serde_json::to_vec(&looked.contents).map_err(|error| Failure::usage(error.to_string()))?;
        let subject = sbom::Subject {
            name: &looked.name,
            image: &looked.image,
            content: Digest::of(&text),
            created: looked.created.unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let document = match arguments.format {
            Format::Spdx => sbom::spdx(&subject, &looked.contents),
            Format::Cyclonedx => sbom::cyclonedx(&subject, &looked.contents),
        };
        let text = format!("{document:#}");
        match &arguments.output {
            Some(file) => {
                fs_err::write(file, text + "\n")?;
                context.output.note(&format!("wrote {}", file.display()));
            }
            None if context.output.is_json() => context.output.data(&document),
            None => context.output.print(&text),
        }
        Ok(())
    })
}
