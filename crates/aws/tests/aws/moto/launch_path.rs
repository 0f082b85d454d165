//! The operations that a builder uses which launches, as far as moto has them.

use super::Moto;
use super::some;
use ovenbird_aws::ec2;

#[tokio::test]
async fn a_builder_that_launches_is_understood() {
    let moto = Moto::start().await;
    let client = &moto.client;
    let image = moto.register("nest").await;

    let pair = ec2::CreateKeyPairRequest { key_name: some("bake"), key_type: some("ed25519"), ..Default::default() };
    let pair = client.send(pair).await.unwrap();
    assert!(pair.key_material.is_some_and(|key| key.starts_with("-----BEGIN")));
    let told = client.send(ec2::DescribeKeyPairsRequest { key_names: vec!["bake".to_owned()], ..Default::default() });
    assert_eq!(told.await.unwrap().key_pairs[0].key_fingerprint, pair.key_fingerprint);

    let vpcs = client.send_all(ec2::DescribeVpcsRequest::default()).await.unwrap().remove(0).vpcs;
    let vpc = vpcs.into_iter().find(|vpc| vpc.is_default == Some(true)).and_then(|vpc| vpc.vpc_id).unwrap();
    let of_vpc = vec![ec2::Filter::new("vpc-id", [&*vpc])];
    let ask = ec2::DescribeSubnetsRequest { filters: of_vpc, ..Default::default() };
    let subnet = client.send_all(ask).await.unwrap().remove(0).subnets.remove(0);
    assert_eq!((subnet.vpc_id.as_deref(), subnet.default_for_az), (Some(&*vpc), Some(true)));
    let group = ec2::CreateSecurityGroupRequest {
        group_name: some("bake"),
        description: some("of one bake"),
        vpc_id: some(&vpc),
        ..Default::default()
    };
    let group = client.send(group).await.unwrap().group_id.unwrap();
    let ssh = ec2::IpPermission {
        ip_protocol: some("tcp"),
        from_port: Some(22),
        to_port: Some(22),
        ip_ranges: vec![ec2::IpRange { cidr_ip: some("192.0.2.7/32"), description: None }],
        ..Default::default()
    };
    let allow = ec2::AuthorizeSecurityGroupIngressRequest {
        group_id: some(&group),
        ip_permissions: vec![ssh],
        ..Default::default()
    };
    let added = client.send(allow.clone()).await.unwrap();
    assert_eq!(
        (added.r#return, added.security_group_rules[0].cidr_ipv4.as_deref()),
        (Some(true), Some("192.0.2.7/32"))
    );
    assert!(client.send(allow).await.unwrap_err().has_code("InvalidPermission.Duplicate"));
    let ask = ec2::DescribeSecurityGroupsRequest { group_ids: vec![group.clone()], ..Default::default() };
    let shown = client.send_all(ask).await.unwrap().remove(0).security_groups.remove(0);
    assert_eq!((shown.ip_permissions.len(), shown.ip_permissions[0].to_port), (1, Some(22)));

    let interface = ec2::InstanceNetworkInterfaceSpecification {
        device_index: Some(0),
        subnet_id: subnet.subnet_id,
        groups: vec![group.clone()],
        associate_public_ip_address: Some(true),
        ..Default::default()
    };
    let launch = ec2::RunInstancesRequest {
        image_id: some(&image),
        instance_type: some("t3.micro"),
        key_name: some("bake"),
        min_count: Some(1),
        max_count: Some(1),
        network_interfaces: vec![interface],
        instance_initiated_shutdown_behavior: some("terminate"),
        ..Default::default()
    };
    let launched = client.send(launch).await.unwrap().instances.remove(0);
    assert_eq!(launched.key_name.as_deref(), Some("bake"));
    // moto shows an interface's groups at the interface alone.
    assert_eq!(launched.network_interfaces[0].groups[0].group_id.as_deref(), Some(&*group));
    let instance = launched.instance_id.unwrap();

    makes_an_image_of(&moto, &instance).await;
    client.send(ec2::TerminateInstancesRequest { instance_ids: vec![instance], ..Default::default() }).await.unwrap();
    client.send(ec2::DeleteKeyPairRequest { key_name: some("bake"), ..Default::default() }).await.unwrap();
    client.send(ec2::DeleteSecurityGroupRequest { group_id: some(&group), ..Default::default() }).await.unwrap();
    let gone = ec2::DescribeSecurityGroupsRequest { group_ids: vec![group], ..Default::default() };
    assert!(client.send(gone).await.unwrap_err().has_code("InvalidGroup.NotFound"));
}

/// Stopped, made an image of, started again.
async fn makes_an_image_of(moto: &Moto, instance: &str) {
    let ids = vec![instance.to_owned()];
    let ask = ec2::DescribeInstanceAttributeRequest {
        instance_id: some(instance),
        attribute: some("instanceInitiatedShutdownBehavior"),
        ..Default::default()
    };
    let told = moto.client.send(ask).await.unwrap().instance_initiated_shutdown_behavior;
    assert_eq!(told.and_then(|value| value.value).as_deref(), Some("terminate"));
    let stop = ec2::StopInstancesRequest { instance_ids: ids.clone(), ..Default::default() };
    let stopping = moto.client.send(stop).await.unwrap().stopping_instances.remove(0);
    assert_eq!(stopping.previous_state.and_then(|state| state.name).as_deref(), Some("running"));
    let create = ec2::CreateImageRequest {
        instance_id: some(instance),
        name: some("baked"),
        tag_specifications: vec![ec2::TagSpecification::new("image", vec![ec2::Tag::new("bake", "1")])],
        ..Default::default()
    };
    let made = moto.client.send(create).await.unwrap().image_id;
    let images = moto.own_images(vec![ec2::Filter::tag("bake", "1")]).await;
    assert_eq!((images.len(), &images[0].image_id), (1, &made));
    let start = ec2::StartInstancesRequest { instance_ids: ids.clone(), ..Default::default() };
    assert_eq!(moto.client.send(start).await.unwrap().starting_instances.len(), 1);
    let ask = ec2::DescribeInstanceStatusRequest { instance_ids: ids, ..Default::default() };
    let status = moto.client.send_all(ask).await.unwrap().remove(0).instance_statuses.remove(0);
    assert_eq!(status.instance_state.and_then(|state| state.name).as_deref(), Some("running"));
}

#[tokio::test]
async fn templates_types_and_snapshots_are_understood() {
    let moto = Moto::start().await;
    let client = &moto.client;
    let image = moto.register("nest").await;
    let contents = ec2::RequestLaunchTemplateData { image_id: some(&image), ..Default::default() };
    let template = ec2::CreateLaunchTemplateRequest {
        launch_template_name: some("bake"),
        launch_template_data: Some(contents),
        ..Default::default()
    };
    let template = client.send(template).await.unwrap().launch_template.unwrap();
    assert_eq!(template.latest_version_number, Some(1));
    let delete =
        ec2::DeleteLaunchTemplateRequest { launch_template_id: template.launch_template_id, ..Default::default() };
    client.send(delete).await.unwrap();

    let named = ec2::DescribeInstanceTypesRequest { instance_types: vec!["t3.micro".to_owned()], ..Default::default() };
    let kind = client.send(named).await.unwrap().instance_types.remove(0);
    assert_eq!(kind.memory_info.and_then(|memory| memory.size_in_mi_b), Some(1024));

    let volume =
        ec2::CreateVolumeRequest { availability_zone: some("eu-west-1a"), size: Some(1), ..Default::default() };
    let volume = client.send(volume).await.unwrap().volume_id;
    let create = ec2::CreateSnapshotRequest { volume_id: volume, ..Default::default() };
    let snapshot = client.send(create).await.unwrap().snapshot_id;
    let share = ec2::ModifySnapshotAttributeRequest {
        snapshot_id: snapshot.clone(),
        attribute: some("createVolumePermission"),
        operation_type: some("add"),
        user_ids: vec!["210987654321".to_owned()],
        ..Default::default()
    };
    client.send(share).await.unwrap();
    let ask = ec2::DescribeSnapshotAttributeRequest {
        snapshot_id: snapshot.clone(),
        attribute: some("createVolumePermission"),
        ..Default::default()
    };
    let told = client.send(ask).await.unwrap().create_volume_permissions;
    assert_eq!(told[0].user_id.as_deref(), Some("210987654321"));
    let copy = ec2::CopySnapshotRequest {
        source_region: some("eu-west-1"),
        source_snapshot_id: snapshot,
        ..Default::default()
    };
    assert!(client.send(copy).await.unwrap().snapshot_id.is_some());
}
