//! Partitions of a raw disk: reading what others laid out, and laying out our own.

use std::fmt;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::path::Path;
use std::path::PathBuf;

use fs_err as fs;
use gptman::GPT;
use gptman::GPTPartitionEntry;

/// Bytes in a sector: what EBS volumes, NVMe in QEMU and loop devices say.
pub const SECTOR: u64 = 512;

/// A GUID as it stands on the disk (the first three fields little-endian).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// "Linux root (x86-64)" of the Discoverable Partitions Specification.
    pub const ROOT_X86_64: Self = Self::from_fields(0x4f68_bce3_e8cd_4db1_96e7_fbca_f984_b709);
    /// "Linux filesystem data", what most installers give a root partition.
    pub const LINUX_DATA: Self = Self::from_fields(0x0fc6_3daf_8483_4772_8e79_3d69_d847_7de4);
    /// The EFI system partition of the UEFI specification.
    pub const ESP: Self = Self::from_fields(0xc12a_7328_f81f_11d2_ba4b_00a0_c93e_c93b);

    /// From the number that its usual text form spells, read as hex without the dashes.
    #[must_use]
    pub const fn from_fields(number: u128) -> Self {
        let mut bytes = number.to_be_bytes();
        bytes.swap(0, 3);
        bytes.swap(1, 2);
        bytes.swap(4, 5);
        bytes.swap(6, 7);
        Self(bytes)
    }
}

/// The usual text form, in lower case, as in `PARTUUID=`.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = &self.0;
        write!(
            f,
            "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-",
            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]
        )?;
        write!(f, "{:02x}{:02x}-", b[8], b[9])?;
        b[10..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A partition: where it lies on its disk, and what its table says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Number in the table, from 1; 0 for a disk that is one file system without a table.
    pub number: u32,
    /// Where it begins, in bytes from the start of the disk.
    pub start: u64,
    /// Its length in bytes.
    pub size: u64,
    /// What it is for; `None` without a table.
    pub kind: Option<Guid>,
    /// Its own id, `PARTUUID`; `None` without a table.
    pub uuid: Option<Guid>,
    /// Its name in the table.
    pub name: String,
}

/// A disk that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// The file cannot be read or written.
    #[error("cannot read or write the partition table of {}", disk.display())]
    Io {
        /// The disk.
        disk: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// Neither a partition table nor a file system.
    #[error("{} has no GUID partition table and does not begin with an ext4 file system; give a raw image of a Linux disk", disk.display())]
    Unknown {
        /// The disk.
        disk: PathBuf,
    },
    /// A table, but nothing that could be Linux's root.
    #[error("{} has no partition of type Linux root or Linux data; is it a Linux image?", disk.display())]
    NoRoot {
        /// The disk.
        disk: PathBuf,
    },
    /// The table does not fit the disk.
    #[error("the partition table of {} is wrong: {why}", disk.display())]
    Wrong {
        /// The disk.
        disk: PathBuf,
        /// The library's words.
        why: String,
    },
}

/// The partitions of a raw disk, by number. A disk that begins with an ext4 file system is one partition at 0.
///
/// # Errors
/// [`PartitionError`] when it cannot be read, or is neither.
pub fn list_partitions(disk: &Path) -> Result<Vec<Partition>, PartitionError> {
    let io_error = |source| PartitionError::Io { disk: disk.to_owned(), source };
    let mut file = fs::File::open(disk).map_err(io_error)?;
    let disk_size = file.metadata().map_err(io_error)?.len();
    if let Ok(table) = GPT::read_from(&mut file, SECTOR) {
        return table
            .iter()
            .filter(|(_, entry)| entry.is_used())
            .map(|(number, entry)| read_entry(disk, disk_size, number, entry))
            .collect();
    }
    if begins_with_ext4(&mut file).map_err(io_error)? {
        return Ok(vec![Partition {
            number: 0,
            start: 0,
            size: disk_size,
            kind: None,
            uuid: None,
            name: String::new(),
        }]);
    }
    Err(PartitionError::Unknown { disk: disk.to_owned() })
}

