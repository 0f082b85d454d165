//! The faults and delays as a client meets them.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::Client;
use ovenbird_aws::client::Patience;
use ovenbird_aws::client::wait;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_local::DEFAULT_ACCOUNT;
use ovenbird_local::Delays;
use ovenbird_local::FaultMode;
use ovenbird_local::FaultTable;
use ovenbird_local::Faults;
use support::Endpoint;

/// One try, and not for long.
fn hasty() -> Patience {
    let attempt = Duration::from_millis(1500);
    Patience { attempt, call: attempt * 2, attempts: 1, ..Patience::default() }
}

async fn client(endpoint: &Endpoint) -> Client {
    let keys = endpoint.keys(DEFAULT_ACCOUNT);
    let client = Client::for_endpoint(&endpoint.url, "us-east-1", &keys.access_key_id, &keys.secret_access_key).await;
    client.with_patience(&hasty())
}

fn start_request(token: &str) -> ebs::StartSnapshotRequest {
    ebs::StartSnapshotRequest { volume_size: Some(1), client_token: Some(token.to_owned()), ..Default::default() }
}

async fn count_snapshots(client: &Client) -> usize {
    let pages = client.send_all(ec2::DescribeSnapshotsRequest::default()).await.expect("described");
    pages.iter().map(|page| page.snapshots.len()).sum()
}

/// An image of an empty snapshot.
async fn image(client: &Client) -> String {
    let snapshot = client.send(start_request("image")).await.expect("started").snapshot_id.expect("an id");
    let complete = ebs::CompleteSnapshotRequest {
        snapshot_id: Some(snapshot.clone()),
        changed_blocks_count: Some(0),
        ..Default::default()
    };
    client.send(complete).await.expect("completed");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ebs = ec2::EbsBlockDevice { snapshot_id: Some(snapshot), ..Default::default() };
    let root =
        ec2::BlockDeviceMapping { device_name: Some("/dev/xvda".to_owned()), ebs: Some(ebs), ..Default::default() };
    let register = ec2::RegisterImageRequest {
        name: Some("an image".to_owned()),
        architecture: Some("x86_64".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        block_device_mappings: vec![root],
        ..Default::default()
    };
    client.send(register).await.expect("registered").image_id.expect("an id")
}

async fn wait_for_state(client: &Client, id: &str, state: &str) {
    let found = wait("the instance's state", Duration::from_secs(20), Duration::from_millis(10), async || {
        let request = ec2::DescribeInstancesRequest { instance_ids: vec![id.to_owned()], ..Default::default() };
        let answer = client.send(request).await?;
        let instance = &answer.reservations[0].instances[0];
        let is_there = instance.state.as_ref().and_then(|state| state.name.as_deref()) == Some(state);
        Ok::<_, ovenbird_aws::Error>(is_there.then_some(()))
    });
    found.await.unwrap_or_else(|error| panic!("{state}: {error}"));
}

/// Every fault of a refusal, a hang or a lost connection: the client sees an error, and only the losses have had an effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_is_no_answer_is_an_error_and_only_a_lost_answer_had_an_effect() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = Endpoint::start(folder.path());
    let client = client(&endpoint).await;
    let mut expected = 0;
    for (mode, had_effect) in [
        (FaultMode::ThrottleAccount, false),
        (FaultMode::ServerError, false),
        (FaultMode::BadSignature, false),
        (FaultMode::ExpiredCredentials, false),
        (FaultMode::Quota, false),
        (FaultMode::Hang, false),
        (FaultMode::LostAnswer, true),
        (FaultMode::Cut, true),
    ] {
        endpoint.faults.set(FaultTable::parse(&format!("{}=100%", mode.name()), 1).expect("a table"));
        let answer = client.send(start_request(mode.name())).await;
        assert!(answer.is_err(), "{} answered {answer:?}", mode.name());
        assert!(endpoint.faults.injected()[&mode] > 0, "{}", mode.name());
        endpoint.faults.set(FaultTable::default());
        expected += usize::from(had_effect);
        assert_eq!(count_snapshots(&client).await, expected, "{}", mode.name());
    }
    // What was lost is answered again by its token.
    client.send(start_request(FaultMode::LostAnswer.name())).await.expect("answered");
    assert_eq!(count_snapshots(&client).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_are_stale_or_come_in_odd_pages_and_are_whole_at_their_end() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = Endpoint::start(folder.path());
    let client = client(&endpoint).await;
    for token in ["a", "b", "c"] {
        client.send(start_request(token)).await.expect("started");
    }
    endpoint.faults.set(FaultTable::parse("short-pages=100%", 1).expect("a table"));
    let pages = client.send_all(ec2::DescribeSnapshotsRequest::default()).await.expect("described");
    assert_eq!(pages.iter().map(|page| page.snapshots.len()).collect::<Vec<_>>(), [1, 1, 1]);
    endpoint.faults.set(FaultTable::parse("empty-pages=100%", 1).expect("a table"));
    let pages = client.send_all(ec2::DescribeSnapshotsRequest::default()).await.expect("described");
    assert_eq!(pages.iter().map(|page| page.snapshots.len()).collect::<Vec<_>>(), [0, 3]);
    endpoint.faults.set(FaultTable::parse("stale=100%", 1).expect("a table"));
    assert_eq!(count_snapshots(&client).await, 0);
    endpoint.clock.advance(10);
    assert_eq!(count_snapshots(&client).await, 3);
}

#[test]
fn the_daemon_ends_although_a_call_hangs() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = Endpoint::start(folder.path());
    endpoint.faults.set(FaultTable::parse("hang=100%", 1).expect("a table"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = runtime.block_on(client(&endpoint)).with_patience(&Patience::default());
    let hung = runtime.spawn(async move { client.send(start_request("t")).await });
    let status = || ovenbird_local::status(folder.path()).expect("readable");
    while !status().injected.contains_key("hang") {}
    assert_eq!(status().faults.as_deref(), Some("hang=100% (seed 1)"));
    let began = Instant::now();
    endpoint.end();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    hung.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_take_the_time_that_the_table_says() {
    let folder = tempfile::tempdir().expect("folder");
    let delays = Delays::parse("none,instance-running=400ms,instance-booted=400ms,instance-terminated=300ms,call=20ms");
    let endpoint = Endpoint::start_as(folder.path(), Faults::default(), delays.expect("delays"));
    let client = client(&endpoint).await;
    let image = image(&client).await;
    let began = Instant::now();
    let launch = ec2::RunInstancesRequest {
        image_id: Some(image),
        min_count: Some(1),
        max_count: Some(1),
        instance_type: Some("t3.micro".to_owned()),
        ..Default::default()
    };
    let reservation = client.send(launch).await.expect("launched");
    let id = reservation.instances[0].instance_id.clone().expect("an id");
    wait_for_state(&client, &id, "running").await;
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // It is still to boot, and is not taken for one that ended.
    tokio::time::sleep(Duration::from_millis(900)).await;
    wait_for_state(&client, &id, "running").await;
    let began = Instant::now();
    client
        .send(ec2::TerminateInstancesRequest { instance_ids: vec![id.clone()], ..Default::default() })
        .await
        .expect("ended");
    wait_for_state(&client, &id, "terminated").await;
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
