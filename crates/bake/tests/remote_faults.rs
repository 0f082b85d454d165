//! The remote part of a bake (fetch a base, upload changes, register an image) against an endpoint with faults, hundreds of times:
//! it succeeds with the right content, or fails with the true cause; nothing hangs, and nothing pending is left.
#![allow(
    missing_docs,
    unused_crate_dependencies,
    clippy::print_stdout,
    reason = "a test tells what it met when it fails"
)]

#[path = "support/endpoint.rs"]
mod endpoint;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::time::Duration;

use endpoint::Endpoint;
use futures::StreamExt as _;
use ovenbird_aws::Client;
use ovenbird_aws::client::Patience;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_bake::BakeError;
use ovenbird_bake::remote;
use ovenbird_bake::remote::NewSnapshot;
use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Change;
use ovenbird_core::block::GIB;
use ovenbird_core::tags;
use ovenbird_disk::blocks;
use ovenbird_local::FaultMode;
use ovenbird_local::FaultTable;

/// Longer than any bake here may take, whatever it meets.
const DEADLINE: Duration = Duration::from_secs(90);
/// Bakes for each fault.
const BAKES: usize = 20;
/// Bakes at a time, each mostly waiting.
const AT_ONCE: usize = 20;

/// Faults as in [`FaultTable::parse`], whose waits suit a test.
fn faults(text: &str, seed: u64) -> FaultTable {
    FaultTable {
        slow: Duration::from_millis(100),
        stale: Duration::from_millis(600),
        late_writes: 4,
        ..FaultTable::parse(text, seed).expect("a table")
    }
}

fn patience() -> Patience {
    Patience {
        attempt: Duration::from_millis(1500),
        call: Duration::from_secs(40),
        attempts: 12,
        first_backoff: Duration::from_millis(20),
        max_backoff: Duration::from_millis(200),
        ..Patience::default()
    }
}

/// A small disk: a few blocks, of which the bake changes some, makes some and clears one.
struct World {
    client: Client,
    base: String,
    base_map: BlockMap,
    changed_map: BlockMap,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(endpoint: &Endpoint) -> Self {
        let client = endpoint.client().await.with_patience(&patience());
        let folder = tempfile::tempdir().expect("a folder");
        let (base_disk, changed) = (folder.path().join("base"), folder.path().join("changed"));
        write(&base_disk, &[(0, 1), (1, 2), (2, 3), (900, 4)]);
        write(&changed, &[(0, 1), (1, 7), (3, 8), (900, 4)]);
        let base_map = blocks::scan(&base_disk).expect("scanned");
        let changed_map = blocks::scan(&changed).expect("scanned");
        let changes = base_map.changes_since(&BlockMap { volume_size: GIB, ..BlockMap::default() });
        let base = remote::start_snapshot(&client, &new_snapshot("base", None)).await.expect("started");
        remote::put_changes(&client, &base, &base_disk, &changes, |_, _| ()).await.expect("uploaded");
        Self { client, base, base_map, changed_map, folder }
    }

    /// What a bake does in AWS, with undo where it fails.
    async fn bake(&self, name: &str) -> Result<(String, String), BakeError> {
        let disk = self.folder.path().join(format!("{name}.raw"));
        let map = remote::fetch_disk(&self.client, &self.base, &disk, |_, _| ()).await?;
        assert_eq!(map, self.base_map, "{name}: the base that was fetched");
        assert_eq!(blocks::scan(&disk).expect("scanned"), self.base_map, "{name}: the base on the disk");
        let changes = self.changed_map.changes_since(&map);
        assert!(changes.values().any(|change| *change == Change::Zero), "{name}: one is cleared");
        let snapshot = remote::start_snapshot(&self.client, &new_snapshot(name, Some(&self.base))).await?;
        let ended = self.finish(name, &snapshot, &changes).await;
        if ended.is_err() {
            remote::undo_snapshot(&self.client, &snapshot).await?;
        }
        fs_err::remove_file(&disk).expect("removed");
        Ok((snapshot, ended?))
    }

    async fn finish(&self, name: &str, snapshot: &str, changes: &BTreeMap<u32, Change>) -> Result<String, BakeError> {
        let changed = self.folder.path().join("changed");
        remote::put_changes(&self.client, snapshot, &changed, changes, |_, _| ()).await?;
        remote::register_image(&self.client, order(name, snapshot), name).await
    }

    /// What the bake's undo and `doctor` do: everything is found by the tag that the create call gave it.
    async fn sweep(&self, name: &str) {
        for snapshot in remote::list_pending_snapshots(&self.client, name).await.expect("listed") {
            remote::undo_snapshot(&self.client, &snapshot).await.expect("deleted");
        }
    }

