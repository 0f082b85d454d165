//! An embedded EC2 with the pretend engine, in this process, and short words for what a test does in it.

pub(crate) mod proxy;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::Timestamp;
use ovenbird_aws::Client;
use ovenbird_aws::client::Patience;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_aws::ssm;
use ovenbird_aws::wire::Blob;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_core::block::Digest;
use ovenbird_core::instant;
use ovenbird_disk::wait::wait_until;
use ovenbird_local::Clock;
use ovenbird_local::Daemon;
use ovenbird_local::DaemonError;
use ovenbird_local::Options;
use ovenbird_local::Stop;
use ovenbird_local::engine::pretend::Pretend;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const OTHER_ACCOUNT: &str = "210987654321";
const REGION: &str = "us-east-1";

/// A running endpoint with a client; it ends with its owner.
pub(crate) struct Lab {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) engine: Arc<Pretend>,
    running: Option<(Stop, JoinHandle<Result<(), DaemonError>>)>,
    folder: tempfile::TempDir,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let (clock, engine) = (Clock::default(), Arc::<Pretend>::default());
        let options = Options {
            state: folder.path().to_owned(),
            port: 0,
            engine: Arc::clone(&engine) as _,
            default_region: REGION.to_owned(),
            clock: clock.clone(),
            faults: ovenbird_local::Faults::default(),
            delays: ovenbird_local::Delays::default(),
        };
        let (stop, stopped) = Stop::new();
        let daemon = std::thread::spawn(move || Daemon::serve_until(options, stopped));
        let ready = || ovenbird_local::status(folder.path()).expect("readable").url;
        let url =
            wait_until(Duration::from_secs(30), Duration::from_millis(20), ready).expect("the daemon is ready in time");
        let client = client(folder.path(), &url, ACCOUNT).await;
        Self { url, client, clock, engine, running: Some((stop, daemon)), folder }
    }

    /// A client of an account, at the endpoint itself or at what stands in front of it.
    pub(crate) async fn client_of(&self, account: &str, url: &str) -> Client {
        client(self.folder.path(), url, account).await
    }

    /// The endpoint's time, moved by whole seconds.
    pub(crate) fn at(&self, seconds: i64) -> Timestamp {
        let now = Timestamp::from_second(self.clock.now().as_second()).expect("now");
        now + SignedDuration::from_secs(seconds)
    }

    /// Blocks in the endpoint's store.
    pub(crate) fn blocks(&self) -> usize {
        usize::try_from(ovenbird_local::status(self.folder.path()).expect("readable").blocks).expect("few")
    }

    /// Lets the asynchronous things of the last second come about.
    pub(crate) fn settle(&self) {
        self.clock.advance(1);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some((stop, daemon)) = self.running.take() {
            stop.stop();
            daemon.join().expect("no panic").expect("a clean end");
        }
    }
}

async fn client(state: &Path, url: &str, account: &str) -> Client {
    let keys = ovenbird_local::credentials(state, account).expect("readable").expect("12 digits");
    let client = Client::for_endpoint(url, REGION, &keys.access_key_id, &keys.secret_access_key).await;
    client.with_patience(&Patience {
        attempts: 2,
        first_backoff: Duration::from_millis(2),
        max_backoff: Duration::from_millis(2),
        ..Patience::default()
    })
}

/// A time as our own tags have it.
pub(crate) fn text(time: Timestamp) -> String {
    instant::write(time)
}

pub(crate) const DAY: i64 = 86_400;

