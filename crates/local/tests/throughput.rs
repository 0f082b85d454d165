//! How fast a base goes in and comes out: 1150 blocks (575 MiB) over 16 connections. Slow machines only get a warning from
//! the figures; what must hold is that every block comes back as it went.
#![allow(missing_docs, unused_crate_dependencies)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::time::Instant;

use futures::StreamExt as _;
use futures::TryStreamExt as _;
use ovenbird_aws::Client;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use ovenbird_core::block::linear_checksum;
use support::Endpoint;

const BLOCKS: u32 = 1150;
const CONNECTIONS: usize = 16;

/// A block that is unlike any other index's, made quickly.
fn content(index: u32) -> Vec<u8> {
    let seed = Digest::of(&index.to_be_bytes()).0;
    let mut bytes = seed.repeat(usize::try_from(BLOCK_SIZE).expect("small") / 32);
    bytes[..4].copy_from_slice(&index.to_be_bytes());
    bytes
}

fn signed(index: u32) -> i32 {
    i32::try_from(index).expect("small")
}

async fn put(client: &Client, snapshot: &str, index: u32) -> Result<Digest, ovenbird_aws::Error> {
    let bytes = content(index);
    let digest = Digest::of(&bytes);
    let request = ebs::PutSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: Some(signed(index)),
        data_length: Some(524_288),
        checksum: Some(digest.base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
        block_data: Some(Blob(bytes.into())),
        progress: None,
    };
    client.send(request).await.map(|_| digest)
}

async fn get(client: &Client, snapshot: &str, block: ebs::Block) -> Result<(), ovenbird_aws::Error> {
    let index = block.block_index.expect("an index");
    let request = ebs::GetSnapshotBlockRequest {
        snapshot_id: Some(snapshot.to_owned()),
        block_index: block.block_index,
        block_token: block.block_token,
    };
    let answer = client.send(request).await?;
    assert!(answer.block_data == Some(Blob(content(u32::try_from(index).expect("positive")).into())), "block {index}");
    Ok(())
}

async fn complete(client: &Client, snapshot: &str, digests: &[Digest]) -> Result<(), ovenbird_aws::Error> {
    let request = ebs::CompleteSnapshotRequest {
        snapshot_id: Some(snapshot.to_owned()),
        changed_blocks_count: i32::try_from(digests.len()).ok(),
        checksum: Some(linear_checksum(digests).base64()),
        checksum_algorithm: Some("SHA256".to_owned()),
        checksum_aggregation_method: Some("LINEAR".to_owned()),
    };
    client.send(request).await?;
    loop {
        let described = client
            .send(ec2::DescribeSnapshotsRequest { snapshot_ids: vec![snapshot.to_owned()], ..Default::default() })
            .await?;
        if described.snapshots[0].state.as_deref() == Some("completed") {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Makes a volume of the snapshot and waits until it is there.
async fn volume(client: &Client, snapshot: &str) -> Result<(), ovenbird_aws::Error> {
    let request = ec2::CreateVolumeRequest {
        availability_zone: Some("us-east-1a".to_owned()),
        snapshot_id: Some(snapshot.to_owned()),
        ..Default::default()
    };
    let made = client.send(request).await?;
    loop {
        let request =
            ec2::DescribeVolumesRequest { volume_ids: made.volume_id.iter().cloned().collect(), ..Default::default() };
        match client.send(request).await?.volumes[0].state.as_deref() {
            Some("available") => return Ok(()),
            Some("creating") => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            other => panic!("the volume is {other:?}"),
        }
    }
}

#[test]
fn a_base_goes_in_and_out() {
    let folder = tempfile::tempdir().expect("folder");
    let endpoint = Endpoint::start(folder.path());
    let keys = endpoint.keys("123456789012");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let megabytes = f64::from(BLOCKS) / 2.0 * 1.048_576;
    let ran: Result<(), ovenbird_aws::Error> = runtime.block_on(async {
        let client =
            Client::for_endpoint(&endpoint.url, "us-east-1", &keys.access_key_id, &keys.secret_access_key).await;
        let started = client.send(ebs::StartSnapshotRequest { volume_size: Some(4), ..Default::default() }).await?;
        let snapshot = started.snapshot_id.expect("an id");
        let before = Instant::now();
        let puts = futures::stream::iter(0..BLOCKS).map(|index| put(&client, &snapshot, index));
        let digests: Vec<Digest> = puts.buffered(CONNECTIONS).try_collect().await?;
        eprintln!("put {:.0} MB/s", megabytes / before.elapsed().as_secs_f64());
        let before = Instant::now();
        complete(&client, &snapshot, &digests).await?;
        eprintln!("complete {:.2} s", before.elapsed().as_secs_f64());
        let request = ebs::ListSnapshotBlocksRequest {
            snapshot_id: Some(snapshot.clone()),
            max_results: Some(10_000),
            ..Default::default()
        };
        let listed = client.send(request).await?;
        assert_eq!(listed.blocks.len(), BLOCKS as usize);
        let before = Instant::now();
        let gets = futures::stream::iter(listed.blocks).map(|block| get(&client, &snapshot, block));
        gets.buffered(CONNECTIONS).try_collect::<Vec<()>>().await?;
        eprintln!("get {:.0} MB/s", megabytes / before.elapsed().as_secs_f64());
        let before = Instant::now();
        volume(&client, &snapshot).await?;
        eprintln!("volume of it in {:.2} s", before.elapsed().as_secs_f64());
        Ok(())
    });
    ran.expect("answered");
    drop(runtime);
    endpoint.end();
}
