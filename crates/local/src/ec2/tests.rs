//! The rules of images, instances and volumes that no foreign client can reach: time, power-off, failures, restarts.

use ovenbird_aws::ec2;

use super::attachments::attach_volume;
use super::attachments::detach_volume;
use super::copy_image::copy_image;
use super::deregister_image::deregister_image;
use super::describe_images::describe_images;
use super::describe_instances::describe_instances;
use super::instances::terminate_instances;
use super::register_image::verify_name;
use super::run_instances::run_instances;
use super::volumes::create_volume;
use super::volumes::describe_volumes;
use crate::failure::Answer;
use crate::instances;
use crate::testing::Fixture;
use crate::testing::code;
use crate::testing::eventually;

fn run(fixture: &Fixture, image: &str, behavior: Option<&str>) -> Answer<String> {
    let request = ec2::RunInstancesRequest {
        image_id: Some(image.to_owned()),
        min_count: Some(1),
        max_count: Some(1),
        instance_initiated_shutdown_behavior: behavior.map(str::to_owned),
        ..Default::default()
    };
    Ok(run_instances(&fixture.call(), &request)?.instances.remove(0).instance_id.expect("an id"))
}

fn shown(fixture: &Fixture, id: &str) -> ec2::Instance {
    let request = ec2::DescribeInstancesRequest { instance_ids: vec![id.to_owned()], ..Default::default() };
    let described = describe_instances(&fixture.call(), &request).expect("described");
    described.reservations.into_iter().next().expect("one").instances.remove(0)
}

fn state(fixture: &Fixture, id: &str) -> String {
    shown(fixture, id).state.and_then(|state| state.name).expect("a state")
}

fn await_state(fixture: &Fixture, id: &str, wanted: &str) {
    eventually(wanted, || state(fixture, id) == wanted);
}

fn volumes(fixture: &Fixture) -> Vec<ec2::Volume> {
    describe_volumes(&fixture.call(), &Default::default()).expect("described").volumes
}

fn image(fixture: &Fixture) -> String {
    fixture.register("an image", &fixture.snapshot()).expect("registered")
}

fn running(fixture: &Fixture) -> String {
    let id = run(fixture, &image(fixture), None).expect("launched");
    await_state(fixture, &id, "running");
    id
}

#[test]
fn a_power_off_stops_or_terminates_as_was_asked() {
    let fixture = Fixture::new();
    let image = image(&fixture);
    for (behavior, wanted, volumes_left) in [(None, "stopped", 1), (Some("terminate"), "terminated", 1)] {
        let id = run(&fixture, &image, behavior).expect("launched");
        await_state(&fixture, &id, "running");
        fixture.engine.power_off(&id);
        instances::watch_once(&fixture.world).expect("watched");
        await_state(&fixture, &id, wanted);
        assert_eq!(
            shown(&fixture, &id).state_reason.and_then(|reason| reason.code).as_deref(),
            Some("Client.InstanceInitiatedShutdown")
        );
        assert_eq!(volumes(&fixture).len(), volumes_left, "a stopped instance keeps its root");
    }
}

#[test]
fn a_failed_start_terminates_and_says_why() {
    let fixture = Fixture::new();
    fixture.engine.fail_starts(true);
    let id = run(&fixture, &image(&fixture), None).expect("launched");
    await_state(&fixture, &id, "terminated");
    let reason = shown(&fixture, &id).state_reason.expect("a reason");
    assert_eq!(reason.code.as_deref(), Some("Server.InternalError"));
    assert!(reason.message.expect("a message").contains("was told to fail"));
    assert!(volumes(&fixture).is_empty());
    assert_eq!(fs_err::read_dir(fixture.world.folder.volumes()).expect("there").count(), 0);
}

#[test]
fn a_terminated_instance_is_shown_for_an_hour() {
    let fixture = Fixture::new();
    let id = running(&fixture);
    terminate_instances(
        &fixture.call(),
        &ec2::TerminateInstancesRequest { instance_ids: vec![id.clone()], ..Default::default() },
    )
    .expect("terminated");
    await_state(&fixture, &id, "terminated");
    fixture.clock.advance(3590);
    assert_eq!(state(&fixture, &id), "terminated");
    fixture.clock.advance(20);
    let request = ec2::DescribeInstancesRequest { instance_ids: vec![id], ..Default::default() };
    assert_eq!(code(describe_instances(&fixture.call(), &request)), "InvalidInstanceID.NotFound");
}

#[test]
fn after_a_crash_running_machines_go_on_and_lost_ones_are_terminated() {
    let fixture = Fixture::new();
    let (kept, image) = (running(&fixture), shown_image(&fixture));
    let lost = run(&fixture, &image, None).expect("launched");
    await_state(&fixture, &lost, "running");
    fixture.engine.power_off(&lost);
    let fixture = fixture.reopen();
    instances::adopt_all(&fixture.world).expect("adopted");
    assert_eq!(state(&fixture, &kept), "running");
    assert_eq!(state(&fixture, &lost), "terminated");
    instances::end_all(&fixture.world);
    assert_eq!(state(&fixture, &kept), "terminated");
    assert_eq!(fixture.engine.find_plugged(&kept), None);
}

