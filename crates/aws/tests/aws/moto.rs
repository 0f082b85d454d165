//! The client against the moto server: a second opinion on the wire formats. Where moto is lax, nothing is concluded.

mod launch_path;

use data_encoding::BASE64;
use ovenbird_aws::Client;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::ssm;
use ovenbird_aws::sts;
use ovenbird_aws::wire::Blob;

use crate::venv::Script;

const REGION: &str = "eu-west-1";

struct Moto {
    client: Client,
    _server: Script,
}

impl Moto {
    async fn start() -> Self {
        let mut server = Script::start("moto_server.py");
        let line = server.read_line();
        let (host, port) = line.trim().split_once(' ').unwrap();
        let client = Client::for_endpoint(&format!("http://{host}:{port}"), REGION, "AKID", "secret").await;
        Self { client, _server: server }
    }

    async fn register(&self, name: &str) -> String {
        let request = ec2::RegisterImageRequest {
            name: Some(name.to_owned()),
            description: Some("50 % & <more> + é".to_owned()),
            ..Default::default()
        };
        self.client.send(request).await.unwrap().image_id.unwrap()
    }

    async fn own_images(&self, filters: Vec<ec2::Filter>) -> Vec<ec2::Image> {
        let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], filters, ..Default::default() };
        self.client.send_all(request).await.unwrap().into_iter().flat_map(|page| page.images).collect()
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn images_are_registered_tagged_shared_copied_and_deregistered() {
    let moto = Moto::start().await;
    assert_eq!(moto.own_images(Vec::new()).await, []);
    let id = moto.register("nest 1").await;
    let tags =
        vec![ec2::Tag::new("AutoCleanup", "true"), ec2::Tag::new("empty", ""), ec2::Tag::new("ü", "a+b %20 & c=d")];
    moto.client
        .send(ec2::CreateTagsRequest { resources: vec![id.clone()], tags: tags.clone(), dry_run: None })
        .await
        .unwrap();

    let found = moto.own_images(vec![ec2::Filter::tag("ü", "a+b %20 & c=d")]).await;
    assert_eq!(found.len(), 1);
    let image = &found[0];
    assert_eq!((image.image_id.as_deref(), image.name.as_deref()), (Some(&*id), Some("nest 1")));
    assert_eq!(image.description.as_deref(), Some("50 % & <more> + é"));
    assert_eq!((image.state.as_deref(), image.public), (Some("available"), Some(false)));
    for tag in &tags {
        assert_eq!(ec2::Tag::find(&image.tags, tag.key.as_deref().unwrap()), tag.value.as_deref());
    }
    let untag = ec2::DeleteTagsRequest {
        resources: vec![id.clone()],
        tags: vec![ec2::Tag { key: some("empty"), value: None }],
        dry_run: None,
    };
    moto.client.send(untag).await.unwrap();
    let by_resource =
        ec2::DescribeTagsRequest { filters: vec![ec2::Filter::new("resource-id", [&*id])], ..Default::default() };
    let told: Vec<_> =
        moto.client.send(by_resource).await.unwrap().tags.into_iter().filter_map(|tag| tag.key).collect();
    assert_eq!((told.len(), told.contains(&"empty".to_owned())), (2, false));

    let share = ec2::ModifyImageAttributeRequest {
        image_id: some(&id),
        launch_permission: Some(ec2::LaunchPermissionModifications {
            add: vec![ec2::LaunchPermission { user_id: some("210987654321"), ..Default::default() }],
            remove: Vec::new(),
        }),
        ..Default::default()
    };
    moto.client.send(share).await.unwrap();
    let ask =
        ec2::DescribeImageAttributeRequest { image_id: some(&id), attribute: some("launchPermission"), dry_run: None };
    let attribute = moto.client.send(ask).await.unwrap();
    assert_eq!(attribute.image_id.as_deref(), Some(&*id));
    assert_eq!(attribute.launch_permissions.len(), 1);
    assert_eq!(attribute.launch_permissions[0].user_id.as_deref(), Some("210987654321"));

    let copy = ec2::CopyImageRequest {
        name: some("nest 2"),
        source_image_id: some(&id),
        source_region: some(REGION),
        ..Default::default()
    };
    let copied = moto.client.send(copy).await.unwrap().image_id.unwrap();
    assert_ne!(copied, id);
    assert_eq!(moto.own_images(Vec::new()).await.len(), 2);
    for image in [&id, &copied] {
        moto.client.send(ec2::DeregisterImageRequest { image_id: some(image), ..Default::default() }).await.unwrap();
    }
    assert_eq!(moto.own_images(Vec::new()).await, []);
    let error = moto
        .client
        .send(ec2::DeregisterImageRequest { image_id: some("ami-0123456789abcdef0"), ..Default::default() })
        .await;
    assert!(error.unwrap_err().is_not_found());
}