fn read_entry(
    disk: &Path,
    disk_size: u64,
    number: u32,
    entry: &GPTPartitionEntry,
) -> Result<Partition, PartitionError> {
    let wrong = |why: String| PartitionError::Wrong { disk: disk.to_owned(), why };
    let sectors = entry.size().map_err(|error| wrong(error.to_string()))?;
    let bytes =
        |sectors: u64| sectors.checked_mul(SECTOR).ok_or_else(|| wrong(format!("partition {number} overflows")));
    let (start, size) = (bytes(entry.starting_lba)?, bytes(sectors)?);
    if start.checked_add(size).is_none_or(|end| end > disk_size) {
        return Err(wrong(format!("partition {number} ends behind the end of the disk")));
    }
    Ok(Partition {
        number,
        start,
        size,
        kind: Some(Guid(entry.partition_type_guid)),
        uuid: Some(Guid(entry.unique_partition_guid)),
        name: entry.partition_name.as_str().to_owned(),
    })
}

/// An ext2, 3 or 4 superblock lies 1024 bytes into the file system and has its magic number at 56.
fn begins_with_ext4(file: &mut fs::File) -> io::Result<bool> {
    let mut magic = [0; 2];
    file.seek(SeekFrom::Start(1024 + 56))?;
    match file.read_exact(&mut magic) {
        Ok(()) => Ok(magic == [0x53, 0xef]),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The partition that holds Linux's root: of type "Linux root", else the largest of type "Linux data", else the whole disk
/// when it has no table.
///
/// # Errors
/// [`PartitionError`] as [`list_partitions`], or when there is none.
pub fn find_root(disk: &Path) -> Result<Partition, PartitionError> {
    let rank = |partition: &Partition| match partition.kind {
        Some(Guid::ROOT_X86_64) => 2,
        Some(Guid::LINUX_DATA) | None => 1,
        Some(_) => 0,
    };
    let partitions = list_partitions(disk)?;
    let roots = partitions.into_iter().filter(|partition| rank(partition) > 0);
    roots
        .max_by_key(|partition| (rank(partition), partition.size))
        .ok_or_else(|| PartitionError::NoRoot { disk: disk.to_owned() })
}

/// The EFI system partition, if there is one.
///
/// # Errors
/// [`PartitionError`] as [`list_partitions`].
pub fn find_esp(disk: &Path) -> Result<Option<Partition>, PartitionError> {
    Ok(list_partitions(disk)?.into_iter().find(|partition| partition.kind == Some(Guid::ESP)))
}

/// Writes a new table with these partitions (and the protective MBR). Starts and sizes are whole sectors.
///
/// # Errors
/// [`PartitionError`] when a partition does not fit, lacks its ids, or the disk cannot be written.
pub fn write_table(disk: &Path, disk_uuid: Guid, partitions: &[Partition]) -> Result<(), PartitionError> {
    let io_error = |source| PartitionError::Io { disk: disk.to_owned(), source };
    let wrong = |why: String| PartitionError::Wrong { disk: disk.to_owned(), why };
    let mut file = fs::OpenOptions::new().read(true).write(true).open(disk).map_err(io_error)?;
    let mut table = GPT::new_from(&mut file, SECTOR, disk_uuid.0).map_err(|error| wrong(error.to_string()))?;
    for partition in partitions {
        let (Some(kind), Some(uuid)) = (partition.kind, partition.uuid) else {
            return Err(wrong(format!("partition {} has no ids", partition.number)));
        };
        let (first, last) = (partition.start / SECTOR, (partition.start + partition.size) / SECTOR - 1);
        if first < table.header.first_usable_lba || last > table.header.last_usable_lba {
            return Err(wrong(format!("partition {} does not fit on the disk", partition.number)));
        }
        table[partition.number] = GPTPartitionEntry {
            partition_type_guid: kind.0,
            unique_partition_guid: uuid.0,
            starting_lba: first,
            ending_lba: last,
            attribute_bits: 0,
            partition_name: partition.name.as_str().into(),
        };
    }
    table.write_into(&mut file).map_err(|error| wrong(error.to_string()))?;
    GPT::write_protective_mbr_into(&mut file, SECTOR).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::blocks::create_sparse;

    const MIB: u64 = 1 << 20;

    fn partition(number: u32, start: u64, size: u64, kind: Guid) -> Partition {
        let uuid = Guid::from_fields(0x1000 + u128::from(number));
        Partition { number, start, size, kind: Some(kind), uuid: Some(uuid), name: format!("p{number}") }
    }

    #[test]
    fn guids_read_as_people_write_them() {
        assert_eq!(Guid::ESP.to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        assert_eq!(Guid::ESP.0[..4], [0x28, 0x73, 0x2a, 0xc1]);
        assert_eq!(Guid::ROOT_X86_64.to_string(), "4f68bce3-e8cd-4db1-96e7-fbcaf984b709");
        assert_eq!(Guid::LINUX_DATA.to_string(), "0fc63daf-8483-4772-8e79-3d69d8477de4");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        create_sparse(&disk, 64 * MIB).unwrap();
        let esp = partition(15, MIB, 8 * MIB, Guid::ESP);
        let small = partition(2, 9 * MIB, 20 * MIB, Guid::LINUX_DATA);
        let root = partition(1, 29 * MIB, 10 * MIB, Guid::ROOT_X86_64);
        write_table(&disk, Guid::from_fields(7), &[root.clone(), small.clone(), esp.clone()]).unwrap();
        assert_eq!(list_partitions(&disk).unwrap(), [root.clone(), small, esp.clone()]);
        assert_eq!(find_root(&disk).unwrap(), root, "its type decides, not its size");
        assert_eq!(find_esp(&disk).unwrap(), Some(esp));
    }

    #[test]
    fn among_data_partitions_the_largest_is_root() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        create_sparse(&disk, 64 * MIB).unwrap();
        let small = partition(1, MIB, MIB, Guid::LINUX_DATA);
        let large = partition(2, 2 * MIB, 9 * MIB, Guid::LINUX_DATA);
        write_table(&disk, Guid::from_fields(7), &[small, large.clone()]).unwrap();
        assert_eq!(find_root(&disk).unwrap(), large);
        write_table(&disk, Guid::from_fields(7), &[partition(1, MIB, MIB, Guid::ESP)]).unwrap();
        assert!(matches!(find_root(&disk), Err(PartitionError::NoRoot { .. })));
    }

    #[test]
    fn a_bare_file_system_is_one_partition() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        let mut file = create_sparse(&disk, MIB).unwrap();
        assert!(matches!(find_root(&disk), Err(PartitionError::Unknown { .. })));
        file.seek(SeekFrom::Start(1080)).unwrap();
        file.write_all(&[0x53, 0xef]).unwrap();
        let root = find_root(&disk).unwrap();
        assert_eq!((root.number, root.start, root.size), (0, 0, MIB));
    }

    #[test]
    fn nonsense_is_refused_and_never_panics() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        fs::write(&disk, "not a disk").unwrap();
        assert!(matches!(find_root(&disk), Err(PartitionError::Unknown { .. })));
        create_sparse(&disk, 64 * MIB).unwrap();
        let too_large = partition(1, MIB, 64 * MIB, Guid::LINUX_DATA);
        assert!(matches!(write_table(&disk, Guid::from_fields(7), &[too_large]), Err(PartitionError::Wrong { .. })));
        write_table(&disk, Guid::from_fields(7), &[partition(1, MIB, 32 * MIB, Guid::LINUX_DATA)]).unwrap();
        fs::OpenOptions::new().write(true).open(&disk).unwrap().set_len(16 * MIB).unwrap();
        assert!(matches!(find_root(&disk), Err(PartitionError::Wrong { .. })), "a disk that was cut short");
    }
}
