//! What must hold whatever a manifest or a block map says: nothing panics, and what was read is written and read again.

// Each user takes those checks that it needs.
#![allow(dead_code)]

use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Change;
use ovenbird_core::block::linear_checksum;
use ovenbird_core::manifest::Manifest;

/// Reads `data` as a manifest.
pub(crate) fn manifest(data: &[u8]) {
    match Manifest::from_json(&String::from_utf8_lossy(data)) {
        Ok(manifest) => {
            let written = manifest.to_json().expect("it is writable");
            assert_eq!(Manifest::from_json(&written).expect("its own writing"), manifest);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads `data` as a block map, and steps from an empty disk to it and back.
pub(crate) fn block_map(data: &[u8]) {
    let Ok(map) = serde_json::from_slice::<BlockMap>(data) else { return };
    let written = serde_json::to_vec(&map).expect("it is writable");
    assert_eq!(serde_json::from_slice::<BlockMap>(&written).expect("its own writing"), map);

    let empty = BlockMap { volume_size: map.volume_size, ..BlockMap::default() };
    assert!(map.changes_since(&map).is_empty());
    for (from, to) in [(&empty, &map), (&map, &empty)] {
        let mut disk = from.blocks.clone();
        for (index, change) in to.changes_since(from) {
            match change {
                Change::Write(digest) => disk.insert(index, digest),
                Change::Zero => disk.remove(&index),
            };
        }
        assert_eq!(disk, to.blocks);
    }
    let _ = linear_checksum(map.blocks.values());
}
