//! A world without its door, for the tests of the rules.

use std::sync::Arc;
use std::time::Duration;

use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use ovenbird_disk::wait::wait_until;

use crate::accounts::DEFAULT_ACCOUNT;
use crate::accounts::Identity;
use crate::catalogue::Scope;
use crate::clock::Clock;
use crate::delays::Delays;
use crate::direct;
use crate::ec2::register_image::register_image;
use crate::engine::pretend::Pretend;
use crate::failure::Answer;
use crate::failure::Failure;
use crate::faults::Faults;
use crate::folder::StateFolder;
use crate::world::Call;
use crate::world::World;

/// A world in a temporary folder.
pub(crate) struct Fixture {
    pub(crate) world: Arc<World>,
    pub(crate) engine: Arc<Pretend>,
    pub(crate) clock: Clock,
    folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::open(tempfile::tempdir().expect("folder"), Arc::default(), Clock::default())
    }

    fn open(folder: tempfile::TempDir, engine: Arc<Pretend>, clock: Clock) -> Self {
        let state = StateFolder::new(folder.path());
        let opened = World::open(
            state,
            Arc::clone(&engine) as _,
            (clock.clone(), Faults::default(), Delays::default()),
            1,
            "us-east-1".to_owned(),
        );
        Self { world: Arc::new(opened.expect("opened")), engine, clock, folder }
    }

    /// The same state after its daemon ended without a word.
    pub(crate) fn reopen(self) -> Self {
        let Self { world, engine, clock, folder } = self;
        drop(world);
        Self::open(folder, engine, clock)
    }

    /// A call of the default account in us-east-1, now.
    pub(crate) fn call(&self) -> Call {
        self.call_as(DEFAULT_ACCOUNT, "us-east-1")
    }

    pub(crate) fn call_as(&self, account: &str, region: &str) -> Call {
        self.world.settle().expect("settled");
        Call {
            world: Arc::clone(&self.world),
            scope: Scope { account: account.to_owned(), region: region.to_owned() },
            identity: Identity { account: account.to_owned(), role: None },
            now: self.clock.now(),
            twist: None,
        }
    }

    /// Starts a snapshot of 1 GiB.
    pub(crate) fn start(&self, parent: Option<&str>) -> Answer<String> {
        let request = ebs::StartSnapshotRequest {
            volume_size: Some(1),
            parent_snapshot_id: parent.map(str::to_owned),
            ..Default::default()
        };
        Ok(direct::start::start_snapshot(&self.call(), &request)?.snapshot_id.expect("an id"))
    }

    /// Puts a block filled with `content`.
    pub(crate) fn put(&self, snapshot: &str, block: i32, content: u8) -> Answer<()> {
        direct::put::put_snapshot_block(&self.call(), &put_request(snapshot, block, content)).map(drop)
    }

    /// Completes a snapshot and lets the time pass that this takes.
    pub(crate) fn complete(&self, snapshot: &str, count: i32) -> Answer<()> {
        let request = ebs::CompleteSnapshotRequest {
            snapshot_id: Some(snapshot.to_owned()),
            changed_blocks_count: Some(count),
            ..Default::default()
        };
        direct::complete::complete_snapshot(&self.call(), &request)?;
        self.clock.advance(1);
        self.world.settle()
    }

    /// A completed snapshot with one block.
    pub(crate) fn snapshot(&self) -> String {
        let id = self.start(None).expect("started");
        self.put(&id, 0, 1).expect("put");
        self.complete(&id, 1).expect("completed");
        id
    }

    /// Registers an image of a snapshot.
    pub(crate) fn register(&self, name: &str, snapshot: &str) -> Answer<String> {
        let ebs = ec2::EbsBlockDevice { snapshot_id: Some(snapshot.to_owned()), ..Default::default() };
        let mapping =
            ec2::BlockDeviceMapping { device_name: Some("/dev/xvda".to_owned()), ebs: Some(ebs), ..Default::default() };
        let request = ec2::RegisterImageRequest {
            name: Some(name.to_owned()),
            architecture: Some("x86_64".to_owned()),
            virtualization_type: Some("hvm".to_owned()),
            root_device_name: Some("/dev/xvda".to_owned()),
            block_device_mappings: vec![mapping],
            ..Default::default()
        };
        Ok(register_image(&self.call(), &request)?.image_id.expect("an id"))
    }
}

/// A put of a block filled with `content`.
pub(crate) fn put_request(snapshot: &str, block: i32, content: u8) -> ebs::PutSnapshotBlockRequest {
    let bytes = filled(content);
    ebs::PutSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: Some(block),
        data_length: i32::try_from(BLOCK_SIZE).ok(),
        checksum: Some(Digest::of(&bytes).base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
        block_data: Some(Blob(bytes.into())),
        progress: None,
    }
}

/// A block of one byte, again and again.
pub(crate) fn filled(content: u8) -> Vec<u8> {
    vec![content; usize::try_from(BLOCK_SIZE).expect("small")]
}

/// The code of a refusal.
pub(crate) fn code<T>(answer: Answer<T>) -> String {
    match answer {
        Ok(_) => "answered".to_owned(),
        Err(Failure::Refused(error)) => error.reason.unwrap_or(error.code),
        Err(failure) => panic!("{}", failure.chain()),
    }
}

/// Waits for what a thread of the world does.
pub(crate) fn eventually(what: &str, mut ask: impl FnMut() -> bool) {
    let ask = || ask().then_some(());
    wait_until(Duration::from_secs(20), Duration::from_millis(5), ask)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
}
