//! The daemon itself: who may run where, what it says of itself, and what a kill leaves.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use ovenbird_aws::Client;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::Digest;
use ovenbird_disk::tool::Tool;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::Clock;
use ovenbird_local::Daemon;
use ovenbird_local::Options;
use ovenbird_local::Status;
use ovenbird_local::Stop;
use ovenbird_local::engine::pretend::Pretend;
use support::Endpoint;

const ACCOUNT: &str = "123456789012";
/// Tells this test's own program to be a daemon in this folder.
const BE_A_DAEMON: &str = "OVENBIRD_TEST_DAEMON_STATE";

fn options(state: &Path) -> Options {
    Options {
        state: state.to_owned(),
        port: 0,
        engine: Arc::new(Pretend::default()),
        default_region: "eu-west-1".to_owned(),
        clock: Clock::default(),
        faults: ovenbird_local::Faults::default(),
        delays: ovenbird_local::Delays::default(),
    }
}

async fn client(state: &Path, url: &str) -> Client {
    let keys = ovenbird_local::credentials(state, ACCOUNT).expect("readable").expect("12 digits");
    Client::for_endpoint(url, "eu-west-1", &keys.access_key_id, &keys.secret_access_key).await
}

#[test]
fn only_one_daemon_holds_a_folder() {
    let folder = tempfile::tempdir().expect("folder");
    assert_eq!(ovenbird_local::status(folder.path()).expect("readable"), Status::default());
    let endpoint = Endpoint::start(folder.path());
    let refused = Daemon::serve_until(options(folder.path()), Stop::new().1).expect_err("held");
    let text = format!("{refused}: {}", std::error::Error::source(&refused).expect("a cause"));
    assert!(text.contains(&std::process::id().to_string()) && text.contains("ovenbird local down"), "{text}");
    assert!(ovenbird_local::status(folder.path()).expect("readable").running, "the first goes on");
    endpoint.end();
    assert_eq!(ovenbird_local::status(folder.path()).expect("readable"), Status::default());
    Endpoint::start(folder.path()).end();
}

#[test]
fn status_counts_calls_and_needs_the_folders_secret() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = Endpoint::start(folder.path());
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    runtime.block_on(async {
        let client = client(folder.path(), &endpoint.url).await;
        for _ in 0..3 {
            client.send(ec2::DescribeRegionsRequest::default()).await.expect("answered");
        }
    });
    let status = ovenbird_local::status(folder.path()).expect("readable");
    assert_eq!(status.calls[ACCOUNT]["ec2:DescribeRegions"], 3);
    assert_eq!((status.pid, status.engine.as_deref()), (Some(std::process::id()), Some("pretend")));
    let unproved = ureq::get(format!("{}/_ovenbird/status", endpoint.url)).call();
    assert!(matches!(unproved, Err(ureq::Error::StatusCode(403))), "{unproved:?}");
    let unsigned = ureq::post(format!("{}/", endpoint.url)).send("Action=DescribeRegions");
    assert!(matches!(unsigned, Err(ureq::Error::StatusCode(401))), "{unsigned:?}");
    let huge = ureq::post(format!("{}/", endpoint.url)).send(vec![0; 3 << 20]);
    assert!(matches!(huge, Err(ureq::Error::StatusCode(413) | ureq::Error::Io(_))), "{huge:?}");
}

/// Not a test: what the next test starts, and kills.
#[test]
#[ignore = "started by another test"]
fn a_daemon_to_kill() {
    if let Some(state) = std::env::var_os(BE_A_DAEMON) {
        Daemon::serve(options(&PathBuf::from(state))).expect("served");
    }
}

/// Blocks that are put in each round.
const TRIED: i32 = 80;

fn content(index: i32) -> Vec<u8> {
    Digest::of(&index.to_be_bytes()).0.repeat(16_384)
}

