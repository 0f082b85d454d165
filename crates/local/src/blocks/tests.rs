//! The store alone: many at a time, damage, leftovers.

use ovenbird_core::block::Digest;

use super::sweep::Swept;
use super::*;
use crate::testing::filled;

fn store() -> (tempfile::TempDir, BlockStore) {
    let folder = tempfile::tempdir().expect("folder");
    let store = BlockStore::open(folder.path()).expect("opened");
    (folder, store)
}

#[test]
fn many_put_the_same_and_other_blocks_at_once() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let store = &store;
            scope.spawn(move || {
                for content in 1..=8_u8 {
                    let bytes = filled(content.wrapping_add(thread % 2 * 4));
                    let _kept = store.keep();
                    store.put(&Digest::of(&bytes), &bytes).expect("put");
                    assert_eq!(store.get(&Digest::of(&bytes)).expect("there"), bytes);
                }
            });
        }
    });
    assert_eq!(store.list().expect("listed").len(), 12);
    assert_eq!(store.sweep(&store.list().expect("listed")).expect("swept"), Swept::default());
}

#[test]
fn zeros_are_known_and_never_stored() {
    let (_folder, store) = store();
    store.put(&zero_digest(), &filled(0)).expect("put");
    assert!(store.list().expect("listed").is_empty());
    assert_eq!(store.get(&zero_digest()).expect("known"), filled(0));
    assert_eq!(zero_digest().base64(), "B4VNL+8pega6gWheZgwzLeNtXRjVRpJ9MNqtbX/aFUE=");
}

#[test]
fn damage_is_noticed() {
    let (_folder, store) = store();
    let bytes = filled(9);
    let digest = Digest::of(&bytes);
    store.put(&digest, &bytes).expect("put");
    fs_err::write(store.path(&digest), b"short").expect("damaged");
    assert_eq!(store.get(&digest).expect_err("noticed").kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_sweep_takes_what_a_crash_left() {
    let (_folder, store) = store();
    let (known, unknown, missing) = (filled(1), filled(2), Digest::of(b"missing"));
    store.put(&Digest::of(&known), &known).expect("put");
    store.put(&Digest::of(&unknown), &unknown).expect("put");
    fs_err::write(store.root.join("partial").join("7"), b"half").expect("written");
    let swept = store.sweep(&[Digest::of(&known), missing]).expect("swept");
    assert_eq!(swept, Swept { partial: 1, unknown: 1, missing: vec![missing] });
    assert_eq!(store.list().expect("listed"), [Digest::of(&known)]);
}