    /// After the faults are switched off: a success has the right content, and a failure has left nothing.
    async fn verify(&self, baked: &BTreeMap<String, (String, String)>) {
        let mut snapshots = BTreeSet::from([self.base.clone()]);
        for (name, (snapshot, _)) in baked {
            let disk = self.folder.path().join(format!("{name}.check"));
            let map = remote::fetch_disk(&self.client, snapshot, &disk, |_, _| ()).await.expect("read");
            assert_eq!(map, self.changed_map, "{name}");
            fs_err::remove_file(&disk).expect("removed");
            snapshots.insert(snapshot.clone());
        }
        let pages = self.client.send_all(ec2::DescribeSnapshotsRequest::default()).await.expect("listed");
        let found: BTreeSet<_> =
            pages.into_iter().flat_map(|page| page.snapshots).filter_map(|snapshot| snapshot.snapshot_id).collect();
        assert_eq!(found, snapshots, "snapshots of failed bakes are taken back");
        let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], ..Default::default() };
        let pages = self.client.send_all(request).await.expect("listed");
        let found: BTreeSet<_> =
            pages.into_iter().flat_map(|page| page.images).filter_map(|image| image.image_id).collect();
        let images: BTreeSet<_> = baked.values().map(|(_, image)| image.clone()).collect();
        assert_eq!(found, images, "one image for each bake that succeeded, and no other");
    }
}

fn write(disk: &std::path::Path, content: &[(u32, u8)]) {
    let file = blocks::create_sparse(disk, GIB).expect("created").into_parts().0;
    for (index, byte) in content {
        blocks::write_block(&file, *index, &vec![*byte; 512 * 1024]).expect("written");
    }
}

fn new_snapshot(name: &str, parent: Option<&str>) -> NewSnapshot {
    NewSnapshot {
        volume_size: GIB,
        parent: parent.map(str::to_owned),
        client_token: name.to_owned(),
        description: format!("of the bake {name}"),
        tags: vec![(tags::BAKE.to_owned(), name.to_owned())],
    }
}

fn order(name: &str, snapshot: &str) -> ec2::RegisterImageRequest {
    let ebs = ec2::EbsBlockDevice { snapshot_id: Some(snapshot.to_owned()), ..Default::default() };
    let root =
        ec2::BlockDeviceMapping { device_name: Some("/dev/xvda".to_owned()), ebs: Some(ebs), ..Default::default() };
    ec2::RegisterImageRequest {
        name: Some(name.to_owned()),
        architecture: Some("x86_64".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        block_device_mappings: vec![root],
        tag_specifications: vec![ec2::TagSpecification::new("image", vec![Tag::new(tags::BAKE, name)])],
        ..Default::default()
    }
}

/// All that the error says, from the outside in.
fn told(error: &BakeError) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        told = format!("{told}: {inner}");
        cause = inner.source();
    }
    told
}

/// What a bake may say that meets a fault which does not pass.
fn true_causes(mode: FaultMode) -> &'static [&'static str] {
    match mode {
        FaultMode::Quota => &["ovenbird doctor"],
        FaultMode::ExpiredCredentials => &["log in again"],
        FaultMode::SnapshotError => &["the snapshot snap-", "ended as `error`"],
        FaultMode::ImageFailed => &["the image ami-", "ended as `failed`"],
        // Twice in a row is no accident to the client.
        FaultMode::BadSignature => &["InvalidSignatureException"],
        _ => &[],
    }
}

/// Bakes `count` times under these faults, and tells how many succeeded and why the others did not.
async fn bake_under(text: &str, seed: u64, count: usize) -> (usize, Vec<String>, BTreeMap<FaultMode, u64>) {
    let endpoint = Endpoint::start();
    let world = World::new(&endpoint).await;
    endpoint.faults.set(faults(text, seed));
    let baking = futures::stream::iter(0..count).map(|number| {
        let (world, name) = (&world, format!("bake-{number}"));
        async move {
            let ended = tokio::time::timeout(DEADLINE, world.bake(&name)).await;
            let ended = ended.unwrap_or_else(|_| panic!("{name} hangs under {text}, seed {seed}"));
            (name, ended)
        }
    });
    let ended: Vec<_> = baking.buffer_unordered(AT_ONCE).collect().await;
    let injected = endpoint.faults.injected();
    endpoint.faults.set(FaultTable::default());
    let (mut baked, mut causes) = (BTreeMap::new(), Vec::new());
    for (name, ended) in ended {
        match ended {
            Ok(ids) => drop(baked.insert(name, ids)),
            Err(error) => {
                let cause = told(&error);
                // One try may have started it whose answer was lost, before another was refused: it has the bake's tag.
                if cause.starts_with("could not start a snapshot") {
                    world.sweep(&name).await;
                }
                causes.push(cause);
            }
        }
    }
    println!("{text}, seed {seed}: {} of {count} baked; met {injected:?}; {causes:#?}", baked.len());
    world.verify(&baked).await;
    (baked.len(), causes, injected)
}

/// Faults that pass by trying again, each alone and often.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_that_passes_is_survived() {
    let modes = (1..).zip(FaultMode::ALL.into_iter().filter(|mode| mode.passes()));
    // Each with an endpoint of its own, and mostly waiting.
    futures::stream::iter(modes).for_each_concurrent(4, |(seed, mode)| is_survived(mode, seed)).await;
}

