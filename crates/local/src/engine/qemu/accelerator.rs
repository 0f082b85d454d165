//! Whether KVM runs a guest here. `/dev/kvm` that opens is no proof: under some hypervisors an ordinary kernel hangs on
//! it (offline.md section 0). So a kernel is started once, and has to say something.

use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;

use super::boot::KernelFiles;

/// How long the kernel may be silent. With a KVM that works it speaks after a third of a second.
const CANARY: Duration = Duration::from_secs(3);

/// What runs the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accelerator {
    Kvm,
    /// QEMU's own translation: works everywhere, some ten times slower.
    Tcg,
}

impl Accelerator {
    /// QEMU's options for it.
    pub(super) const fn options(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            // One thread for all of a guest's processors. With one for each, QEMU 7.2 crashed: a processor looked into a device that another
            // one was just unplugging (a segmentation fault in `memory_region_access_valid`). A boot takes a third longer.
            Self::Tcg => ["-accel", "tcg,thread=single,tb-size=512", "-cpu", "qemu64"],
        }
    }

    /// What this machine has. Found out with `kernel` once, and remembered in `folder` for as long as this machine runs
    /// the same kernel itself; without a kernel to try it with, it is not tried.
    pub(super) fn choose(folder: &Path, kernel: Option<&KernelFiles>) -> Self {
        let host = rustix::system::uname().release().to_string_lossy().into_owned();
        let memory = folder.join("kvm");
        let remembered = fs::read_to_string(&memory).unwrap_or_default();
        if let Some((_, works)) = remembered.trim().split_once(' ').filter(|(known, _)| *known == host) {
            return if works == "works" { Self::Kvm } else { Self::Tcg };
        }
        let Some(kernel) = kernel else { return Self::Tcg };
        let works = Path::new("/dev/kvm").exists() && runs_a_kernel(kernel);
        let said = if works { "works" } else { "fails" };
        if let Err(error) = fs::write(memory, format!("{host} {said}\n")) {
            tracing::warn!(%error, "cannot remember whether KVM works");
        }
        if works { Self::Kvm } else { Self::Tcg }
    }
}

fn runs_a_kernel(kernel: &KernelFiles) -> bool {
    let Ok(folder) = tempfile::tempdir() else { return false };
    let console = folder.path().join("console");
    let started = Tool::new("qemu-system-x86_64")
        .doing("try KVM")
        .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35", "-m", "512"])
        .args(Accelerator::Kvm.options())
        .arg("-kernel")
        .arg(&kernel.kernel)
        .args(["-append", "earlyprintk=ttyS0 console=ttyS0 panic=-1"])
        .args(["-serial", &format!("file:{}", console.display())])
        .spawn_guarded(std::process::Stdio::null());
    let Ok(mut guest) = started else { return false };
    let speaks = || {
        let said = fs::read_to_string(&console).unwrap_or_default().contains("Linux version");
        (said || guest.try_wait().is_some()).then_some(said)
    };
    wait_until(CANARY, Duration::from_millis(50), speaks).unwrap_or(false)
}
