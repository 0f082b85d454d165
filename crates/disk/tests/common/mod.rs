//! What the tests of mounts share.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use ovenbird_disk::blocks;
use ovenbird_disk::gpt;
use ovenbird_disk::gpt::Guid;
use ovenbird_disk::gpt::Partition;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;

const MIB: u64 = 1 << 20;
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A disk with an ext4 partition at 1 MiB.
pub(crate) fn make_disk(disk: &Path) -> Partition {
    let root = Partition {
        number: 1,
        start: MIB,
        size: 48 * MIB,
        kind: Some(Guid::ROOT_X86_64),
        uuid: Some(Guid::from_fields(1)),
        name: "root".into(),
    };
    blocks::create_sparse(disk, 50 * MIB).unwrap();
    gpt::write_table(disk, Guid::from_fields(2), std::slice::from_ref(&root)).unwrap();
    let offset = format!("offset={}", root.start);
    Tool::new("mke2fs").args(["-q", "-F", "-t", "ext4", "-E", &offset]).arg(disk).arg("48M").run().unwrap();
    gpt::find_root(disk).unwrap()
}

pub(crate) fn has_loop_device(disk: &Path) -> bool {
    !Tool::new("losetup").args([Path::new("-j"), disk]).run().unwrap().text().is_empty()
}

pub(crate) fn assert_is_released(disk: &Path) {
    let released = wait_until(PATIENCE, Duration::from_millis(20), || (!has_loop_device(disk)).then_some(()));
    assert!(released.is_ok(), "a loop device still holds {}", disk.display());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&*disk.parent().unwrap().to_string_lossy()), "{mounts}");
}
