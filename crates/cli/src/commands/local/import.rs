//! `ovenbird local import`

use std::path::PathBuf;

use ovenbird_disk::qcow2;
use ovenbird_local::DEFAULT_ACCOUNT;

use super::Context;
use super::disk::NewImage;
use super::disk::register_disk;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A raw or qcow2 disk image
    file: PathBuf,
    /// The image's name
    #[arg(long)]
    name: String,
    /// The account that owns it; an image of another account than the default one is public
    #[arg(long, default_value = DEFAULT_ACCOUNT, value_name = "ID")]
    owner: String,
    /// The architecture of its kernel
    #[arg(long, default_value = "x86_64", value_parser = ["x86_64", "arm64"])]
    architecture: String,
    /// How the firmware starts it
    #[arg(long, default_value = "uefi", value_parser = ["uefi", "legacy-bios", "uefi-preferred"])]
    boot_mode: String,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let folder = folders::cache()?.join("import");
    fs_err::create_dir_all(&folder)?;
    let raw = folder.join(format!("{}.raw", std::process::id()));
    let imported = import(context, arguments, &raw).await;
    // The copy was only for reading blocks; what could not be made is not there.
    drop(fs_err::remove_file(&raw));
    imported
}

async fn import(context: Context<'_>, arguments: &Arguments, raw: &std::path::Path) -> Result<(), Failure> {
    qcow2::ensure_raw(&arguments.file, raw).map_err(|error| Failure::of(Kind::Usage, &error))?;
    let image = NewImage {
        name: &arguments.name,
        owner: &arguments.owner,
        description: &format!("imported from {}", arguments.file.file_name().unwrap_or_default().to_string_lossy()),
        architecture: &arguments.architecture,
        boot_mode: &arguments.boot_mode,
    };
    let registered = register_disk(context, &image, raw).await?;
    registered.tell(context, &image);
    Ok(())
}
