//! `ovenbird local base`

use jiff::Timestamp;
use ovenbird_local::base;
use ovenbird_local::base::BasePlan;

use super::Context;
use super::disk::NewImage;
use super::disk::register_disk;
use crate::failure::Failure;
use crate::failure::Kind;
use crate::folders;
use crate::progress::Progress;

/// The account that Debian publishes its images from (Debian wiki, Cloud/AmazonEC2Image).
const DEBIAN: &str = "136693071363";

/// Bases that can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    #[value(name = "debian-12")]
    Debian12,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The distribution
    #[arg(value_enum)]
    name: Name,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let plan = match arguments.name {
        Name::Debian12 => BasePlan::debian_12(),
    };
    let progress = Progress::new(context.output);
    let cache = folders::cache()?.join("bases");
    let disk = base::build(&plan, &cache, &mut |phase| progress.phase(phase_name(phase))).map_err(|error| {
        Failure::of(Kind::Failed, &error)
            .hint("`ovenbird local base` can be run again at any time: what was fetched is kept")
    })?;
    progress.phase("register the image");
    let epoch = i64::try_from(disk.epoch).ok().and_then(|epoch| Timestamp::from_second(epoch).ok()).unwrap_or_default();
    let name = format!("debian-12-amd64-{}", epoch.strftime("%Y%m%d"));
    let image = NewImage {
        name: &name,
        owner: DEBIAN,
        description: "Debian 12 (amd64), built from Debian's packages by Ovenbird",
        architecture: "x86_64",
        boot_mode: "uefi",
    };
    let registered = register_disk(context, &image, &disk.disk).await?;
    progress.finish();
    registered.tell(context, &image);
    Ok(())
}

fn phase_name(phase: base::Phase) -> &'static str {
    match phase {
        base::Phase::ReusePackages => "take the packages from the cache",
        base::Phase::FetchLists => "read the package archive",
        base::Phase::FetchPackages => "fetch packages",
        base::Phase::InstallPackages => "install packages",
        base::Phase::Unpack => "lay out files",
        base::Phase::Configure => "configure the system",
        base::Phase::WriteRoot => "write the root file system",
        base::Phase::WriteEsp => "write loader and kernel",
        base::Phase::Check => "check the file system",
    }
}
