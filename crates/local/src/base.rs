//! Building a bootable Debian base disk from Debian's packages: the image that everything else is baked on.
//!
//! The recipe reads from top to bottom in [`build`]. Only the packages need the network; what they unpack to is kept, and so is
//! the disk, until something that goes into it changes. The same packages give the same disk, byte for byte.

mod configuration;
mod disk;
mod kept;
mod tree;
mod userland;

use std::io;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::esp::EspError;
use ovenbird_disk::gpt::PartitionError;
use ovenbird_disk::kernel::KernelError;
use ovenbird_disk::tool;
use ovenbird_disk::tool::ToolError;
use rustix::fs::FlockOperation;

pub use disk::COMMAND_LINE;
pub use kept::Edition;
pub use userland::BasePlan;

/// The size of a base's disk in bytes, most of it a hole. Instances grow their root to the size of their volume.
pub const DISK_SIZE: u64 = 4 << 30;

/// A bootable disk, ready to be registered as an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseDisk {
    /// The sparse raw disk of [`DISK_SIZE`] bytes, in the cache folder. The next build of the same plan replaces it.
    pub disk: PathBuf,
    /// What it is made of.
    pub edition: Edition,
    /// The version of its kernel, as in `uname -r`.
    pub kernel: String,
    /// Its packages, `name version`, sorted.
    pub packages: Vec<String>,
    /// Whether the packages came from the cache.
    pub is_from_cache: bool,
}

/// What a build may take over from an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// The disk, where nothing that goes into it has changed; else the packages.
    Disk,
    /// The packages.
    Packages,
    /// Nothing: the packages are fetched as the archives have them now.
    Nothing,
}

/// What a build is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The disk was built by an earlier build.
    ReuseDisk,
    /// The packages were unpacked by an earlier build.
    ReusePackages,
    /// The package lists are fetched.
    FetchLists,
    /// The packages are fetched.
    FetchPackages,
    /// The packages are unpacked and configured.
    InstallPackages,
    /// The files of all packages are laid out.
    Unpack,
    /// The system is configured, and what belongs to one machine is removed.
    Configure,
    /// The root file system is written.
    WriteRoot,
    /// Loader and kernel are written.
    WriteEsp,
    /// The file system is checked.
    Check,
}

/// A base that could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Not root.
    #[error("building a base needs root, for the owners of the files in it; run it with sudo")]
    NotRoot,
    /// A system tool failed, is missing, or was interrupted.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file cannot be read or written.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's reason; it names the file.
        #[source]
        source: io::Error,
    },
    /// The partition table cannot be written.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// The EFI system partition cannot be written.
    #[error(transparent)]
    Esp(#[from] EspError),
    /// The kernel cannot be put on the EFI system partition.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The packages do not make a system that boots.
    #[error("the packages do not make a bootable system: {0}")]
    NotBootable(String),
}

/// Everything that a build calls, and what for; asked before the first effect.
const TOOLS: [(&str, &str); 11] = [
    ("mmdebstrap", "install the packages"),
    ("unshare", "install the packages"),
    ("apt-config", "ask how this machine reaches package archives"),
    ("tar", "unpack the base"),
    ("chroot", "configure the base"),
    ("mke2fs", "write the root file system"),
    ("debugfs", "date the files of the root file system"),
    ("e2fsck", "check the root file system"),
    ("mkfs.vfat", "format the EFI system partition"),
    ("mcopy", "write the EFI system partition"),
    (disk::LOADER, "install systemd-boot (on Debian: apt-get install systemd-boot-efi)"),
];

/// Builds the disk that `plan` describes. `cache` is a folder of this function's own: it keeps the packages there, and the disk.
///
/// Two builds with one cache wait for each other. Whatever ends a build, the next one clears what it left.
///
/// # Errors
/// [`BaseError`] when a tool is missing or fails, the archives cannot be reached, or there is no room in `cache`.
pub fn build(
    plan: &BasePlan,
    cache: &Path,
    reuse: Reuse,
    progress: &mut dyn FnMut(Phase),
) -> Result<BaseDisk, BaseError> {
    if !rustix::process::geteuid().is_root() {
        return Err(BaseError::NotRoot);
    }
    for (name, doing) in TOOLS {
        tool::ensure_installed(name, doing)?;
    }
    let cache = &ensure_cache(cache)?;
    let _lock = lock(cache)?;
    let work = clear_work_folder(cache)?;

    let userland = userland::ensure(plan, cache, reuse, &work, progress)?;
    let edition = Edition::of(plan, userland.epoch)?;
    if reuse == Reuse::Disk
        && let Some(base) = kept::find(plan, cache, &edition)
    {
        progress(Phase::ReuseDisk);
        return Ok(base);
    }
    progress(Phase::Unpack);
    let root = tree::unpack(&userland.tar, &work)?;
    progress(Phase::Configure);
    configuration::apply(plan, &root)?;
    tree::remove_identity(&root)?;
    let packages = tree::list_packages(&root)?;
    tree::clamp_times(&root, userland.epoch)?;
    let (built, kernel) = disk::write(&root, userland.epoch, &work, progress)?;

    let base = BaseDisk { disk: built.clone(), edition, kernel, packages, is_from_cache: userland.is_from_cache };
    let base = kept::keep(plan, cache, &built, base)?;
    fs::remove_dir_all(&work).map_err(io_error("clear the work folder"))?;
    Ok(base)
}

/// The cache folder by its real path, as the kernel names it among the mounts.
fn ensure_cache(cache: &Path) -> Result<PathBuf, BaseError> {
    let ensure = || fs::create_dir_all(cache).and_then(|()| fs::canonicalize(cache));
    ensure().map_err(io_error(&format!("make the cache folder {}", cache.display())))
}

/// Held until dropped; the kernel drops it for a process that dies.
fn lock(cache: &Path) -> Result<fs::File, BaseError> {
    let locked = || {
        let file = fs::File::create(cache.join("lock"))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    };
    locked().map_err(io_error(&format!("lock the cache folder {}", cache.display())))
}

fn clear_work_folder(cache: &Path) -> Result<PathBuf, BaseError> {
    let work = cache.join("work");
    let clear = || {
        refuse_mounts_below(&work)?;
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fs::create_dir(&work)
    };
    clear().map_err(io_error(&format!("clear {}", work.display())))?;
    Ok(work)
}

/// Removing a folder with this machine's `/dev` mounted in it would be a disaster. There can be none, so look.
fn refuse_mounts_below(folder: &Path) -> io::Result<()> {
    let folder = folder.to_string_lossy();
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut targets = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    match targets.find(|target| target.starts_with(&*folder)) {
        None => Ok(()),
        Some(target) => Err(io::Error::other(format!("{target} is mounted; unmount it first: umount {target}"))),
    }
}

fn io_error(doing: &str) -> impl Fn(io::Error) -> BaseError + use<> {
    let doing = doing.to_owned();
    move |source| BaseError::Io { doing: doing.clone(), source }
}
