//! Formatting, only after proof that there is nothing to lose (boot.md 3.4).
//!
//! `blkid` answers "nothing found" also for random bytes, for ext4 with a damaged start, for unreadable and for missing disks, and
//! people have lost their data by believing it. So: the image asks for it, the volume was not made from a snapshot, the device is
//! the volume and has its size, nobody else has it open, it reads as zeros wherever one looks, and blkid finds nothing. A volume
//! that was never written reads as zeros.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::os::unix::fs::OpenOptionsExt as _;

use ovenbird_aws::ec2::Volume;
use ovenbird_core::block::GIB;
use rustix::fs::OFlags;

use crate::fault::Fault;
use crate::report::say;
use crate::spawn::Tool;
use crate::time::Deadline;

use super::content::Content;
use super::content::Found;
use super::content::probe;
use super::find::Device;
use super::find::size;

const MIB: u64 = 1 << 20;
/// What is read at both ends: all that file systems, RAID, LVM and partition tables keep there.
const EDGE: u64 = 4 * MIB;
/// What is read at each place in between.
const LOOK: u64 = 64 * 1024;
/// Up to this size every byte is read.
const SMALL: u64 = GIB;
/// How many places are looked at in a large volume: some seconds at a volume's base rate of 3,000 reads a second.
const PLACES: u64 = 16_384;

/// Makes an ext4 on a volume that is proved blank, and answers it.
///
/// # Errors
/// When anything speaks against it, or `mkfs` fails. Then nothing was written.
pub fn ensure_formatted(device: &Device, id: &str, volume: &Volume, deadline: &Deadline) -> Result<Found, Fault> {
    let not_blank = |why: String| Fault::lasting(format!("the volume {id} is not formatted: {why}"));
    if let Some(snapshot) = volume.snapshot_id.as_deref().filter(|snapshot| !snapshot.is_empty()) {
        return Err(not_blank(format!(
            "it was made from the snapshot {snapshot}, so it ought to hold a file system, but none was found"
        )));
    }
    let unreadable = |error: io::Error| not_blank(format!("{}: {error}", device.path.display()));
    {
        // Exclusive: the kernel answers "busy" if it is mounted or part of another device.
        let exclusive = i32::try_from(OFlags::EXCL.bits()).unwrap_or_default();
        let options = OpenOptions::new().read(true).write(true).custom_flags(exclusive).clone();
        let mut file = device.open(&options, id).map_err(unreadable)?;
        let bytes = size(&mut file).map_err(unreadable)?;
        let wanted = volume.size.and_then(|gib| u64::try_from(gib).ok()).unwrap_or_default() * GIB;
        if bytes != wanted {
            return Err(not_blank(format!("its device has {bytes} bytes instead of {wanted}")));
        }
        if let Some(place) = find_data(&file, bytes, deadline).map_err(unreadable)? {
            return Err(not_blank(format!("it holds data of an unknown kind (at byte {place}); it is left as it is")));
        }
    }
    if probe(device, deadline)? != Content::Nothing {
        return Err(not_blank("what it holds has just changed".to_owned()));
    }
    make_ext4(device, id, deadline)?;
    match probe(device, deadline)? {
        Content::Filesystem(found) => Ok(found),
        _ => Err(Fault::lasting(format!("the volume {id} has no file system after formatting"))),
    }
}

fn make_ext4(device: &Device, id: &str, deadline: &Deadline) -> Result<(), Fault> {
    say(&format!("formatting {id} ({}): it is proved blank", device.path.display()));
    // 16 bytes, the most that ext4 takes. Without -F: mkfs has the last word.
    let label = format!("ovenbird-{}", &id[id.len().saturating_sub(7)..]);
    let output = Tool::new("mkfs.ext4").args(["-q", "-L", &label]).arg(&device.path).run(deadline)?;
    match output.code {
        Some(0) => Ok(()),
        _ => Err(Fault::passing(format!("mkfs.ext4 failed on {}: {}", device.path.display(), output.last_words()))),
    }
}

/// Whether a device or file of this size reads as zeros wherever [`ensure_formatted`] looks.
///
/// # Errors
/// Those of reading; never taken for "blank".
pub fn is_blank(file: &File, bytes: u64, deadline: &Deadline) -> io::Result<bool> {
    Ok(find_data(file, bytes, deadline)?.is_none())
}

