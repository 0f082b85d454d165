//! `ovenbird local base`

use jiff::Timestamp;
use ovenbird_local::base;
use ovenbird_local::base::BasePlan;
use ovenbird_local::base::Edition;
use ovenbird_local::base::Reuse;

use super::Context;
use super::disk::NewImage;
use super::disk::find_registered;
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
    /// Fetch the packages as the archives have them now, and build the image from them
    #[arg(long)]
    rebuild: bool,
}

pub(crate) async fn run(context: Context<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let plan = match arguments.name {
        Name::Debian12 => BasePlan::debian_12(),
    };
    let cache = folders::cache()?.join("bases");
    let reuse = if arguments.rebuild { Reuse::Nothing } else { Reuse::Disk };
    if reuse == Reuse::Disk
        && let Some(edition) = Edition::find(&plan, &cache)
    {
        let name = name_of(&edition);
        let image = image(&name);
        if let Some(registered) = find_registered(context, &image).await? {
            registered.tell(context, &image);
            return Ok(());
        }
    }
    let progress = Progress::new(context.output);
    let disk = base::build(&plan, &cache, reuse, &mut |phase| progress.phase(phase_name(phase))).map_err(|error| {
        Failure::of(Kind::Failed, &error)
            .hint("`ovenbird local base` can be run again at any time: what was fetched is kept")
    })?;
    progress.phase("register the image");
    let name = name_of(&disk.edition);
    let image = image(&name);
    let registered = register_disk(context, &image, &disk.disk).await?;
    progress.finish();
    registered.tell(context, &image);
    Ok(())
}

/// `debian-12-amd64-<date>-<digits of the recipe>`: another content never comes under a name that is taken.
fn name_of(edition: &Edition) -> String {
    let published = i64::try_from(edition.epoch).ok().and_then(|epoch| Timestamp::from_second(epoch).ok());
    let day = published.unwrap_or_default().strftime("%Y%m%d");
    format!("debian-12-amd64-{day}-{:.8}", edition.recipe)
}

fn image(name: &str) -> NewImage<'_> {
    NewImage {
        name,
        owner: DEBIAN,
        description: "Debian 12 (amd64), built from Debian's packages by Ovenbird",
        architecture: "x86_64",
        boot_mode: "uefi",
    }
}

fn phase_name(phase: base::Phase) -> &'static str {
    match phase {
        base::Phase::ReuseDisk => "take the disk from the cache",
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
