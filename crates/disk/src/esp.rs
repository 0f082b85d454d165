//! Files of an EFI system partition inside a raw disk, with mtools: no mount, and no vfat in the kernel.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

use crate::gpt;
use crate::gpt::Partition;
use crate::gpt::PartitionError;
use crate::tool::Tool;
use crate::tool::ToolError;

/// What can go wrong with an EFI system partition.
#[derive(Debug, thiserror::Error)]
pub enum EspError {
    /// mtools or mkfs.vfat failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The disk's partitions cannot be read.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// There is no such partition.
    #[error("{} has no EFI system partition", disk.display())]
    None {
        /// The disk.
        disk: PathBuf,
    },
}

/// The EFI system partition of a raw disk. Paths in it are relative and use slashes: `EFI/BOOT/BOOTX64.EFI`.
#[derive(Clone, Debug)]
pub struct Esp {
    disk: PathBuf,
    /// Where it begins, in bytes.
    start: u64,
    /// What its files are dated (seconds since 1970); the same content then always gives the same bytes.
    epoch: u64,
}

impl Esp {
    /// The one of `disk`; files that are written are dated `epoch` (seconds since 1970).
    ///
    /// # Errors
    /// [`EspError`] when the disk has none.
    pub fn find(disk: &Path, epoch: u64) -> Result<Self, EspError> {
        let partition = gpt::find_esp(disk)?.ok_or_else(|| EspError::None { disk: disk.to_owned() })?;
        Ok(Self { disk: disk.to_owned(), start: partition.start, epoch })
    }

    /// Makes an empty FAT32 file system in `partition` of `disk`, the same bytes every time.
    ///
    /// # Errors
    /// [`EspError::Tool`] when mkfs.vfat fails; FAT32 needs at least 33 MiB.
    pub fn format(disk: &Path, partition: &Partition, volume_id: u32, epoch: u64) -> Result<Self, EspError> {
        Tool::new("mkfs.vfat")
            .doing(format!("format the EFI system partition of {}", disk.display()))
            // mkfs.vfat would choose the cluster's size by the whole disk's, and then make too few clusters for FAT32.
            .args(["--invariant", "-F", "32", "-s", "1", "-n", "ESP", "-i", &format!("{volume_id:08x}")])
            .args(["-S", &gpt::SECTOR.to_string(), "--offset", &(partition.start / gpt::SECTOR).to_string()])
            .arg(disk)
            .arg((partition.size / 1024).to_string())
            .run()?;
        Ok(Self { disk: disk.to_owned(), start: partition.start, epoch })
    }

    /// All files, sorted.
    ///
    /// # Errors
    /// [`EspError::Tool`] when mtools fails.
    pub fn list_files(&self) -> Result<Vec<String>, EspError> {
        let text = match self.mtool("mdir", "list").args(["-/", "-b", "::/"]).run() {
            Ok(output) => output.text(),
            // mdir's words for a file system without any file.
            Err(error) if error.last_lines().ends_with("File \"::/\" not found") => String::new(),
            Err(error) => return Err(error.into()),
        };
        let mut files: Vec<String> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("::/"))
            .filter(|path| !path.is_empty() && !path.ends_with('/'))
            .map(str::to_owned)
            .collect();
        files.sort();
        Ok(files)
    }

    /// A file's content.
    ///
    /// # Errors
    /// [`EspError::Tool`] when there is no such file, or mtools fails.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, EspError> {
        let mut content = Vec::new();
        self.read_pieces(path, |piece| content.extend_from_slice(piece))?;
        Ok(content)
    }

    /// Hands over a file's content piece by piece.
    ///
    /// # Errors
    /// As [`Esp::read`].
    pub fn read_pieces(&self, path: &str, see: impl FnMut(&[u8])) -> Result<(), EspError> {
        self.mtool("mtype", &format!("read {path} of")).arg(format!("::/{path}")).run_pieces(see)?;
        Ok(())
    }

    /// Writes a file, with the folders above it; replaces one that is there.
    ///
    /// # Errors
    /// [`EspError::Tool`] when the partition is full, or mtools fails.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<(), EspError> {
        self.put(path, |mcopy| mcopy.stdin_bytes(content))
    }

    /// As [`Esp::write`], with the content of a file of this machine, however large it is.
    ///
    /// # Errors
    /// As [`Esp::write`].
    pub fn write_file(&self, path: &str, content: impl Into<File>) -> Result<(), EspError> {
        self.put(path, |mcopy| mcopy.stdin_file(content))
    }

    fn put(&self, path: &str, feed: impl FnOnce(Tool) -> Tool) -> Result<(), EspError> {
        for (end, _) in path.match_indices('/') {
            self.ensure_folder(&path[..end])?;
        }
        let mcopy = self.mtool("mcopy", &format!("write {path} to")).args(["-o", "-", &format!("::/{path}")]);
        feed(mcopy).run()?;
        Ok(())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`EspError::Tool`] when there is no such file, or mtools fails.
    pub fn remove(&self, path: &str) -> Result<(), EspError> {
        self.mtool("mdel", &format!("remove {path} from")).arg(format!("::/{path}")).run()?;
        Ok(())
    }

    fn ensure_folder(&self, path: &str) -> Result<(), EspError> {
        // mdir of a folder that is missing fails; mmd of one that is there would ask a question.
        if self.mtool("mdir", "look into").args(["-b", &format!("::/{path}")]).run().is_err() {
            self.mtool("mmd", &format!("make the folder {path} in")).arg(format!("::/{path}")).run()?;
        }
        Ok(())
    }

    fn mtool(&self, name: &str, doing: &str) -> Tool {
        Tool::new(name)
            .doing(format!("{doing} the EFI system partition of {}", self.disk.display()))
            .env("SOURCE_DATE_EPOCH", self.epoch.to_string())
            .env("TZ", "UTC")
            .arg("-i")
            .arg(format!("{}@@{}", self.disk.display(), self.start))
    }
}
