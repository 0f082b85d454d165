//! The content of plain files.

use std::io;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use fs_err as fs;

/// The page that ext4 allocates by, and that the disk's blocks are compared in.
const PAGE: usize = 4096;
/// Pages that are read at once.
const CHUNK: usize = 64 * PAGE;

/// What files are compared and copied through: one for all of a layer.
pub(super) struct Copier {
    wanted: Vec<u8>,
    present: Vec<u8>,
}

impl Copier {
    pub(super) fn new() -> Self {
        Self { wanted: vec![0; CHUNK], present: vec![0; CHUNK] }
    }

    /// Makes the content of `target` that of `source`; bytes written, or `None` when it was that already.
    ///
    /// A new file gets no pages of zeros, which a file reads as anyway.
    pub(super) fn put(&mut self, source: &Path, target: &Path, new: bool) -> io::Result<Option<u64>> {
        let mut from = fs::File::open(source)?.into_file();
        let to = fs::OpenOptions::new().read(true).write(true).create(new).open(target)?.into_file();
        let length = from.metadata()?.len();
        let was = to.metadata()?.len();
        if was > length {
            to.set_len(length)?;
        }
        let (mut offset, mut written, mut end) = (0, 0, was.min(length));
        loop {
            let got = read_full(&mut from, &mut self.wanted)?;
            if got == 0 {
                break;
            }
            // Beyond its end a file reads as zeros, once it has the length.
            let there = if offset < end { read_at_most(&to, &mut self.present[..got], offset)? } else { 0 };
            self.present[there..got].fill(0);
            for run in differing(&self.wanted[..got], &self.present[..got]) {
                to.write_all_at(&self.wanted[run.clone()], offset + run.start as u64)?;
                written += run.len() as u64;
                end = end.max(offset + run.end as u64);
            }
            offset += got as u64;
        }
        if end != length {
            to.set_len(length)?;
        }
        Ok((new || written > 0 || was != length).then_some(written))
    }
}

/// The runs of pages in which two buffers of one length differ.
fn differing(wanted: &[u8], present: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (page, (wanted, present)) in wanted.chunks(PAGE).zip(present.chunks(PAGE)).enumerate() {
        let start = page * PAGE;
        match runs.last_mut() {
            _ if wanted == present => {}
            Some(run) if run.end == start => run.end += wanted.len(),
            _ => runs.push(start..start + wanted.len()),
        }
    }
    runs
}

fn read_full(file: &mut std::fs::File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            length => got += length,
        }
    }
    Ok(got)
}

fn read_at_most(file: &std::fs::File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read_at(&mut buffer[got..], offset + got as u64)? {
            0 => break,
            length => got += length,
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_target_becomes_the_source(
            source in proptest::collection::vec(any::<u8>(), 0..20_000),
            mut target in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20_000)),
            shared in 0..20_000_usize,
        ) {
            // Most files of an upgrade begin alike.
            if let Some(target) = &mut target {
                let shared = shared.min(source.len()).min(target.len());
                target[..shared].copy_from_slice(&source[..shared]);
            }
            let dir = tempfile::tempdir().expect("a folder");
            let (from, to) = (dir.path().join("from"), dir.path().join("to"));
            fs::write(&from, &source).expect("written");
            if let Some(target) = &target {
                fs::write(&to, target).expect("written");
            }
            let written = Copier::new().put(&from, &to, target.is_none()).expect("put");
            prop_assert_eq!(fs::read(&to).expect("read"), source.clone());
            prop_assert_eq!(written.is_none(), target.as_ref() == Some(&source));
        }
    }

    #[test]
    fn neighbouring_pages_are_one_write() {
        let mut wanted = vec![0; 5 * PAGE + 10];
        for page in [1, 2, 5] {
            wanted[page * PAGE] = 1;
        }
        let (all, present) = (5 * PAGE + 10, vec![0; 5 * PAGE + 10]);
        assert_eq!(differing(&wanted, &present), [PAGE..3 * PAGE, 5 * PAGE..all]);
    }

    #[test]
    fn writes_only_the_pages_that_differ() {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let mut content = vec![7; 100 * PAGE];
        fs::write(&to, &content).expect("written");
        content[50 * PAGE] = 8;
        fs::write(&from, &content).expect("written");
        let mut copier = Copier::new();
        assert_eq!(copier.put(&from, &to, false).expect("put"), Some(PAGE as u64));
        assert_eq!(copier.put(&from, &to, false).expect("put"), None);
    }
}