async fn put(client: &Client, snapshot: &str, index: i32) -> bool {
    let bytes = content(index);
    let request = ebs::PutSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: Some(index),
        data_length: Some(524_288),
        checksum: Some(Digest::of(&bytes).base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
        block_data: Some(Blob(bytes.into())),
        progress: None,
    };
    client.send(request).await.is_ok()
}

/// Every visible block has the content that its name says.
fn verify_blocks(state: &Path) -> usize {
    let mut seen = 0;
    for first in std::fs::read_dir(state.join("blocks")).expect("there").map(|entry| entry.expect("entry").path()) {
        if first.ends_with("partial") {
            continue;
        }
        for block in std::fs::read_dir(&first).expect("there").map(|entry| entry.expect("entry").path()) {
            let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&block).expect("readable");
            assert_eq!(Digest::of(&bytes).hex(), name(&first) + &name(&block), "{}", block.display());
            seen += 1;
        }
    }
    seen
}

#[test]
fn killed_in_the_middle_of_puts_it_shows_no_half_block_and_loses_none_that_it_took() {
    let folder = tempfile::tempdir().expect("folder");
    let state = folder.path();
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let mut snapshot: Option<String> = None;
    let mut taken: BTreeSet<i32> = BTreeSet::new();
    for round in 0..4_i32 {
        let program = std::env::current_exe().expect("this program");
        let mut daemon = Tool::new(program.display().to_string())
            .args(["a_daemon_to_kill", "--exact", "--ignored"])
            .env(BE_A_DAEMON, state)
            .spawn_guarded(Stdio::null())
            .expect("started");
        let ready = || ovenbird_local::status(state).expect("readable").url;
        let url = wait_until(Duration::from_secs(20), Duration::from_millis(20), ready).expect("ready");
        let killing = std::thread::spawn(move || {
            let _: Result<(), _> = wait_until(
                Duration::from_millis(60 + 70 * u64::from(round.unsigned_abs())),
                Duration::from_secs(1),
                || None,
            );
            daemon.kill();
        });
        runtime.block_on(async {
            let client = client(state, &url).await;
            if snapshot.is_none() {
                let started =
                    client.send(ebs::StartSnapshotRequest { volume_size: Some(4), ..Default::default() }).await;
                snapshot = started.ok().and_then(|answer| answer.snapshot_id);
            }
            let Some(snapshot) = &snapshot else { return };
            let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
            let puts = futures::stream::iter(round * 1000..round * 1000 + TRIED).map(|index| {
                let client = &client;
                async move { tokio::time::timeout_at(deadline, put(client, snapshot, index)).await == Ok(true) }
            });
            let answered: Vec<bool> = puts.buffered(8).collect().await;
            taken.extend((round * 1000..).zip(answered).filter(|(_, taken)| *taken).map(|(index, _)| index));
        });
        killing.join().expect("no panic");
        verify_blocks(state);
    }
    assert!(
        (1..4 * usize::try_from(TRIED).expect("positive")).contains(&taken.len()),
        "kills must come in the middle: {} were taken",
        taken.len()
    );
    let endpoint = Endpoint::start(state);
    let Some(snapshot) = snapshot else { panic!("no daemon lived long enough to start a snapshot") };
    assert!(verify_blocks(state) >= taken.len(), "nothing that was taken is lost");
    runtime.block_on(async {
        let client = client(state, &endpoint.url).await;
        // Blocks whose answer was lost may be there too: put everything that was tried again, then the count is known.
        let tried: Vec<i32> = (0..4).flat_map(|round| round * 1000..round * 1000 + TRIED).collect();
        let puts = futures::stream::iter(tried.clone()).map(|index| put(&client, &snapshot, index));
        assert!(puts.buffered(8).all(|taken| async move { taken }).await);
        let request = ebs::CompleteSnapshotRequest {
            snapshot_id: Some(snapshot.clone()),
            changed_blocks_count: i32::try_from(tried.len()).ok(),
            ..Default::default()
        };
        client.send(request).await.expect("sealed");
    });
    endpoint.end();
}
