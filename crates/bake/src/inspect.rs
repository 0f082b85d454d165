//! A last look at the finished disk: its identity, what it holds, and the rules that every image keeps.

use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::Sender;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use ovenbird_core::block::Digest;
use ovenbird_core::contents::Contents;
use ovenbird_disk::gpt;
use ovenbird_disk::kernel;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;

use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::oven::needed;
use crate::seal::Demands;
use crate::seal::Report;
use crate::seal::report_known;
use crate::tree::KnownFiles;

/// What a disk turned out to hold.
pub(crate) struct Inspection {
    /// The digest of the file tree: the image's identity.
    pub(crate) tree: Digest,
    /// What people compare images by.
    pub(crate) contents: Contents,
}

/// A look at a disk that nothing writes to any more, while its blocks are on their way. Dropping it waits for its end.
pub(crate) struct Inspecting {
    found: Receiver<Inspection>,
    thread: Option<JoinHandle<Result<(), BakeError>>>,
}

impl Inspecting {
    /// Begins to look at `disk`; its mount is in `folder`. What is known of the disks of its base is in the file `known`.
    pub(crate) fn start(folder: &Path, disk: &Path, known: Option<PathBuf>) -> Self {
        let (folder, disk) = (folder.to_owned(), disk.to_owned());
        let (tell, found) = channel();
        Self { found, thread: Some(std::thread::spawn(move || inspect(&folder, &disk, known.as_deref(), &tell))) }
    }

    /// What was found. The disk may still be mounted.
    ///
    /// # Errors
    /// [`BakeError::Lints`] where the image breaks a rule; what cannot be read.
    pub(crate) fn wait(&mut self) -> Result<Inspection, BakeError> {
        match self.found.recv() {
            Ok(found) => Ok(found),
            // It has ended without.
            Err(_) => self.join().and_then(|()| needed(None, "a look at the disk")),
        }
    }

    /// Nothing of it is left.
    ///
    /// # Errors
    /// What cannot be unmounted.
    pub(crate) fn end(mut self) -> Result<(), BakeError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), BakeError> {
        let ended = self.thread.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Inspecting {
    fn drop(&mut self) {
        // Nobody asks any more what it found; its mount must be gone before the disk is.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

fn inspect(folder: &Path, disk: &Path, known: Option<&Path>, tell: &Sender<Inspection>) -> Result<(), BakeError> {
    let root = gpt::find_root(disk).map_err(working("find the root partition"))?;
    let mounted = LoopMount::ensure(disk, &root, &folder.join("finished"), Access::ReadOnly)
        .map_err(working("mount the finished disk"))?;
    let mut files = known.map(read_known_files).unwrap_or_default();
    let (report, is_newest) = std::thread::scope(|scope| {
        let comparing = scope.spawn(|| kernel::has_newest_kernel(disk, mounted.target()));
        let report = report_known(mounted.target(), &Demands::default(), &mut files);
        (report, comparing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut report = report.map_err(working("look at the finished tree"))?;
    if is_newest.map_err(working("compare the kernels"))? == Some(false) {
        report.lints.push(
            "newest-kernel: the firmware would start another kernel than the newest that is installed".to_owned(),
        );
    }
    // To unmount takes a moment, in which the image is registered. Where nobody listens any more, the bake is over.
    let judged = Inspection::of(report).map(|found| _ = tell.send(found));
    mounted.unmount().map_err(working("unmount the finished disk"))?;
    if let (Some(path), Ok(text)) = (known, serde_json::to_vec(&files)) {
        // What cannot be written down is read again by the next bake.
        _ = write_atomically(path, &text);
    }
    judged
}

/// Of no bake yet, or not readable: then all files are read.
fn read_known_files(path: &Path) -> KnownFiles {
    fs_err::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

impl Inspection {
    /// # Errors
    /// [`BakeError::Lints`] where the tree breaks a rule.
    pub(crate) fn of(report: Report) -> Result<Self, BakeError> {
        let Report { tree, contents, lints } = report;
        if lints.is_empty() { Ok(Self { tree, contents }) } else { Err(BakeError::Lints { lints }) }
    }
}
