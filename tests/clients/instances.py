"""Instances and volumes: run, describe, attach, detach, terminate."""

import base64

from common import *

ec2, ebs = client("ec2"), client("ebs")
snapshot = snapshot_of(ec2, ebs, {0: block("root"), 3: block("more")})
image = register(ec2, "base", snapshot, ImdsSupport="v2.0")
zone = ec2.describe_availability_zones()["AvailabilityZones"][1]["ZoneName"]
assert zone == "us-east-1b"


def instance(identity):
    [reservation] = ec2.describe_instances(InstanceIds=[identity])["Reservations"]
    return reservation["Instances"][0]


def volume(identity):
    return ec2.describe_volumes(VolumeIds=[identity])["Volumes"][0]


# Run: the same token makes the same instances.
arguments = dict(
    ImageId=image,
    InstanceType="t3.micro",
    MinCount=1,
    MaxCount=2,
    ClientToken="launch-1",
    UserData='{"environment": "dev"}',
    Placement={"AvailabilityZone": zone},
    IamInstanceProfile={"Name": "web"},
    MetadataOptions={"InstanceMetadataTags": "enabled"},
    BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 2}}, {"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 1, "DeleteOnTermination": False}}],
    TagSpecifications=[
        {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]},
        {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "disk"}]},
    ],
)
launched = ec2.run_instances(**arguments)
assert launched["OwnerId"] == "123456789012" and len(launched["Instances"]) == 2, launched
one, two = [entry["InstanceId"] for entry in launched["Instances"]]
assert launched["Instances"][0]["State"] == {"Code": 0, "Name": "pending"}, launched["Instances"][0]["State"]
again = ec2.run_instances(**arguments)
assert again["ReservationId"] == launched["ReservationId"] and len(again["Instances"]) == 2
waiter = ec2.get_waiter("instance_running")
waiter.config.delay = 1
waiter.wait(InstanceIds=[one, two])
shown = instance(one)
assert shown["ImageId"] == image and shown["InstanceType"] == "t3.micro" and shown["Placement"]["AvailabilityZone"] == zone
assert shown["PrivateIpAddress"].startswith("172.31.") and shown["PrivateDnsName"].endswith(".ec2.internal"), shown
assert shown["PrivateIpAddress"] != instance(two)["PrivateIpAddress"]
assert shown["Tags"] == [{"Key": "Name", "Value": "web"}] and shown["MetadataOptions"]["HttpTokens"] == "required", shown
assert shown["IamInstanceProfile"]["Arn"] == "arn:aws:iam::123456789012:instance-profile/web"
assert [entry["DeviceName"] for entry in shown["BlockDeviceMappings"]] == ["/dev/xvda", "/dev/sdg"]
assert all(entry["Ebs"]["Status"] == "attached" for entry in shown["BlockDeviceMappings"]), shown["BlockDeviceMappings"]
root, extra = [entry["Ebs"]["VolumeId"] for entry in shown["BlockDeviceMappings"]]
assert volume(root)["Size"] == 2 and volume(root)["SnapshotId"] == snapshot and volume(root)["Tags"] == [{"Key": "Name", "Value": "disk"}]
for name, value in {
    "instance-id": one,
    "private-ip-address": shown["PrivateIpAddress"],
    "block-device-mapping.volume-id": root,
}.items():
    found = ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}, {"Name": "instance-state-name", "Values": ["running"]}])
    assert [entry["InstanceId"] for entry in found["Reservations"][0]["Instances"]] == [one], name
assert ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["db"]}])["Reservations"] == []
output = ec2.get_console_output(InstanceId=one, Latest=True)["Output"]
assert output == "pretend engine: nothing runs\n", output

# Volumes.
made = ec2.create_volume(AvailabilityZone=zone, Size=1, VolumeType="gp3", ClientToken="v-1")
assert made["State"] == "creating" and made["SnapshotId"] == "", made
assert ec2.create_volume(AvailabilityZone=zone, Size=1, VolumeType="gp3", ClientToken="v-1")["VolumeId"] == made["VolumeId"]
data = made["VolumeId"]
waiter = ec2.get_waiter("volume_available")
waiter.config.delay = 1
waiter.wait(VolumeIds=[data])
elsewhere = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
wait_for("the volume", lambda: volume(elsewhere)["State"] == "available")
attached = ec2.attach_volume(VolumeId=data, InstanceId=one, Device="/dev/sdf")
assert attached["State"] == "attaching" and attached["Device"] == "/dev/sdf", attached
shown = volume(data)
assert shown["State"] == "in-use" and shown["Attachments"][0]["State"] == "attached" and shown["Attachments"][0]["InstanceId"] == one
refused("VolumeInUse", ec2.attach_volume, VolumeId=data, InstanceId=two, Device="/dev/sdf")
refused("VolumeInUse", ec2.delete_volume, VolumeId=data)
refused("InvalidVolume.ZoneMismatch", ec2.attach_volume, VolumeId=elsewhere, InstanceId=one, Device="/dev/sdh")
free = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
wait_for("the volume", lambda: volume(free)["State"] == "available")
for device in ("/dev/sdf", "/dev/xvdf", "sdg"):
    answer = refused("InvalidParameterValue", ec2.attach_volume, VolumeId=free, InstanceId=one, Device=device)
    assert answer["Error"]["Message"].endswith("is already in use"), answer
refused("OperationNotPermitted", ec2.detach_volume, VolumeId=root)
refused("IncorrectState", ec2.detach_volume, VolumeId=free)
assert ec2.detach_volume(VolumeId=data, InstanceId=one)["State"] == "detaching"
assert volume(data)["State"] == "available" and volume(data)["Attachments"] == []
ec2.attach_volume(VolumeId=data, InstanceId=one, Device="/dev/sdf")
found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [one]}])["Volumes"]
assert {entry["VolumeId"] for entry in found} == {root, extra, data}

# Terminate: the root goes, what was attached or is to stay stays.
[change] = ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"]
assert change["PreviousState"]["Name"] == "running" and change["CurrentState"]["Name"] == "shutting-down", change
waiter = ec2.get_waiter("instance_terminated")
waiter.config.delay = 1
waiter.wait(InstanceIds=[one])
shown = instance(one)
assert shown["StateReason"]["Code"] == "Client.UserInitiatedShutdown" and "PrivateIpAddress" not in shown, shown
refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=[root])
assert volume(data)["State"] == "available" and volume(extra)["State"] == "available"
[change] = ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"]
assert change["CurrentState"]["Name"] == "terminated", change
ec2.delete_volume(VolumeId=data)
refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=[data])

# Pages of instances.
ec2.run_instances(ImageId=image, MinCount=9, MaxCount=9)
pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
sizes = [sum(len(entry["Instances"]) for entry in page["Reservations"]) for page in pages]
assert sizes == [5, 5, 1], sizes
