"""What a builder that launches uses: key pairs, security groups, power, images of instances, sharing, templates, fleets."""

import datetime
import subprocess
import tempfile

from common import *

ec2, ebs = client("ec2"), client("ebs")
data = {0: block("root"), 3: block("more")}
snapshot = snapshot_of(ec2, ebs, data)
image = register(ec2, "base", snapshot)


def instance(identity):
    [reservation] = ec2.describe_instances(InstanceIds=[identity])["Reservations"]
    return reservation["Instances"][0]


def is_in(identity, state):
    return lambda: instance(identity)["State"]["Name"] == state


def launch(**more):
    arguments = dict(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    return ec2.run_instances(**{**arguments, **more})["Instances"][0]["InstanceId"]


# Key pairs: the private key is given once, and belongs to the public one.
for kind, head in {"rsa": "-----BEGIN RSA PRIVATE KEY-----", "ed25519": "-----BEGIN OPENSSH PRIVATE KEY-----"}.items():
    made = ec2.create_key_pair(KeyName=kind, KeyType=kind, TagSpecifications=[{"ResourceType": "key-pair", "Tags": [{"Key": "a", "Value": "b"}]}])
    assert made["KeyMaterial"].startswith(head) and made["KeyPairId"].startswith("key-"), made
    [shown] = ec2.describe_key_pairs(KeyNames=[kind], IncludePublicKey=True)["KeyPairs"]
    assert shown["KeyFingerprint"] == made["KeyFingerprint"] and shown["KeyType"] == kind and shown["Tags"] == [{"Key": "a", "Value": "b"}], shown
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(made["KeyMaterial"])
        file.flush()
        public = subprocess.run(["ssh-keygen", "-y", "-f", file.name], capture_output=True, text=True, check=True).stdout
        assert public.split()[:2] == shown["PublicKey"].split()[:2], (public, shown)
        if kind == "rsa":
            # The way of EC2's user guide to check a key that EC2 made.
            der = subprocess.run(["openssl", "pkcs8", "-in", file.name, "-inform", "PEM", "-outform", "DER", "-topk8", "-nocrypt"], capture_output=True, check=True)
            digest = hashlib.sha1(der.stdout).hexdigest()
            assert shown["KeyFingerprint"].replace(":", "") == digest, (shown, digest)
    imported = ec2.import_key_pair(KeyName=f"own {kind}", PublicKeyMaterial=public.encode())
    assert (imported["KeyFingerprint"] == made["KeyFingerprint"]) == (kind == "ed25519"), imported
refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName="rsa")
refused("InvalidKeyPair.Duplicate", ec2.import_key_pair, KeyName="rsa", PublicKeyMaterial=public.encode())
refused("InvalidKey.Format", ec2.import_key_pair, KeyName="new", PublicKeyMaterial=b"ssh-rsa nonsense")
refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyNames=["nobody"])
refused("InvalidKeyPair.NotFound", launch, KeyName="nobody")
ec2.delete_key_pair(KeyName="own rsa")
ec2.delete_key_pair(KeyName="own rsa")
assert len(ec2.describe_key_pairs()["KeyPairs"]) == 3

# The network that every account has.
[vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
assert vpc["CidrBlock"] == "172.31.0.0/16" and len(subnets) == 6 and subnets[1]["CidrBlock"] == "172.31.16.0/20", subnets
refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-0123456789abcdef0"])
refused("InvalidSubnetID.NotFound", ec2.describe_subnets, SubnetIds=["subnet-0123456789abcdef0"])

# Security groups and their rules.
[default] = ec2.describe_security_groups()["SecurityGroups"]
assert default["GroupName"] == "default" and default["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == default["GroupId"], default
group = ec2.create_security_group(GroupName="packer_1", Description="of one bake", VpcId=vpc["VpcId"])["GroupId"]
ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.7/32", "Description": "here"}]}
added = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
assert added["SecurityGroupRules"][0]["CidrIpv4"] == "192.0.2.7/32", added
ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.1.2.3/8")
[shown] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
[permission] = shown["IpPermissions"]
assert [entry["CidrIp"] for entry in permission["IpRanges"]] == ["192.0.2.7/32", "10.0.0.0/8"], shown
ec2.get_waiter("security_group_exists").wait(GroupIds=[group])
refused("InvalidGroup.Duplicate", ec2.create_security_group, GroupName="packer_1", Description="again")
refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[ssh])
refused("InvalidParameterValue", ec2.authorize_security_group_ingress, GroupId=group, IpProtocol="tcp", FromPort=1, ToPort=1, CidrIp="10.0.0.0/40")
refused("InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="0.0.0.0/0")
refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=["sg-0123456789abcdef0"])
refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupNames=["nobody's"])
refused("InvalidGroup.NotFound", launch, SecurityGroupIds=["sg-0123456789abcdef0"])
refused("InvalidGroupId.Malformed", launch, SecurityGroupIds=["web"])
refused("CannotDelete", ec2.delete_security_group, GroupId=default["GroupId"])
ec2.revoke_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8")