/// The first place looked at that is not zero.
fn find_data(file: &File, bytes: u64, deadline: &Deadline) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; usize::try_from(MIB).unwrap_or_default()];
    let zeros = buffer.clone();
    for (start, length) in places(bytes) {
        let mut at = start;
        while at < start + length {
            if deadline.is_over() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the time for looking through it is over"));
            }
            let part = (start + length - at).min(MIB);
            let piece = &mut buffer[..usize::try_from(part).unwrap_or_default()];
            file.read_exact_at(piece, at)?;
            if *piece != zeros[..piece.len()] {
                let offset = piece.iter().take_while(|byte| **byte == 0).count();
                return Ok(Some(at + offset as u64));
            }
            at += part;
        }
    }
    Ok(None)
}

/// Start and length of what is read, for a device of this size.
fn places(bytes: u64) -> Vec<(u64, u64)> {
    if bytes <= SMALL {
        return vec![(0, bytes)];
    }
    let mut starts: Vec<u64> = superblocks(bytes);
    let stride = bytes.div_ceil(PLACES).next_multiple_of(MIB);
    starts.extend((0..bytes / stride).map(|step| step * stride));
    starts.sort_unstable();
    starts.dedup();
    let edges = [(0, EDGE), (bytes - EDGE, EDGE)];
    let between = starts.into_iter().filter(|start| (EDGE..bytes - EDGE).contains(start)).map(|start| (start, LOOK));
    edges.into_iter().chain(between).collect()
}

/// Where ext4 keeps its spare superblocks (groups 1 and powers of 3, 5, 7, for blocks of 1, 2 and 4 KiB), where the allocation
/// groups of an xfs begin (a quarter each, or a TiB), and btrfs's copies.
fn superblocks(bytes: u64) -> Vec<u64> {
    let mut starts = vec![64 * MIB, 256 * GIB];
    let groups = [3_u64, 5, 7].into_iter().flat_map(|base| (0..40).map_while(move |power| base.checked_pow(power)));
    for group in groups {
        starts.extend([8 * MIB, 32 * MIB, 128 * MIB].map(|size| group.saturating_mul(size)));
    }
    starts.extend((1..4).map(|quarter| bytes / 4 * quarter / 4096 * 4096));
    starts.extend((1..bytes.div_ceil(1024 * GIB)).map(|tebi| tebi * 1024 * GIB));
    starts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sparse(bytes: u64, data: &[u64]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(bytes).unwrap();
        for at in data {
            file.write_all_at(&[1], *at).unwrap();
        }
        file
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn a_single_byte_anywhere_in_a_small_volume_is_data() {
        let bytes = 100 * MIB + 4096;
        assert!(is_blank(&sparse(bytes, &[]), bytes, &soon()).unwrap());
        for at in [0, 4096, 32 * MIB + 1, bytes - 1] {
            assert_eq!(find_data(&sparse(bytes, &[at]), bytes, &soon()).unwrap(), Some(at));
        }
    }

    #[test]
    fn a_large_volume_is_looked_at_where_things_are_kept() {
        let bytes = 500 * GIB;
        let places = places(bytes);
        let is_read = |at: u64| places.iter().any(|(start, length)| (*start..start + length).contains(&at));
        for at in [
            0,
            EDGE - 1,
            8 * MIB,
            32 * MIB + 99,
            64 * MIB,
            128 * MIB,
            343 * 128 * MIB,
            bytes / 4,
            bytes - EDGE,
            bytes - 1,
        ] {
            assert!(is_read(at), "{at}");
        }
        let starts = |(start, length): &(u64, u64)| start.div_ceil(MIB)..(start + length).div_ceil(MIB);
        let between: std::collections::BTreeSet<u64> = places.iter().flat_map(starts).collect();
        assert!(between.len() >= 16_000, "{}", between.len());
    }

    #[test]
    fn no_size_is_read_past_its_end_or_for_too_long() {
        for bytes in [0, 1, MIB, SMALL, SMALL + 1, 8 * GIB, 100 * GIB, 16 * 1024 * GIB, 64 * 1024 * GIB] {
            let places = places(bytes);
            assert!(places.iter().all(|(start, length)| start + length <= bytes), "{bytes}");
            assert!(places.len() <= usize::try_from(PLACES).unwrap() + 200, "{bytes}: {}", places.len());
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_blank() {
        let short = sparse(MIB, &[]);
        assert!(is_blank(&short, 2 * MIB, &soon()).is_err());
        assert!(is_blank(&short, MIB, &Deadline::after(Duration::ZERO)).is_err());
    }
}