async fn is_survived(mode: FaultMode, seed: u64) {
    let rate = match mode {
        FaultMode::Hang => 5,
        FaultMode::EmptyPages | FaultMode::ShortPages | FaultMode::LateSnapshot => 100,
        _ => 15,
    };
    let (_, causes, injected) = bake_under(&format!("{}={rate}%", mode.name()), seed, BAKES).await;
    let is_true = |cause: &&String| {
        let words = true_causes(mode);
        !words.is_empty() && words.iter().all(|word| cause.contains(word))
    };
    let wrong: Vec<_> = causes.iter().filter(|cause| !is_true(cause)).collect();
    assert!(wrong.is_empty(), "{} seed {seed}: {wrong:#?}", mode.name());
    assert!(injected.get(&mode).is_some_and(|met| *met >= 5), "{} was met {injected:?}", mode.name());
}

/// Faults that do not pass: the bakes that meet them say which it was.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_that_does_not_pass_is_told() {
    for mode in [FaultMode::Quota, FaultMode::ExpiredCredentials, FaultMode::SnapshotError, FaultMode::ImageFailed] {
        let (baked, causes, injected) = bake_under(&format!("{}=50%", mode.name()), 5, BAKES).await;
        assert!(baked > 0 && !causes.is_empty(), "{} met {injected:?}", mode.name());
        for cause in &causes {
            assert!(true_causes(mode).iter().all(|word| cause.contains(word)), "{}: {cause}", mode.name());
        }
        assert_eq!(causes.len() as u64, injected[&mode], "each that met it fails, and no other");
    }
}

/// All at once: a bake succeeds, or tells one of the causes that do not pass. The seed decides what the nth call of a kind meets, not
/// which of the bakes makes that call: they run side by side, and look again as often as the time allows. So what is demanded holds
/// for every order.
#[tokio::test(flavor = "multi_thread")]
async fn all_faults_together_end_well_or_truly() {
    for seed in [1, 2] {
        let (baked, causes, injected) = bake_under("all=5%", seed, 60).await;
        assert!(baked >= 30, "seed {seed}: {baked} of 60; {causes:#?}");
        assert!(injected.len() >= 15, "seed {seed}: {injected:?}");
        for cause in &causes {
            let is_true = |mode: &FaultMode| {
                let words = true_causes(*mode);
                !words.is_empty() && words.iter().all(|word| cause.contains(word))
            };
            assert!(FaultMode::ALL.iter().any(is_true), "seed {seed}: {cause}");
        }
    }
}

/// A fetch that fails goes on where it was, and trusts only what is on the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_goes_on_where_it_was_cut_off() {
    let endpoint = Endpoint::start();
    let world = World::new(&endpoint).await;
    let disk = world.folder.path().join("resumed.raw");
    // Every block of an even count fails for good: one try a call, and half of the calls meet it.
    let hasty = world.client.with_patience(&Patience { attempts: 1, ..patience() });
    let mut seed = 0;
    let mut fetched = Vec::new();
    let map = loop {
        seed += 1;
        assert!(seed < 100, "it never ends");
        endpoint.faults.set(faults("server-error=40%", seed));
        let mut count = 0;
        let ended = remote::fetch_disk(&hasty, &world.base, &disk, |done, _| count = done).await;
        fetched.push(count);
        if let Ok(map) = ended {
            break map;
        }
    };
    endpoint.faults.set(FaultTable::default());
    assert_eq!(map, world.base_map);
    assert_eq!(blocks::scan(&disk).expect("scanned"), world.base_map);
    assert_eq!(fetched.iter().sum::<u64>(), 4, "no block is fetched twice: {fetched:?}");

    // A block that was noted and is not on the disk is fetched again.
    let mut note = disk.clone().into_os_string();
    note.push(".blocks");
    let lines: String = map.blocks.iter().map(|(index, digest)| format!("{index} {}\n", digest.hex())).collect();
    fs_err::write(&note, format!("{} {GIB}\n{lines}", world.base)).expect("written");
    let file = fs_err::OpenOptions::new().write(true).open(&disk).expect("opened").into_parts().0;
    blocks::write_block(&file, 1, &vec![9; 512 * 1024]).expect("spoilt");
    let mut count = 0;
    let again = remote::fetch_disk(&world.client, &world.base, &disk, |done, _| count = done).await.expect("fetched");
    assert_eq!((again, count), (map, 1));
    assert_eq!(blocks::scan(&disk).expect("scanned"), world.base_map);
}

/// Nobody writes to a disk between its scan and its upload. If somebody does, no snapshot is made of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_changed_after_the_scan_is_refused() {
    let endpoint = Endpoint::start();
    let world = World::new(&endpoint).await;
    let changes = world.changed_map.changes_since(&world.base_map);
    let changed = fs_err::OpenOptions::new().write(true).open(world.folder.path().join("changed")).expect("a disk");
    blocks::write_block(changed.file(), 3, &vec![9; 512 * 1024]).expect("written");
    let snapshot = remote::start_snapshot(&world.client, &new_snapshot("late", Some(&world.base))).await;
    let cause = told(&world.finish("late", &snapshot.expect("started"), &changes).await.expect_err("it is another"));
    assert!(cause.contains("write block 3 of snap-") && cause.to_lowercase().contains("checksum"), "{cause}");
}