/// A snapshot with these blocks, completed after [`Lab::settle`].
pub(crate) async fn start_snapshot(client: &Client, contents: &[u64], tags: &[(&str, &str)]) -> String {
    let tag = |(key, value): &(&str, &str)| ebs::Tag { key: Some((*key).into()), value: Some((*value).into()) };
    let request =
        ebs::StartSnapshotRequest { volume_size: Some(1), tags: tags.iter().map(tag).collect(), ..Default::default() };
    let id = client.send(request).await.expect("started").snapshot_id.expect("an id");
    for (index, content) in (0_i32..).zip(contents) {
        let bytes = content.to_be_bytes().repeat(usize::try_from(BLOCK_SIZE / 8).expect("small"));
        let request = ebs::PutSnapshotBlockRequest {
            snapshot_id: Some(id.clone()),
            block_index: Some(index),
            data_length: i32::try_from(BLOCK_SIZE).ok(),
            checksum: Some(Digest::of(&bytes).base64()),
            checksum_algorithm: Some("SHA256".to_owned()),
            block_data: Some(Blob(bytes.into())),
            progress: None,
        };
        client.send(request).await.expect("put");
    }
    id
}

/// The same, on its way to be completed.
pub(crate) async fn snapshot(client: &Client, contents: &[u64], tags: &[(&str, &str)]) -> String {
    let id = start_snapshot(client, contents, tags).await;
    let request = ebs::CompleteSnapshotRequest {
        snapshot_id: Some(id.clone()),
        changed_blocks_count: i32::try_from(contents.len()).ok(),
        ..Default::default()
    };
    client.send(request).await.expect("completed");
    id
}

/// An image of these snapshots.
pub(crate) async fn register(client: &Client, name: &str, snapshots: &[String], tags: &[(&str, &str)]) -> String {
    let device = |(letter, id): (char, &String)| ec2::BlockDeviceMapping {
        device_name: Some(format!("/dev/xvd{letter}")),
        ebs: Some(ec2::EbsBlockDevice { snapshot_id: Some(id.clone()), ..Default::default() }),
        ..Default::default()
    };
    let specification = ec2::TagSpecification {
        resource_type: Some("image".to_owned()),
        tags: tags.iter().map(|(key, value)| Tag::new(*key, *value)).collect(),
    };
    let request = ec2::RegisterImageRequest {
        name: Some(name.to_owned()),
        architecture: Some("x86_64".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        block_device_mappings: ('a'..='z').zip(snapshots).map(device).collect(),
        tag_specifications: if tags.is_empty() { Vec::new() } else { vec![specification] },
        ..Default::default()
    };
    client.send(request).await.expect("registered").image_id.expect("an id")
}

/// A copy, pending until [`Lab::settle`]; with the original's tags if so wished.
pub(crate) async fn copy(client: &Client, source: &str, name: &str, with_tags: bool) -> String {
    let request = ec2::CopyImageRequest {
        name: Some(name.to_owned()),
        source_image_id: Some(source.to_owned()),
        source_region: Some(REGION.to_owned()),
        copy_image_tags: Some(with_tags),
        ..Default::default()
    };
    client.send(request).await.expect("copied").image_id.expect("an id")
}

/// Lets an account (or, without one, everybody) launch the image.
pub(crate) async fn share(client: &Client, image: &str, account: Option<&str>) {
    let permission = ec2::LaunchPermission {
        user_id: account.map(str::to_owned),
        group: account.is_none().then(|| "all".to_owned()),
        ..Default::default()
    };
    let request = ec2::ModifyImageAttributeRequest {
        image_id: Some(image.to_owned()),
        launch_permission: Some(ec2::LaunchPermissionModifications { add: vec![permission], remove: Vec::new() }),
        ..Default::default()
    };
    client.send(request).await.expect("shared");
}

pub(crate) async fn tag(client: &Client, resource: &str, key: &str, value: &str) {
    let request = ec2::CreateTagsRequest {
        resources: vec![resource.to_owned()],
        tags: vec![Tag::new(key, value)],
        ..Default::default()
    };
    client.send(request).await.expect("tagged");
}

/// Somebody takes an image away and leaves its snapshots.
pub(crate) async fn deregister(client: &Client, image: &str) {
    let request = ec2::DeregisterImageRequest { image_id: Some(image.to_owned()), ..Default::default() };
    client.send(request).await.expect("deregistered");
}

/// Launches an instance, and waits until it is in `state`.
pub(crate) async fn launch(lab: &Lab, image: &str, state: &str) -> String {
    lab.engine.fail_starts(state == "failed");
    let request = ec2::RunInstancesRequest {
        image_id: Some(image.to_owned()),
        instance_type: Some("t3.micro".to_owned()),
        min_count: Some(1),
        max_count: Some(1),
        ..Default::default()
    };
    let reservation = lab.client.send(request).await.expect("launched");
    let id = reservation.instances.into_iter().next().and_then(|instance| instance.instance_id).expect("an id");
    match state {
        "failed" => await_state(&lab.client, &id, "terminated").await,
        _ => await_state(&lab.client, &id, "running").await,
    }
    lab.engine.fail_starts(false);
    match state {
        "terminated" => terminate(&lab.client, &id).await,
        "stopped" => {
            lab.engine.power_off(&id);
            await_state(&lab.client, &id, "stopped").await;
        }
        _ => {}
    }
    id
}

pub(crate) async fn terminate(client: &Client, instance: &str) {
    let request = ec2::TerminateInstancesRequest { instance_ids: vec![instance.to_owned()], ..Default::default() };
    client.send(request).await.expect("terminated");
    await_state(client, instance, "terminated").await;
}

async fn await_state(client: &Client, instance: &str, state: &str) {
    let what = format!("{instance} to be {state}");
    ovenbird_aws::client::wait(what, Duration::from_secs(60), Duration::from_millis(20), async || {
        let request = ec2::DescribeInstancesRequest { instance_ids: vec![instance.to_owned()], ..Default::default() };
        let answer = client.send(request).await?;
        let mut found = answer.reservations.into_iter().flat_map(|reservation| reservation.instances);
        let is_so = found.any(|instance| instance.state.is_some_and(|found| found.name.as_deref() == Some(state)));
        Ok::<_, ovenbird_aws::Error>(is_so.then_some(()))
    })
    .await
    .expect("in time");
}

/// Writes a parameter that names an image, as anybody could.
pub(crate) async fn point(client: &Client, parameter: &str, image: &str) {
    let request = ssm::PutParameterRequest {
        name: Some(parameter.to_owned()),
        value: Some(image.to_owned()),
        r#type: Some("String".to_owned()),
        data_type: Some("aws:ec2:image".to_owned()),
        overwrite: Some(true),
        ..Default::default()
    };
    client.send(request).await.expect("put");
}

/// This account's images by id.
pub(crate) async fn images(client: &Client) -> BTreeMap<String, ec2::Image> {
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], ..Default::default() };
    let answer = client.send(request).await.expect("described");
    answer.images.into_iter().map(|image| (image.image_id.clone().expect("an id"), image)).collect()
}

