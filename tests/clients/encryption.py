"""Encryption as the API tells of it: defaults, volumes, snapshots, copies, images, launches; and what images are billed for."""

from common import *

ec2, ebs = client("ec2"), client("ebs")
plain = snapshot_of(ec2, ebs, {0: block("root")})


def default_is(on):
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is on


def key_of(snapshot):
    [shown] = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert shown["Encrypted"] is ("KmsKeyId" in shown), shown
    return shown.get("KmsKeyId")


def completed(snapshot):
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1})
    return snapshot


managed = ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
assert managed.startswith("arn:aws:kms:us-east-1:123456789012:key/"), managed
default_is(False)

# A snapshot of blocks: a child is as its parent, and nobody may say otherwise.
assert ebs.start_snapshot(VolumeSize=1).get("KmsKeyArn") is None
own = ebs.start_snapshot(VolumeSize=1, Encrypted=True, KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/own")
assert own["KmsKeyArn"].endswith(":key/own"), own
refused("ValidationException", ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=plain, Encrypted=True)

# A copy has the key that it asks for, else the default one, and never none where its source had one.
copy = completed(ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=plain, Encrypted=True, KmsKeyId="mine")["SnapshotId"])
mine = key_of(copy)
assert mine.endswith(":key/mine"), mine
assert ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=copy)["KmsKeyArn"] == mine
assert key_of(completed(ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=copy)["SnapshotId"])) == managed
assert key_of(completed(ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=plain)["SnapshotId"])) is None
refused("InvalidParameterDependency", ec2.copy_snapshot, SourceRegion="us-east-1", SourceSnapshotId=plain, KmsKeyId="mine")
encrypted = [shown["SnapshotId"] for shown in ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "encrypted", "Values": ["true"]}])["Snapshots"]]
assert copy in encrypted and plain not in encrypted, encrypted

# Who is given a snapshot needs its key, and nobody has the managed one or everybody's.
share = dict(Attribute="createVolumePermission", OperationType="add")
ec2.modify_snapshot_attribute(SnapshotId=copy, UserIds=["136693071363"], **share)
refused("OperationNotPermitted", ec2.modify_snapshot_attribute, SnapshotId=copy, GroupNames=["all"], **share)
default = completed(ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=plain, Encrypted=True)["SnapshotId"])
refused("OperationNotPermitted", ec2.modify_snapshot_attribute, SnapshotId=default, UserIds=["136693071363"], **share)

# A volume is as its snapshot, or as is asked.
volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=copy)
assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, mine), volume
volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
assert volume["KmsKeyId"] == managed, volume
assert ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["Encrypted"] is False


def mapping(image):
    [shown] = ec2.describe_images(ImageIds=[image])["Images"]
    return shown["BlockDeviceMappings"][0]["Ebs"]


def image_copy(image, name, **more):
    made = ec2.copy_image(SourceRegion="us-east-1", SourceImageId=image, Name=name, **more)["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[made], WaiterConfig={"Delay": 1})
    return made


# Images say what their snapshots are; a copy may be encrypted first.
image, sealed = register(ec2, "plain", plain), register(ec2, "sealed", copy)
assert (mapping(image)["Encrypted"], mapping(sealed)["Encrypted"]) == (False, True)
allow = dict(Attribute="launchPermission", OperationType="add")
ec2.modify_image_attribute(ImageId=sealed, UserIds=["136693071363"], **allow)
refused("InvalidParameter", ec2.modify_image_attribute, ImageId=sealed, UserGroups=["all"], **allow)
kept = register(ec2, "with the managed key", default)
somebody = {"Add": [{"UserId": "136693071363"}]}
refused("InvalidParameter", ec2.modify_image_attribute, ImageId=kept, LaunchPermission=somebody)
ec2.modify_image_attribute(ImageId=kept, LaunchPermission={"Remove": somebody["Add"]})
copied = image_copy(image, "plain but sealed", Encrypted=True, KmsKeyId="alias/nest", SnapshotCopyCompletionDurationMinutes=15)
assert mapping(copied)["Encrypted"] is True
alias = key_of(mapping(copied)["SnapshotId"])
refused("InvalidParameterValue", ec2.copy_image, SourceRegion="us-east-1", SourceImageId=image, Name="late", SnapshotCopyCompletionDurationMinutes=20)
with_key = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": plain, "KmsKeyId": "mine"}}]
refused("InvalidBlockDeviceMapping", ec2.register_image, Name="not so", RootDeviceName="/dev/xvda", BlockDeviceMappings=with_key)


def launched(image, **ebs):
    mappings = [{"DeviceName": "/dev/xvda", "Ebs": ebs}] if ebs else []
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, BlockDeviceMappings=mappings)["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1})
    [volume] = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [made]}])["Volumes"]
    return made, volume


