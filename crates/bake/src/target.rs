//! Where provisioners meet what becomes the image: a sandbox over a disk, or an instance. All they need of it is a shell.

use std::path::Path;
use std::time::Duration;

use ovenbird_disk::tool::Tool;

use crate::ansible;
use crate::ansible::Early;
use crate::ansible::Playbook;
use crate::ansible::PlaybookError;
use crate::ansible::PlaybookOutcome;
use crate::ansible::run_playbook_over_ssh;
use crate::ansible::run_playbook_with;
use crate::error::BakeError;
use crate::error::working;
use crate::sandbox::Sandbox;
use crate::ssh::Login;
use crate::ssh::quoted;

/// How long a transfer may take.
const TRANSFER: Duration = Duration::from_secs(3600);

/// Something that can be provisioned.
pub(crate) trait Target {
    /// Its name in messages.
    fn name(&self) -> &str;

    /// A command for its shell, as the user that provisioners are.
    fn command(&self, doing: &str, script: &str) -> Tool;

    /// What it is reached over, if that can be lost.
    fn connection(&self) -> Option<&Login> {
        None
    }

    /// Runs a playbook of this machine against it. `work` receives the log; an `early` Ansible is of the same playbook.
    ///
    /// # Errors
    /// The playbook's.
    fn play(
        &self,
        early: Option<Early>,
        playbook: &Playbook,
        work: &Path,
        on_event: &mut dyn FnMut(ansible::Event),
    ) -> Result<PlaybookOutcome, PlaybookError>;
}

impl Target for Sandbox {
    fn name(&self) -> &'static str {
        "the sandbox"
    }

    fn command(&self, doing: &str, script: &str) -> Tool {
        self.tool("/bin/sh").doing(doing).args(["-c", script])
    }

    fn play(
        &self,
        early: Option<Early>,
        playbook: &Playbook,
        work: &Path,
        on_event: &mut dyn FnMut(ansible::Event),
    ) -> Result<PlaybookOutcome, PlaybookError> {
        run_playbook_with(early, self, playbook, work, on_event)
    }
}

impl Target for Login {
    fn name(&self) -> &str {
        &self.host().name
    }

    fn command(&self, doing: &str, script: &str) -> Tool {
        Self::command(self, doing, script)
    }

    fn connection(&self) -> Option<&Login> {
        Some(self)
    }

    fn play(
        &self,
        _early: Option<Early>,
        playbook: &Playbook,
        work: &Path,
        on_event: &mut dyn FnMut(ansible::Event),
    ) -> Result<PlaybookOutcome, PlaybookError> {
        run_playbook_over_ssh(self, playbook, work, on_event)
    }
}

/// Writes `content` to the file `to`, with these permission bits.
///
/// # Errors
/// What the target said.
pub(crate) fn write(target: &dyn Target, content: &[u8], to: &str, mode: u32) -> Result<(), BakeError> {
    let doing = format!("write {to} in {}", target.name());
    writer(target, content, to, mode).run().map(drop).map_err(working(doing))
}

/// What [`write`] runs.
pub(crate) fn writer(target: &dyn Target, content: &[u8], to: &str, mode: u32) -> Tool {
    let doing = format!("write {to} in {}", target.name());
    let to = quoted(to);
    target.command(&doing, &format!("cat > {to} && chmod {mode:o} {to}")).stdin_bytes(content).deadline(TRANSFER)
}

/// Copies the file `from` of this machine to the file `to`, with its permission bits.
///
/// # Errors
/// Where it cannot be read, or what the target said.
pub(crate) fn upload(target: &dyn Target, from: &Path, to: &str) -> Result<(), BakeError> {
    use std::os::unix::fs::PermissionsExt as _;
    let doing = format!("copy {} to {to} in {}", from.display(), target.name());
    let file = fs_err::File::open(from).map_err(working(&*doing))?;
    let mode = file.metadata().map_err(working(&*doing))?.permissions().mode() & 0o777;
    let to = quoted(to);
    let command = target.command(&doing, &format!("cat > {to} && chmod {mode:o} {to}"));
    command.stdin_file(file.into_file()).deadline(TRANSFER).run().map(drop).map_err(working(doing))
}

/// Copies what is in the folder `from` of this machine into the folder `to`, which is made. Links are followed, as Packer does.
///
/// # Errors
/// Where it cannot be read, or what the target said.
pub(crate) fn upload_folder(target: &dyn Target, from: &Path, to: &str) -> Result<(), BakeError> {
    let doing = format!("copy the folder {} to {to} in {}", from.display(), target.name());
    let archive = tempfile::tempfile().map_err(working(&*doing))?;
    let written = archive.try_clone().map_err(working(&*doing))?;
    let pack =
        Tool::new("tar").doing(&*doing).args(["--sort=name", "--dereference", "-C"]).arg(from).args(["-cf", "-", "."]);
    pack.stdout_file(written).deadline(TRANSFER).run().map_err(working(&*doing))?;
    rewind(&archive).map_err(working(&*doing))?;
    let to = quoted(to);
    let unpack = target.command(&doing, &format!("mkdir -p {to} && tar -C {to} --no-same-owner -xf -"));
    unpack.stdin_file(archive).deadline(TRANSFER).run().map(drop).map_err(working(doing))
}

/// Copies the file `from` to the file `to` of this machine.
///
/// # Errors
/// Where it cannot be written, or what the target said.
pub(crate) fn download(target: &dyn Target, from: &str, to: &Path) -> Result<(), BakeError> {
    let doing = format!("copy {from} of {} to {}", target.name(), to.display());
    let file = fs_err::File::create(to).map_err(working(&*doing))?;
    let command = target.command(&doing, &format!("cat {}", quoted(from)));
    command.stdout_file(file.into_file()).deadline(TRANSFER).run().map(drop).map_err(working(doing))
}

/// Copies what is in the folder `from` into the folder `to` of this machine, which is made.
///
/// # Errors
/// Where it cannot be written, or what the target said.
pub(crate) fn download_folder(target: &dyn Target, from: &str, to: &Path) -> Result<(), BakeError> {
    let doing = format!("copy the folder {from} of {} to {}", target.name(), to.display());
    fs_err::create_dir_all(to).map_err(working(&*doing))?;
    let archive = tempfile::tempfile().map_err(working(&*doing))?;
    let written = archive.try_clone().map_err(working(&*doing))?;
    let pack = target.command(&doing, &format!("tar -C {} -cf - .", quoted(from)));
    pack.stdout_file(written).deadline(TRANSFER).run().map_err(working(&*doing))?;
    rewind(&archive).map_err(working(&*doing))?;
    let unpack = Tool::new("tar").doing(&*doing).arg("-C").arg(to).args(["--no-same-owner", "-xf", "-"]);
    unpack.stdin_file(archive).deadline(TRANSFER).run().map(drop).map_err(working(doing))
}

fn rewind(mut file: &std::fs::File) -> std::io::Result<()> {
    std::io::Seek::rewind(&mut file)
}
