//! Blocks by their SHA-256, one file each: `blocks/ab/cdef…`.
//!
//! A block is visible whole or not at all: it is written beside, synced, and renamed. The catalogue counts who refers to
//! a block; this side only stores, reads and removes. The block of zeros is known and never stored.

mod sweep;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;

/// The store.
pub(crate) struct BlockStore {
    root: PathBuf,
    next_partial: AtomicU64,
    collecting: RwLock<()>,
}

/// The digest of [`BLOCK_SIZE`] zeros.
pub(crate) fn zero_digest() -> Digest {
    static ZERO: OnceLock<Digest> = OnceLock::new();
    *ZERO.get_or_init(|| Digest::of(&vec![0; usize::try_from(BLOCK_SIZE).unwrap_or_default()]))
}

impl BlockStore {
    /// Opens the store at `root`, made where there is none.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        for first in 0..=255_u8 {
            fs_err::create_dir_all(root.join(format!("{first:02x}")))?;
        }
        fs_err::create_dir_all(root.join("partial"))?;
        Ok(Self { root: root.to_owned(), next_partial: AtomicU64::new(0), collecting: RwLock::new(()) })
    }

    /// Hold this from a put until the catalogue refers to the block, or a collection could take it in between.
    pub(crate) fn keep(&self) -> RwLockReadGuard<'_, ()> {
        self.collecting.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Hold this from asking the catalogue for blocks without references until they are removed.
    pub(crate) fn collect(&self) -> RwLockWriteGuard<'_, ()> {
        self.collecting.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Stores `bytes`, whose digest the caller has checked. A block that is there already is left alone.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let target = self.path(digest);
        if *digest == zero_digest() || target.exists() {
            return Ok(());
        }
        let partial = self.root.join("partial").join(self.next_partial.fetch_add(1, Ordering::Relaxed).to_string());
        let mut file = File::create(&partial)?;
        let written =
            file.write_all(bytes).and_then(|()| file.sync_data()).and_then(|()| fs_err::rename(&partial, &target));
        if written.is_err() {
            // The sweep at the next start takes what cannot be removed now.
            let _ = fs_err::remove_file(&partial);
        }
        written
    }

    /// Makes the names of these blocks durable too; [`Self::put`] syncs their content only.
    pub(crate) fn sync_names<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) -> io::Result<()> {
        let firsts: std::collections::BTreeSet<u8> = digests.into_iter().map(|digest| digest.0[0]).collect();
        firsts.into_iter().try_for_each(|first| File::open(self.root.join(format!("{first:02x}")))?.sync_all())
    }

    /// The block's bytes, checked against its digest.
    pub(crate) fn get(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        if *digest == zero_digest() {
            return Ok(vec![0; usize::try_from(BLOCK_SIZE).unwrap_or_default()]);
        }
        let bytes = fs_err::read(self.path(digest))?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("the block {digest} is damaged on disk; bake the image again"),
        ))
    }

    /// Removes blocks; one that is gone already is fine. Needs [`Self::collect`].
    pub(crate) fn remove(&self, digests: &[Digest], _collecting: &RwLockWriteGuard<'_, ()>) -> io::Result<()> {
        for digest in digests {
            match fs_err::remove_file(self.path(digest)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.root.join(&hex[..2]).join(&hex[2..])
    }
}