# A launch with all of it, in both forms.
interface = {"DeviceIndex": 0, "SubnetId": subnets[1]["SubnetId"], "Groups": [group], "AssociatePublicIpAddress": True}
one = launch(KeyName="rsa", NetworkInterfaces=[interface], InstanceInitiatedShutdownBehavior="terminate", BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "gp3", "Iops": 3000, "Throughput": 500}}])
wait_for("running", is_in(one, "running"))
shown = instance(one)
assert shown["KeyName"] == "rsa" and shown["SecurityGroups"] == [{"GroupId": group, "GroupName": "packer_1"}], shown
assert shown["PublicIpAddress"] == shown["PrivateIpAddress"] and shown["PrivateIpAddress"].startswith("172.31."), shown
assert shown["SubnetId"] == subnets[1]["SubnetId"] and shown["NetworkInterfaces"][0]["Groups"][0]["GroupId"] == group, shown
root = shown["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
assert ec2.describe_volumes(VolumeIds=[root])["Volumes"][0]["Throughput"] == 500
refused("InvalidParameterCombination", launch, NetworkInterfaces=[interface], SubnetId=subnets[0]["SubnetId"])
refused("DependencyViolation", ec2.delete_security_group, GroupId=group)
[status] = ec2.describe_instance_status(InstanceIds=[one])["InstanceStatuses"]
assert status["InstanceStatus"]["Status"] == "ok", status

# Attributes.
told = lambda name: ec2.describe_instance_attribute(InstanceId=one, Attribute=name)
assert told("instanceInitiatedShutdownBehavior")["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"
refused("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=one, InstanceType={"Value": "t3.large"})
ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": True})
assert told("disableApiTermination")["DisableApiTermination"]["Value"] is True
refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[one])
ec2.modify_instance_attribute(InstanceId=one, Attribute="disableApiTermination", Value="false")
ec2.modify_instance_attribute(InstanceId=one, EnaSupport={"Value": True})
ec2.modify_instance_attribute(InstanceId=one, Groups=[group, default["GroupId"]])
assert [entry["GroupName"] for entry in told("groupSet")["Groups"]] == ["packer_1", "default"]

# Power.
stopping = ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]
assert (stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]) == ("running", "stopping"), stopping
wait_for("stopped", is_in(one, "stopped"))
assert "PublicIpAddress" not in instance(one) and ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopped"
ec2.modify_instance_attribute(InstanceId=one, InstanceType={"Value": "t3.large"})
ec2.modify_instance_attribute(InstanceId=one, UserData={"Value": b"{}"})
assert base64.b64decode(told("userData")["UserData"]["Value"]) == b"{}" and instance(one)["InstanceType"] == "t3.large"

# An image of it: its blocks are those of the image that it was launched from, plus what changed.
tags = [{"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]} for kind in ("image", "snapshot")]
made = ec2.create_image(InstanceId=one, Name="made", Description="of one", TagSpecifications=tags)["ImageId"]
refused("InvalidAMIName.Duplicate", ec2.create_image, InstanceId=one, Name="made")
waiter = ec2.get_waiter("image_available")
waiter.config.delay = 1
waiter.wait(ImageIds=[made])
[shown] = ec2.describe_images(ImageIds=[made])["Images"]
assert shown["SourceInstanceId"] == one and shown["Tags"] == [{"Key": "of", "Value": "image"}] and shown["Description"] == "of one", shown
[device] = shown["BlockDeviceMappings"]
assert device["DeviceName"] == "/dev/xvda" and device["Ebs"]["Throughput"] == 500, device
[copied] = ec2.describe_snapshots(SnapshotIds=[device["Ebs"]["SnapshotId"]])["Snapshots"]
assert copied["VolumeId"] == root and copied["State"] == "completed" and copied["Tags"] == [{"Key": "of", "Value": "snapshot"}], copied
listed = ebs.list_snapshot_blocks(SnapshotId=copied["SnapshotId"])["Blocks"]
assert {entry["BlockIndex"] for entry in listed} == set(data), listed
for entry in listed:
    read = ebs.get_snapshot_block(SnapshotId=copied["SnapshotId"], BlockIndex=entry["BlockIndex"], BlockToken=entry["BlockToken"])
    assert read["BlockData"].read() == data[entry["BlockIndex"]]
assert not ebs.list_changed_blocks(FirstSnapshotId=snapshot, SecondSnapshotId=copied["SnapshotId"]).get("ChangedBlocks")

# It starts again, with the disk that it had; running, it is rebooted for an image or not.
ec2.start_instances(InstanceIds=[one])
wait_for("running again", is_in(one, "running"))
assert instance(one)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"] == root
for number, no_reboot in enumerate([True, False]):
    waiter.wait(ImageIds=[ec2.create_image(InstanceId=one, Name=f"running {number}", NoReboot=no_reboot)["ImageId"]])
    assert is_in(one, "running")()

# Snapshots: of a volume, copied, shared.
mine = ec2.create_snapshot(VolumeId=root, Description="mine")["SnapshotId"]
done = ec2.get_waiter("snapshot_completed")
done.config.delay = 1
done.wait(SnapshotIds=[mine])
elsewhere = client("ec2", "eu-west-1")
copy = elsewhere.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=mine)["SnapshotId"]
wait_for("the copy", lambda: elsewhere.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]["State"] == "completed")
refused("InvalidSnapshot.NotFound", other("ec2").copy_snapshot, SourceRegion="us-east-1", SourceSnapshotId=mine)
ec2.modify_snapshot_attribute(SnapshotId=mine, Attribute="createVolumePermission", OperationType="add", UserIds=["136693071363"])
allowed = ec2.describe_snapshot_attribute(SnapshotId=mine, Attribute="createVolumePermission")["CreateVolumePermissions"]
assert allowed == [{"UserId": "136693071363"}], allowed
other("ec2").copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=mine)