#[tokio::test]
async fn volumes_live_on_instances() {
    let moto = Moto::start().await;
    let image = moto.register("nest").await;
    let user_data = "{\"environment\":\"dev\"}";
    let launch = ec2::RunInstancesRequest {
        image_id: some(&image),
        instance_type: some("t3.micro"),
        min_count: Some(1),
        max_count: Some(1),
        user_data: Some(BASE64.encode(user_data.as_bytes())),
        tag_specifications: vec![ec2::TagSpecification::new("instance", vec![ec2::Tag::new("Name", "web")])],
        ..Default::default()
    };
    let launched = moto.client.send(launch).await.unwrap().instances.remove(0);
    let instance = launched.instance_id.clone().unwrap();
    assert_eq!(ec2::Tag::find(&launched.tags, "Name"), Some("web"));
    assert!(launched.launch_time.is_some() && launched.client_token.is_some_and(|token| token.len() == 32));

    let zone = launched.placement.and_then(|placement| placement.availability_zone).unwrap();
    let create = ec2::CreateVolumeRequest {
        availability_zone: some(&zone),
        size: Some(8),
        volume_type: some("gp3"),
        ..Default::default()
    };
    let volume = moto.client.send(create).await.unwrap().volume_id.unwrap();
    let attach = ec2::AttachVolumeRequest {
        volume_id: some(&volume),
        instance_id: some(&instance),
        device: some("/dev/sdf"),
        dry_run: None,
    };
    let attached = moto.client.send(attach).await.unwrap();
    assert_eq!((attached.device.as_deref(), attached.instance_id.as_deref()), (Some("/dev/sdf"), Some(&*instance)));

    let ask = ec2::DescribeInstancesRequest { instance_ids: vec![instance.clone()], ..Default::default() };
    let described = moto.client.send_all(ask).await.unwrap().remove(0).reservations.remove(0).instances.remove(0);
    assert_eq!(described.state.unwrap().name.as_deref(), Some("running"));
    assert!(described.block_device_mappings.iter().any(|mapping| mapping.device_name.as_deref() == Some("/dev/sdf")));
    let ask = ec2::DescribeVolumesRequest { volume_ids: vec![volume.clone()], ..Default::default() };
    let found = moto.client.send(ask).await.unwrap().volumes.remove(0);
    assert_eq!((found.size, found.attachments.len(), found.state.as_deref()), (Some(8), 1, Some("in-use")));
    assert!(found.create_time.is_some());

    let output = moto
        .client
        .send(ec2::GetConsoleOutputRequest { instance_id: some(&instance), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(output.instance_id.as_deref(), Some(&*instance));
    assert!(BASE64.decode(output.output.unwrap().as_bytes()).is_ok() && output.timestamp.is_some());

    let detach =
        ec2::DetachVolumeRequest { volume_id: some(&volume), instance_id: some(&instance), ..Default::default() };
    moto.client.send(detach).await.unwrap();
    moto.client.send(ec2::DeleteVolumeRequest { volume_id: some(&volume), dry_run: None }).await.unwrap();
    let change =
        moto.client.send(ec2::TerminateInstancesRequest { instance_ids: vec![instance], dry_run: None }).await.unwrap();
    assert_eq!(change.terminating_instances[0].previous_state.as_ref().unwrap().name.as_deref(), Some("running"));
    let gone = ec2::DescribeVolumesRequest { volume_ids: vec![volume], ..Default::default() };
    assert!(moto.client.send(gone).await.unwrap_err().has_code("InvalidVolume.NotFound"));
}

#[tokio::test]
async fn regions_and_zones_are_listed() {
    let moto = Moto::start().await;
    let regions =
        moto.client.send(ec2::DescribeRegionsRequest { region_names: vec![REGION.to_owned()], ..Default::default() });
    let regions = regions.await.unwrap().regions;
    assert_eq!((regions.len(), regions[0].endpoint.as_deref()), (1, Some("ec2.eu-west-1.amazonaws.com")));
    let zones = moto.client.send(ec2::DescribeAvailabilityZonesRequest::default()).await.unwrap().availability_zones;
    assert!(zones.len() >= 2 && zones.iter().all(|zone| zone.region_name.as_deref() == Some(REGION)));
    let elsewhere =
        moto.client.in_region("ap-south-1").send(ec2::DescribeAvailabilityZonesRequest::default()).await.unwrap();
    assert_eq!(elsewhere.availability_zones[0].region_name.as_deref(), Some("ap-south-1"));
}

#[tokio::test]
async fn snapshots_are_written_and_read_block_by_block() {
    let moto = Moto::start().await;
    let start = ebs::StartSnapshotRequest {
        volume_size: Some(1),
        description: some("é"),
        tags: vec![ebs::Tag { key: some("ovenbird:bake"), value: some("1") }],
        ..Default::default()
    };
    let started = moto.client.send(start).await.unwrap();
    assert!(started.start_time.is_some());
    assert_eq!(started.volume_size, Some(1));
    let id = started.snapshot_id.unwrap();
    let bytes: Vec<u8> = (0..524_288_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for index in [0, 7] {
        let put = ebs::PutSnapshotBlockRequest {
            snapshot_id: some(&id),
            block_index: Some(index),
            block_data: Some(Blob(bytes.clone().into())),
            data_length: Some(524_288),
            checksum: some("checksum+of/the="),
            checksum_algorithm: some("SHA256"),
            progress: None,
        };
        moto.client.send(put).await.unwrap();
    }
    let complete =
        ebs::CompleteSnapshotRequest { snapshot_id: some(&id), changed_blocks_count: Some(2), ..Default::default() };
    assert_eq!(moto.client.send(complete).await.unwrap().status.as_deref(), Some("completed"));

    let list = ebs::ListSnapshotBlocksRequest { snapshot_id: some(&id), ..Default::default() };
    let pages = moto.client.send_all(list).await.unwrap();
    let blocks: Vec<&ebs::Block> = pages.iter().flat_map(|page| &page.blocks).collect();
    assert_eq!(blocks.iter().filter_map(|block| block.block_index).collect::<Vec<_>>(), [0, 7]);
    let get = ebs::GetSnapshotBlockRequest {
        snapshot_id: some(&id),
        block_index: Some(7),
        block_token: blocks[1].block_token.clone(),
    };
    let block = moto.client.send(get).await.unwrap();
    assert!(block.block_data == Some(Blob(bytes.into())), "the block came back changed");
    assert_eq!((block.data_length, block.checksum_algorithm.as_deref()), (Some(524_288), Some("SHA256")));

    let ask = ec2::DescribeSnapshotsRequest { snapshot_ids: vec![id.clone()], ..Default::default() };
    let found = moto.client.send(ask.clone()).await.unwrap().snapshots.remove(0);
    assert_eq!((found.description.as_deref(), found.state.as_deref()), (Some("é"), Some("completed")));
    moto.client.send(ec2::DeleteSnapshotRequest { snapshot_id: some(&id), dry_run: None }).await.unwrap();
    assert!(moto.client.send(ask).await.unwrap_err().has_code("InvalidSnapshot.NotFound"));
}

#[tokio::test]
async fn parameters_have_values_paths_and_a_history() {
    let moto = Moto::start().await;
    let put = |name: &str, value: &str| ssm::PutParameterRequest {
        name: some(name),
        value: some(value),
        r#type: some("String"),
        overwrite: Some(true),
        ..Default::default()
    };
    for value in ["ami-1", "ami-2 \"quoted\" é\n"] {
        moto.client.send(put("/ovenbird/web/dev", value)).await.unwrap();
    }
    for at in 0..12 {
        moto.client.send(put(&format!("/ovenbird/web/other-{at:02}"), "x")).await.unwrap();
    }
    let one = moto
        .client
        .send(ssm::GetParameterRequest { name: some("/ovenbird/web/dev"), ..Default::default() })
        .await
        .unwrap();
    let one = one.parameter.unwrap();
    assert_eq!((one.value.as_deref(), one.version), (Some("ami-2 \"quoted\" é\n"), Some(2)));
    assert!(one.last_modified_date.is_some());

    let names = vec!["/ovenbird/web/dev".to_owned(), "/ovenbird/none".to_owned()];
    let several = moto.client.send(ssm::GetParametersRequest { names, ..Default::default() }).await.unwrap();
    assert_eq!((several.parameters.len(), several.invalid_parameters), (1, vec!["/ovenbird/none".to_owned()]));

    let by_path =
        ssm::GetParametersByPathRequest { path: some("/ovenbird/web"), max_results: Some(5), ..Default::default() };
    let pages = moto.client.send_all(by_path).await.unwrap();
    assert_eq!((pages.len(), pages.iter().map(|page| page.parameters.len()).sum::<usize>()), (3, 13));

    let ask = ssm::GetParameterHistoryRequest { name: some("/ovenbird/web/dev"), ..Default::default() };
    let history: Vec<_> =
        moto.client.send_all(ask).await.unwrap().into_iter().flat_map(|page| page.parameters).collect();
    assert_eq!(history.iter().filter_map(|version| version.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(history[0].value.as_deref(), Some("ami-1"));

    moto.client.send(ssm::DeleteParameterRequest { name: some("/ovenbird/web/dev") }).await.unwrap();
    let error = moto
        .client
        .send(ssm::GetParameterRequest { name: some("/ovenbird/web/dev"), ..Default::default() })
        .await
        .unwrap_err();
    assert!(error.is_not_found() && error.has_code("ParameterNotFound"), "{error:?}");
}

#[tokio::test]
async fn the_caller_is_told_who_it_is() {
    let moto = Moto::start().await;
    let caller = moto.client.send(sts::GetCallerIdentityRequest::default()).await.unwrap();
    assert_eq!(caller.account.as_deref(), Some("123456789012"));
    assert!(caller.arn.unwrap().starts_with("arn:aws:"));
}