fn shown_image(fixture: &Fixture) -> String {
    let request = ec2::DescribeImagesRequest { owners: vec!["self".to_owned()], ..Default::default() };
    describe_images(&fixture.call(), &request).expect("described").images.remove(0).image_id.expect("an id")
}

#[test]
fn a_volume_in_use_stays_and_is_busy() {
    let fixture = Fixture::new();
    let id = running(&fixture);
    let request = ec2::CreateVolumeRequest {
        availability_zone: Some("us-east-1a".to_owned()),
        size: Some(1),
        ..Default::default()
    };
    let volume = create_volume(&fixture.call(), &request).expect("created").volume_id.expect("an id");
    eventually("available", || volumes(&fixture).iter().any(|volume| volume.state.as_deref() == Some("available")));
    let attach = ec2::AttachVolumeRequest {
        volume_id: Some(volume.clone()),
        instance_id: Some(id.clone()),
        device: Some("/dev/sdf".to_owned()),
        ..Default::default()
    };
    attach_volume(&fixture.call(), &attach).expect("attached");
    assert_eq!(fixture.engine.find_plugged(&id).expect("running")[0].volume_id, volume);
    let detach = || ec2::DetachVolumeRequest { volume_id: Some(volume.clone()), ..Default::default() };
    fixture.engine.keep_volumes_busy(true);
    assert_eq!(detach_volume(&fixture.call(), &detach()).expect("answered").state.as_deref(), Some("busy"));
    assert!(
        volumes(&fixture).iter().any(|volume| volume.state.as_deref() == Some("in-use")
            && volume.attachments[0].state.as_deref() == Some("busy"))
    );
    fixture.engine.keep_volumes_busy(false);
    detach_volume(&fixture.call(), &detach()).expect("detached");
    assert_eq!(fixture.engine.find_plugged(&id).expect("running"), []);
}

#[test]
fn a_copy_holds_the_blocks_when_the_original_is_gone() {
    let fixture = Fixture::new();
    let original = image(&fixture);
    let copy = ec2::CopyImageRequest {
        name: Some("copy".to_owned()),
        source_image_id: Some(original.clone()),
        source_region: Some("us-east-1".to_owned()),
        ..Default::default()
    };
    let copied = copy_image(&fixture.call(), &copy).expect("copied").image_id.expect("an id");
    assert_eq!(code(run(&fixture, &copied, None)), "InvalidAMIID.Unavailable");
    fixture.clock.advance(1);
    let deregister = |id: &str| ec2::DeregisterImageRequest {
        image_id: Some(id.to_owned()),
        delete_associated_snapshots: Some(true),
        ..Default::default()
    };
    deregister_image(&fixture.call(), &deregister(&original)).expect("deregistered");
    let id = run(&fixture, &copied, None).expect("launched");
    await_state(&fixture, &id, "running");
    let root = fixture.world.folder.volume(volumes(&fixture)[0].volume_id.as_deref().expect("an id"));
    let mut first = [0];
    std::io::Read::read_exact(&mut std::fs::File::open(root).expect("there"), &mut first).expect("read");
    assert_eq!(first, [1], "the root disk has the snapshot's block");
    deregister_image(&fixture.call(), &deregister(&copied)).expect("deregistered");
    fixture.world.settle().expect("settled");
    assert!(fixture.world.blocks.list().expect("listed").is_empty());
}

#[test]
fn names_are_of_one_account_and_region() {
    let fixture = Fixture::new();
    let snapshot = fixture.snapshot();
    fixture.register("twice", &snapshot).expect("registered");
    assert_eq!(code(fixture.register("twice", &snapshot)), "InvalidAMIName.Duplicate");
    for name in ["abc", "debian-12-amd64-2026", "web (2026-01-31 12/00) [a]'@_."] {
        assert!(verify_name(name).is_ok(), "{name}");
    }
    for name in ["ab", "a+b", "web:1", "wëb", &"n".repeat(129)] {
        assert_eq!(code(verify_name(name)), "InvalidAMIName.Malformed", "{name}");
    }
}

#[test]
fn regions_are_name_spaces() {
    let fixture = Fixture::new();
    let id = image(&fixture);
    let see = |account: &str, region: &str| {
        describe_images(&fixture.call_as(account, region), &Default::default()).expect("described").images.len()
    };
    assert_eq!(see("123456789012", "us-east-1"), 1);
    assert_eq!(see("123456789012", "eu-west-1"), 0);
    assert_eq!(see("210987654321", "us-east-1"), 0);
    let copy = ec2::CopyImageRequest {
        name: Some("copy".to_owned()),
        source_image_id: Some(id),
        source_region: Some("us-east-1".to_owned()),
        ..Default::default()
    };
    assert_eq!(code(copy_image(&fixture.call_as("210987654321", "eu-west-1"), &copy.clone())), "InvalidAMIID.NotFound");
    copy_image(&fixture.call_as("123456789012", "eu-west-1"), &copy).expect("copied");
    assert_eq!(see("123456789012", "eu-west-1"), 1);
}
