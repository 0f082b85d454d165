//! Blocks: how EBS snapshots, the local store and a bake speak of a disk's content.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest as _;
use sha2::Sha256;

/// Bytes in a block. EBS direct APIs know no other size (API reference, `BlockSize`).
pub const BLOCK_SIZE: u64 = 512 * 1024;

/// Bytes in a GiB, the unit of `VolumeSize` in the EC2 and EBS APIs.
pub const GIB: u64 = 1 << 30;

/// SHA-256 of a block's [`BLOCK_SIZE`] bytes. EBS demands this hash on every put, so it names blocks everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of a block of zeros.
    pub const ZERO_BLOCK: Self = Self([
        0x07, 0x85, 0x4d, 0x2f, 0xef, 0x29, 0x7a, 0x06, 0xba, 0x81, 0x68, 0x5e, 0x66, 0x0c, 0x33, 0x2d, 0xe3, 0x6d,
        0x5d, 0x18, 0xd5, 0x46, 0x92, 0x7d, 0x30, 0xda, 0xad, 0x6d, 0x7f, 0xda, 0x15, 0x41,
    ]);

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Base64, as the EBS direct APIs write checksums.
    #[must_use]
    pub fn base64(&self) -> String {
        data_encoding::BASE64.encode(&self.0)
    }

    /// Reads the base64 form; `None` unless it is exactly 32 bytes.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        Some(Self(data_encoding::BASE64.decode(text.as_bytes()).ok()?.try_into().ok()?))
    }

    /// Lower-case hex, 64 characters.
    #[must_use]
    pub fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// Reads the hex form; `None` unless it is exactly 32 bytes.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Some(Self(data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()?))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", &self.hex()[..12])
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.hex()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_hex(&text).ok_or("a SHA-256 in hex has 64 characters of 0-9a-f")
    }
}

/// What a disk holds: the digest of every block that is not all zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockMap {
    /// Size of the disk in bytes.
    pub volume_size: u64,
    /// Block index (offset / [`BLOCK_SIZE`]) to digest. A block that is absent reads as zeros.
    pub blocks: BTreeMap<u32, Digest>,
}

/// One step from a parent's map to a child's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The block has this content now.
    Write(Digest),
    /// The block reads as zeros now and must be written so, or the parent's content would show through (EBS has no discard).
    Zero,
}

impl Change {
    /// Of the block as it is now.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Write(digest) => *digest,
            Self::Zero => Digest::ZERO_BLOCK,
        }
    }
}

impl BlockMap {
    /// The blocks that turn `parent` into `self`, in index order.
    #[must_use]
    pub fn changes_since(&self, parent: &Self) -> BTreeMap<u32, Change> {
        let written = self.blocks.iter().filter(|(index, digest)| parent.blocks.get(index) != Some(digest));
        let zeroed = parent.blocks.keys().filter(|index| !self.blocks.contains_key(index));
        written
            .map(|(index, digest)| (*index, Change::Write(*digest)))
            .chain(zeroed.map(|index| (*index, Change::Zero)))
            .collect()
    }
}

/// SHA-256 over the raw block digests in index order: the `LINEAR` aggregate of `CompleteSnapshot`.
#[must_use]
pub fn linear_checksum(digests_in_order: impl IntoIterator<Item = impl Borrow<Digest>>) -> Digest {
    let mut hash = Sha256::new();
    for digest in digests_in_order {
        hash.update(digest.borrow().0);
    }
    Digest(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_have_their_digest() {
        assert_eq!(Digest::ZERO_BLOCK, Digest::of(&vec![0; usize::try_from(BLOCK_SIZE).expect("small")]));
    }
}