/// This account's snapshots by id.
pub(crate) async fn snapshots(client: &Client) -> BTreeMap<String, ec2::Snapshot> {
    let answer = client.send(ec2::DescribeSnapshotsRequest::default()).await.expect("described");
    answer.snapshots.into_iter().map(|snapshot| (snapshot.snapshot_id.clone().expect("an id"), snapshot)).collect()
}

pub(crate) fn tag_of<'a>(image: &'a ec2::Image, key: &str) -> Option<&'a str> {
    Tag::find(&image.tags, key)
}

/// All that the account can see, as one text.
pub(crate) async fn picture(lab: &Lab) -> String {
    let client = &lab.client;
    let parameters =
        ssm::GetParametersByPathRequest { path: Some("/".to_owned()), recursive: Some(true), ..Default::default() };
    let parameters: Vec<_> =
        client.send_all(parameters).await.expect("listed").into_iter().flat_map(|page| page.parameters).collect();
    let tags = client.send(ec2::DescribeTagsRequest::default()).await.expect("described").tags;
    let instances = client.send(ec2::DescribeInstancesRequest::default()).await.expect("described").reservations;
    format!(
        "{:#?}\n{:#?}\n{tags:#?}\n{instances:#?}\n{parameters:#?}\n{}",
        images(client).await,
        snapshots(client).await,
        lab.blocks()
    )
}