# Encryption at launch, and an image of it: one copy less.
instance, volume = launched(image, Encrypted=True, KmsKeyId="alias/nest")
assert volume["KmsKeyId"] == alias, volume
made = ec2.create_image(InstanceId=instance, Name="of an instance", NoReboot=True)["ImageId"]
ec2.get_waiter("image_available").wait(ImageIds=[made], WaiterConfig={"Delay": 1})
assert key_of(mapping(made)["SnapshotId"]) == alias
refused("InvalidBlockDeviceMapping", ec2.create_image, InstanceId=instance, Name="not so", BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": False}}])
assert launched(sealed)[1]["KmsKeyId"] == mine
assert launched(image)[1]["Encrypted"] is False

# An account that encrypts by default: all that is new, and no child of what is not.
assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
default_is(True)
refused("ValidationException", ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=plain)
assert ebs.start_snapshot(VolumeSize=1)["KmsKeyArn"] == managed
assert launched(image)[1]["KmsKeyId"] == managed
changed = ec2.modify_ebs_default_kms_key_id(KmsKeyId="alias/other")["KmsKeyId"]
assert changed == ec2.get_ebs_default_kms_key_id()["KmsKeyId"] != managed
assert key_of(completed(ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=plain)["SnapshotId"])) == changed
default_elsewhere = client("ec2", region="eu-west-1").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
assert default_elsewhere is False, "each region has its own"
assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
default_is(False)

# What the software in an image costs is said by the image, and goes with its copies and images of its instances.
def billing(image):
    [shown] = ec2.describe_images(ImageIds=[image])["Images"]
    return shown["PlatformDetails"], shown["UsageOperation"], shown.get("Platform")


assert billing(image) == ("Linux/UNIX", "RunInstances", None)
billed = register(ec2, "billed", plain, BillingProducts=["bp-6fa54006"])
rhel = ("Red Hat Enterprise Linux", "RunInstances:0010", None)
assert billing(billed) == billing(image_copy(billed, "billed too")) == rhel
instance = launched(billed)[0]
[reservation] = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
assert (reservation["Instances"][0]["PlatformDetails"], reservation["Instances"][0]["UsageOperation"]) == rhel[:2], reservation
made = ec2.create_image(InstanceId=instance, Name="billed of an instance", NoReboot=True)["ImageId"]
assert billing(made) == rhel
windows = register(ec2, "windows", plain, BillingProducts=["bp-6ba54002"])
assert billing(windows) == ("Windows", "RunInstances:0002", "windows")
found = ec2.describe_images(Owners=["self"], Filters=[{"Name": "platform", "Values": ["windows"]}])["Images"]
assert [it["ImageId"] for it in found] == [windows], found
refused("InvalidParameterValue", ec2.register_image, Name="not so", RootDeviceName="/dev/xvda", BillingProducts=["bp-1"])

# Builders ask for the instance profile before they launch with it.
iam = client("iam")
profile = iam.get_instance_profile(InstanceProfileName="nest")["InstanceProfile"]
assert profile["Arn"] == "arn:aws:iam::123456789012:instance-profile/nest", profile
assert [role["RoleName"] for role in profile["Roles"]] == ["nest"], profile
made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "nest"})["Instances"][0]
assert made["IamInstanceProfile"] == {"Arn": profile["Arn"], "Id": profile["InstanceProfileId"]}, made
refused("ValidationError", iam.get_instance_profile, InstanceProfileName="a nest")