# Images: deprecated, protected.
tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
ec2.enable_image_deprecation(ImageId=made, DeprecateAt=tomorrow)
assert ec2.describe_images(ImageIds=[made])["Images"][0]["DeprecationTime"][:10] == tomorrow.isoformat()[:10] or tomorrow.hour == 23
ec2.disable_image_deprecation(ImageId=made)
assert "DeprecationTime" not in ec2.describe_images(ImageIds=[made])["Images"][0]
refused("InvalidParameterValue", ec2.enable_image_deprecation, ImageId=made, DeprecateAt=datetime.datetime(2020, 1, 1))
ec2.enable_image_deregistration_protection(ImageId=made)
refused("OperationNotPermitted", ec2.deregister_image, ImageId=made)
ec2.disable_image_deregistration_protection(ImageId=made)
ec2.modify_image_attribute(ImageId=made, ImdsSupport={"Value": "v2.0"})
assert ec2.describe_images(ImageIds=[made])["Images"][0]["ImdsSupport"] == "v2.0"

# Types, prices.
[kind] = ec2.describe_instance_types(InstanceTypes=["t4g.small"])["InstanceTypes"]
assert kind["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"] and kind["MemoryInfo"]["SizeInMiB"] == 2048, kind
refused("InvalidInstanceType", ec2.describe_instance_types, InstanceTypes=["micro"])
offered = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}])
assert len(offered["InstanceTypeOfferings"]) == 6, offered
prices = ec2.describe_spot_price_history(InstanceTypes=["t3.micro"], ProductDescriptions=["Linux/UNIX"])["SpotPriceHistory"]
assert len(prices) == 6 and float(prices[0]["SpotPrice"]) > 0, prices

# Spot: a template and a fleet, whose first choice is refused.
template = ec2.create_launch_template(LaunchTemplateName="packer-fleet", LaunchTemplateData={"ImageId": image, "KeyName": "ed25519", "InstanceType": "t3.micro", "UserData": "e30="})
name = {"LaunchTemplateName": "packer-fleet", "Version": "1"}
refused("InvalidLaunchTemplateName.AlreadyExistsException", ec2.create_launch_template, LaunchTemplateName="packer-fleet", LaunchTemplateData={"ImageId": image})
fleet = ec2.create_fleet(
    Type="instant",
    LaunchTemplateConfigs=[{"LaunchTemplateSpecification": name, "Overrides": [{"SubnetId": "subnet-0123456789abcdef0"}, {"InstanceType": "t3.small"}]}],
    TargetCapacitySpecification={"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"},
    TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
)
assert fleet["Errors"][0]["ErrorCode"] == "InvalidSubnetID.NotFound", fleet
[spot] = fleet["Instances"][0]["InstanceIds"]
wait_for("running", is_in(spot, "running"))
shown = instance(spot)
assert shown["InstanceLifecycle"] == "spot" and shown["InstanceType"] == "t3.small" and shown["KeyName"] == "ed25519", shown
assert shown["Tags"] == [{"Key": "a", "Value": "b"}], shown
refused("UnsupportedOperation", ec2.stop_instances, InstanceIds=[spot])
plain = ec2.run_instances(LaunchTemplate={"LaunchTemplateName": "packer-fleet"}, MinCount=1, MaxCount=1)["Instances"][0]
assert plain["KeyName"] == "ed25519" and "InstanceLifecycle" not in plain, plain
ec2.delete_launch_template(LaunchTemplateName="packer-fleet")
refused("InvalidLaunchTemplateName.NotFoundException", ec2.delete_launch_template, LaunchTemplateName="packer-fleet")

# The end: nothing holds the group any more.
ec2.terminate_instances(InstanceIds=[one])
wait_for("terminated", is_in(one, "terminated"))
refused("InvalidParameterValue", ec2.create_image, InstanceId=one, Name="too late")
refused("IncorrectInstanceState", ec2.stop_instances, InstanceIds=[one])
refused("IncorrectInstanceState", ec2.start_instances, InstanceIds=[one])
ec2.delete_security_group(GroupId=group)
