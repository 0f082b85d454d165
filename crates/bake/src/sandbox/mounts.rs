//! The mounts of a sandbox, made in its own mount name space by a thread that moves into it.

use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use ovenbird_disk::process::Process;
use rustix::mount::MountFlags;
use rustix::mount::MountPropagationFlags;
use rustix::mount::UnmountFlags;
use rustix::thread::LinkNameSpaceType;

use super::Layers;
use super::SandboxError;
use super::Tmp;
use super::package_cache::Opened;

/// Where in PID 1's room the image is.
pub(super) const IMAGE: &str = "image";

/// All that the play will see.
pub(super) struct View<'a> {
    pub(super) layers: &'a Layers,
    pub(super) shield: &'a Path,
    pub(super) room: &'a Path,
    pub(super) packages: Option<&'a Opened>,
    pub(super) tmp: Tmp,
}

/// The devices that programs expect; no disk and no terminal of the host is among them.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Links in `/dev`.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Parts of `/proc` through which root could change the host; they are root's by mode alone, whatever its capabilities.
const READ_ONLY_PROC: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];

/// Flags of a mount that holds no programs and no devices.
const PLAIN: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);

/// Builds the view in the name spaces of `init` and makes it their root.
pub(super) fn build(init: &Process, view: &View<'_>) -> Result<(), SandboxError> {
    let open = |kind: &str| fs::File::open(format!("/proc/{}/ns/{kind}", init.pid));
    let (mount_space, uts_space) = (open("mnt")?, open("uts")?);
    std::thread::scope(|scope| {
        // A thread of its own, since moving into a name space is for ever.
        let built = scope.spawn(|| {
            share_no_folder().map_err(failed("leave the host's folders"))?;
            enter(&uts_space, LinkNameSpaceType::HostNameAndNISDomainName)
                .map_err(failed("enter the host name's space"))?;
            // A name that every image can resolve; `sudo` asks for it.
            rustix::system::sethostname(b"localhost").map_err(failed("set the host name"))?;
            enter(&mount_space, LinkNameSpaceType::Mount).map_err(failed("enter the mount space"))?;
            mount_all(view)
        });
        built.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The kernel moves a thread into a mount name space only when its current folder is its own.
#[expect(deprecated, reason = "its successor is unsafe because of CLONE_FILES, and this passes CLONE_FS alone")]
fn share_no_folder() -> rustix::io::Result<()> {
    rustix::thread::unshare(rustix::thread::UnshareFlags::FS)
}

fn enter(space: &fs::File, kind: LinkNameSpaceType) -> rustix::io::Result<()> {
    rustix::thread::move_into_link_name_space(space.file().as_fd(), Some(kind))
}

fn mount_all(view: &View<'_>) -> Result<(), SandboxError> {
    let room = view.room.join("root");
    mount("room", &room, "tmpfs", PLAIN, "mode=0755,size=64k")?;
    let image = room.join(IMAGE);
    fs::create_dir(&image)?;
    mount("overlay", &image, "overlay", MountFlags::empty(), &overlay_options(view)?)?;
    ensure_fit(&image)?;
    mount_kernel(&image, &view.room.join("proc"))?;
    make_tmp(&image, view.tmp)?;
    mount_devices(&image)?;
    if let Some(packages) = view.packages {
        bind(&packages.lists, &ensure_folder(&image, "var/lib/apt/lists")?)?;
        bind(&packages.cache, &ensure_folder(&image, "var/cache/apt")?)?;
    }
    remount_read_only(&room)?;
    make_root(&room).map_err(failed("make the image the root"))
}

/// `redirect_dir`, `metacopy` and `index` off: an upper then holds whole files and folders, which is what `apply` reads.
fn overlay_options(view: &View<'_>) -> Result<String, SandboxError> {
    let Layers { lower, upper, work } = view.layers;
    let text = |path: &PathBuf| {
        let text = path.to_str().filter(|text| !text.contains([':', ',', '\\']));
        text.map(ToOwned::to_owned).ok_or_else(|| SandboxError::Path(path.clone()))
    };
    let mut lowers = vec![text(&view.shield.to_owned())?];
    for path in lower {
        lowers.push(text(path)?);
    }
    let (lower, upper, work) = (lowers.join(":"), text(upper)?, text(work)?);
    Ok(format!("lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=off,metacopy=off,index=off"))
}

fn ensure_fit(image: &Path) -> Result<(), SandboxError> {
    let has = |path: &str| fs::symlink_metadata(image.join(path)).is_ok();
    if !has("bin/sh") {
        return Err(SandboxError::Lacks { path: "/bin/sh", advice: "is it a root file system?" });
    }
    if !has("usr/bin/setpriv") {
        return Err(SandboxError::Lacks { path: "/usr/bin/setpriv", advice: "it is in Debian's package util-linux" });
    }
    Ok(())
}

fn mount_kernel(image: &Path, proc_of_init: &Path) -> Result<(), SandboxError> {
    let proc = ensure_folder(image, "proc")?;
    rustix::mount::mount_move(proc_of_init, &proc).map_err(failed("mount /proc"))?;
    for part in READ_ONLY_PROC {
        let part = proc.join(part);
        if part.exists() {
            bind(&part, &part)?;
            remount_read_only(&part)?;
        }
    }
    mount("sysfs", &ensure_folder(image, "sys")?, "sysfs", PLAIN | MountFlags::RDONLY, "")?;
    let run = ensure_folder(image, "run")?;
    mount("run", &run, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, "mode=0755")?;
    fs::create_dir(run.join("lock"))?;
    make_sticky(&run.join("lock"))
}

fn make_tmp(image: &Path, tmp: Tmp) -> Result<(), SandboxError> {
    let folder = ensure_folder(image, "tmp")?;
    match tmp {
        Tmp::OfItsOwn => mount("tmp", &folder, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, "mode=1777"),
        Tmp::Kept | Tmp::Cleared => make_sticky(&folder),
    }
}

fn make_sticky(folder: &Path) -> Result<(), SandboxError> {
    let mode = rustix::fs::Mode::from_raw_mode(0o1777);
    rustix::fs::chmod(folder, mode).map_err(failed(format!("make {} everybody's", folder.display())))
}

fn mount_devices(image: &Path) -> Result<(), SandboxError> {
    let dev = ensure_folder(image, "dev")?;
    mount("dev", &dev, "tmpfs", MountFlags::NOSUID | MountFlags::NOEXEC, "mode=0755,size=64k")?;
    for name in DEVICES {
        let node = dev.join(name);
        fs::write(&node, "")?;
        bind(&Path::new("/dev").join(name), &node)?;
    }
    for (name, target) in LINKS {
        std::os::unix::fs::symlink(target, dev.join(name))?;
    }
    mount(
        "devpts",
        &ensure_folder(&dev, "pts")?,
        "devpts",
        MountFlags::NOSUID | MountFlags::NOEXEC,
        "newinstance,ptmxmode=0666,mode=620,gid=5",
    )?;
    mount("shm", &ensure_folder(&dev, "shm")?, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, "mode=1777")
}

/// Turns the name space's root to `room` and lets go of the host's tree. All processes inside move along.
fn make_root(room: &Path) -> rustix::io::Result<()> {
    rustix::process::chdir(room)?;
    // pivot_root(2): with "." for both, the old root ends on top of the new one, and the next line takes it off.
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)
}

fn mount(source: &str, target: &Path, kind: &str, flags: MountFlags, options: &str) -> Result<(), SandboxError> {
    let options = std::ffi::CString::new(options).map_err(io::Error::from)?;
    rustix::mount::mount(source, target, kind, flags, Some(options.as_c_str()))
        .and_then(|()| rustix::mount::mount_change(target, MountPropagationFlags::PRIVATE))
        .map_err(failed(format!("mount {kind} on {}", target.display())))
}

fn bind(source: &Path, target: &Path) -> Result<(), SandboxError> {
    rustix::mount::mount_bind(source, target).map_err(failed(format!("show {}", source.display())))
}

fn remount_read_only(target: &Path) -> Result<(), SandboxError> {
    rustix::mount::mount_remount(target, MountFlags::BIND | MountFlags::RDONLY | PLAIN, "")
        .map_err(failed(format!("make {} read-only", target.display())))
}

/// A mount point below `root`; where the image lacks it, it is made in the image, which needs it to boot anyway.
///
/// A link on the way is refused: before the image is the root, an absolute link would lead into the host.
fn ensure_folder(root: &Path, path: &str) -> Result<PathBuf, SandboxError> {
    let mut folder = root.to_owned();
    for name in path.split('/') {
        folder.push(name);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(SandboxError::NotAFolder(format!("/{path}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&folder)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(folder)
}

fn failed(doing: impl Into<String>) -> impl FnOnce(rustix::io::Errno) -> SandboxError {
    let doing = doing.into();
    move |source| SandboxError::Mount { doing, source: source.into() }
}
