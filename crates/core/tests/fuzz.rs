//! A bounded run of the fuzz targets of this crate; `fuzz/` has them for cargo-fuzz.

#[path = "../../../fuzz/checks/manifest.rs"]
mod manifest;
#[path = "../../../fuzz/checks/mutate.rs"]
mod mutate;

const WORDS: &[&str] = &[
    "null",
    "-1",
    "0",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "1e400",
    "\"\"",
    "{}",
    "[]",
    ",",
    ":",
    "\"version\": 2,",
    "\"x\": 1,",
    "é",
];

#[test]
fn manifests() {
    let whole: &[u8] = include_bytes!("../../../fuzz/seeds/manifest/whole.json");
    let forged: &[u8] = include_bytes!("../../../fuzz/seeds/manifest/forged.json");
    let read = |seed: &[u8]| ovenbird_core::manifest::Manifest::from_json(&String::from_utf8_lossy(seed));
    assert!(read(whole).is_ok(), "the seed is a manifest");
    assert!(read(forged).is_err(), "the seed is none");
    mutate::run(manifest::manifest, &[whole, forged], WORDS, 20_000);
}

#[test]
fn block_maps() {
    let seeds: [&[u8]; 2] = [
        include_bytes!("../../../fuzz/seeds/block_map/two-blocks.json"),
        include_bytes!("../../../fuzz/seeds/block_map/empty.json"),
    ];
    let read = |seed: &[u8]| serde_json::from_slice::<ovenbird_core::block::BlockMap>(seed);
    assert!(seeds.iter().all(|seed| read(seed).is_ok()), "the seeds are block maps");
    mutate::run(manifest::block_map, &seeds, WORDS, 20_000);
}
