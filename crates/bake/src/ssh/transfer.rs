//! Files to and from the instance, over the connection that is there: `cat` for a file, `tar` for a folder. Neither needs
//! `scp` or an SFTP server, which minimal images lack.

use std::path::Path;
use std::time::Duration;

use ovenbird_disk::tool::Tool;

use super::Login;
use super::SshError;

/// How long a transfer may take.
const TRANSFER: Duration = Duration::from_secs(3600);

impl Login {
    /// Writes `content` to the file `to` of the instance.
    ///
    /// # Errors
    /// What the instance said.
    pub fn write(&self, content: &[u8], to: &str) -> Result<(), SshError> {
        self.command(format!("write {to} on {}", self.host().name), &format!("cat > {}", quoted(to)))
            .stdin_bytes(content)
            .deadline(TRANSFER)
            .run()?;
        Ok(())
    }

    /// Copies the file `from` of this machine to the file `to` of the instance, with its permission bits.
    ///
    /// # Errors
    /// Where it cannot be read, or what the instance said.
    pub fn upload(&self, from: &Path, to: &str) -> Result<(), SshError> {
        use std::os::unix::fs::PermissionsExt as _;
        let doing = format!("copy {} to {to} on {}", from.display(), self.host().name);
        let file = fs_err::File::open(from).map_err(SshError::file(&doing))?;
        let mode = file.metadata().map_err(SshError::file(&doing))?.permissions().mode() & 0o777;
        let to = quoted(to);
        self.command(doing, &format!("cat > {to} && chmod {mode:o} {to}"))
            .stdin_file(file.into_file())
            .deadline(TRANSFER)
            .run()?;
        Ok(())
    }

    /// Copies what is in the folder `from` of this machine into the folder `to` of the instance, which is made.
    ///
    /// # Errors
    /// Where it cannot be read, or what the instance said.
    pub fn upload_folder(&self, from: &Path, to: &str) -> Result<(), SshError> {
        let doing = format!("copy the folder {} to {to} on {}", from.display(), self.host().name);
        let archive = tempfile::tempfile().map_err(SshError::file(&doing))?;
        let written = archive.try_clone().map_err(SshError::file(&doing))?;
        let pack = Tool::new("tar").doing(&doing).arg("-C").arg(from).args(["-cf", "-", "."]);
        pack.stdout_file(written).deadline(TRANSFER).run()?;
        rewind(&archive).map_err(SshError::file(&doing))?;
        let to = quoted(to);
        let unpack = format!("mkdir -p {to} && tar -C {to} --no-same-owner -xf -");
        self.command(doing, &unpack).stdin_file(archive).deadline(TRANSFER).run()?;
        Ok(())
    }

    /// Copies the file `from` of the instance to the file `to` of this machine.
    ///
    /// # Errors
    /// Where it cannot be written, or what the instance said.
    pub fn download(&self, from: &str, to: &Path) -> Result<(), SshError> {
        let doing = format!("copy {from} from {} to {}", self.host().name, to.display());
        let file = fs_err::File::create(to).map_err(SshError::file(&doing))?;
        self.command(doing, &format!("cat {}", quoted(from))).stdout_file(file.into_file()).deadline(TRANSFER).run()?;
        Ok(())
    }

    /// Copies what is in the folder `from` of the instance into the folder `to` of this machine, which is made.
    ///
    /// # Errors
    /// Where it cannot be written, or what the instance said.
    pub fn download_folder(&self, from: &str, to: &Path) -> Result<(), SshError> {
        let doing = format!("copy the folder {from} from {} to {}", self.host().name, to.display());
        fs_err::create_dir_all(to).map_err(SshError::file(&doing))?;
        let archive = tempfile::tempfile().map_err(SshError::file(&doing))?;
        let written = archive.try_clone().map_err(SshError::file(&doing))?;
        let pack = format!("tar -C {} -cf - .", quoted(from));
        self.command(&doing, &pack).stdout_file(written).deadline(TRANSFER).run()?;
        rewind(&archive).map_err(SshError::file(&doing))?;
        let unpack = Tool::new("tar").doing(doing).arg("-C").arg(to).args(["--no-same-owner", "-xf", "-"]);
        unpack.stdin_file(archive).deadline(TRANSFER).run()?;
        Ok(())
    }
}

fn rewind(mut file: &std::fs::File) -> std::io::Result<()> {
    std::io::Seek::rewind(&mut file)
}

/// One word for a POSIX shell, whatever is in it.
#[must_use]
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
