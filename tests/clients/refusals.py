"""What AWS refuses is refused here with AWS's own codes."""

import os

import common
from common import *

# The endpoint is asked, not boto3's own checks.
common.CONFIG = common.CONFIG.merge(Config(parameter_validation=False))
ec2, ebs, ssm, sts = client("ec2"), client("ebs"), client("ssm"), client("sts")
snapshot = snapshot_of(ec2, ebs, {0: block("a")})
image = register(ec2, "one", snapshot)

# Who calls.
bad = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
refused("AuthFailure", client("ec2", **bad).describe_regions, 401)
refused("InvalidClientTokenId", client("sts", **bad).get_caller_identity, 403)
refused("UnrecognizedClientException", client("ssm", **bad).get_parameter, Name="/x")
refused("UnrecognizedClientException", client("ebs", **bad).list_snapshot_blocks, 403, SnapshotId=snapshot)
wrong = {"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "x" * 40}
refused("SignatureDoesNotMatch", client("ec2", **wrong).describe_regions, 403)
refused("InvalidSignatureException", client("ssm", **wrong).get_parameter, Name="/x")
refused("SignatureDoesNotMatch", client("ec2", "xx-nowhere-1").describe_regions)
refused("InvalidAction", ec2.describe_vpc_endpoints)
refused("UnknownOperationException", ssm.describe_parameters)

# Images.
refused("InvalidAMIID.Malformed", ec2.describe_images, ImageIds=["ami-web"])
refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image, "ami-0123456789abcdef0"])
refused("InvalidParameterValue", ec2.describe_images, Filters=[{"Name": "colour", "Values": ["red"]}])
refused("InvalidUserID.Malformed", ec2.describe_images, Owners=["me"])
refused("InvalidParameterValue", ec2.describe_images, MaxResults=5000)
refused("InvalidNextToken", ec2.describe_images, NextToken="abc")
refused("DryRunOperation", ec2.deregister_image, 412, ImageId=image, DryRun=True)
refused("InvalidAMIName.Duplicate", register, ec2=ec2, name="one", snapshot=snapshot)
refused("InvalidAMIName.Malformed", register, ec2=ec2, name="a+b", snapshot=snapshot)
refused("InvalidAMIName.Malformed", register, ec2=ec2, name="ab", snapshot=snapshot)
refused("InvalidSnapshot.NotFound", register, ec2=ec2, name="two", snapshot="snap-0123456789abcdef0")
refused("InvalidSnapshot.InUse", ec2.delete_snapshot, SnapshotId=snapshot)
refused("InvalidParameterValue", register, ec2=ec2, name="two", snapshot=snapshot, BootMode="bios")
pending = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
refused("IncorrectState", register, ec2=ec2, name="two", snapshot=pending)


def mapped(**disk):
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, **disk}}
    return ec2.register_image(Name="two", RootDeviceName="/dev/xvda", BlockDeviceMappings=[mapping])


refused("InvalidParameterDependency", mapped, Encrypted=False)
refused("UnknownVolumeType", mapped, VolumeType="gp9")
refused("InvalidBlockDeviceMapping", ec2.register_image, Name="two", RootDeviceName="/dev/sda1", BlockDeviceMappings=[])
larger = snapshot_of(ec2, ebs, {0: block("a")}, size=3)
refused("InvalidBlockDeviceMapping", ec2.register_image, Name="two", RootDeviceName="/dev/xvda", BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": larger, "VolumeSize": 2}}])
refused("InvalidAMIID.NotFound", other("ec2").deregister_image, ImageId=image)
ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
refused("AuthFailure", other("ec2").deregister_image, ImageId=image)
# The API's own defaults fit nobody.
default = mapped()["ImageId"]
[shown] = ec2.describe_images(ImageIds=[default])["Images"]
assert shown["Architecture"] == "i386" and shown["VirtualizationType"] == "paravirtual"

# Tags: on all, or on none.
refused("InvalidSnapshot.NotFound", ec2.create_tags, Resources=[image, "snap-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}])
refused("InvalidParameterValue", ec2.create_tags, Resources=[image], Tags=[{"Key": "aws:a", "Value": "b"}])
refused("TagLimitExceeded", ec2.create_tags, Resources=[image], Tags=[{"Key": str(number), "Value": ""} for number in range(51)])
ec2.create_tags(Resources=[image], Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
refused("TagLimitExceeded", ec2.create_tags, Resources=[image], Tags=[{"Key": "one more", "Value": ""}])
assert len(ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [image]}])["Tags"]) == 50

# Instances.
refused("InvalidAMIID.NotFound", ec2.run_instances, ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)
refused("InvalidParameterValue", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1, UserData="x" * 16385)
refused("InvalidParameterValue", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1, InstanceType="huge")
refused("InvalidKeyPair.NotFound", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1, KeyName="mine")
refused("DryRunOperation", ec2.run_instances, 412, ImageId=image, MinCount=1, MaxCount=1, DryRun=True)
ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, ClientToken="t")
refused("IdempotentParameterMismatch", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=2, ClientToken="t")
refused("InvalidInstanceID.NotFound", ec2.terminate_instances, InstanceIds=["i-0123456789abcdef0"])
refused("InvalidInstanceID.Malformed", ec2.describe_instances, InstanceIds=["web"])
refused("InvalidZone.NotFound", ec2.create_volume, AvailabilityZone="us-east-1z", Size=1)

# Blocks.
refused("ValidationException", ebs.start_snapshot, 400, VolumeSize=1, ParentSnapshotId=larger, Encrypted=True)
refused("ValidationException", ebs.start_snapshot, VolumeSize=65537)
ebs.start_snapshot(VolumeSize=1, ClientToken="t")
refused("ConflictException", ebs.start_snapshot, 409, VolumeSize=2, ClientToken="t")
refused("ResourceNotFoundException", ebs.start_snapshot, 404, VolumeSize=1, ParentSnapshotId="snap-0123456789abcdef0")
refused("ValidationException", ebs.start_snapshot, VolumeSize=1, ParentSnapshotId=pending)
refused("ValidationException", ebs.start_snapshot, VolumeSize=2, ParentSnapshotId=larger)
refused("AccessDeniedException", other("ebs").start_snapshot, 403, VolumeSize=1, ParentSnapshotId=snapshot)
refused("AccessDeniedException", other("ebs").list_snapshot_blocks, 403, SnapshotId=snapshot)
refused("ResourceNotFoundException", client("ebs", "eu-west-1").list_snapshot_blocks, SnapshotId=snapshot)
answer = refused("ValidationException", put, ebs=ebs, snapshot=pending, index=2048, data=block(1))
assert answer["Reason"] == "INVALID_BLOCK", answer
refused("ValidationException", put, ebs=ebs, snapshot=snapshot, index=0, data=block(1))
refused("ValidationException", put, ebs=ebs, snapshot=pending, index=0, data=block(1)[:-1])
arguments = dict(SnapshotId=pending, BlockIndex=0, BlockData=block(1), DataLength=BLOCK, ChecksumAlgorithm="SHA256")
refused("ValidationException", ebs.put_snapshot_block, **arguments, Checksum=checksum(block(2)))
put(ebs, pending, 0, block(1))
refused("ValidationException", ebs.complete_snapshot, SnapshotId=pending, ChangedBlocksCount=2)
wrong = dict(Checksum=checksum(b""), ChecksumAlgorithm="SHA256", ChecksumAggregationMethod="LINEAR")
refused("ValidationException", ebs.complete_snapshot, SnapshotId=pending, ChangedBlocksCount=1, **wrong)
refused("ValidationException", ebs.list_snapshot_blocks, SnapshotId=pending)
answer = refused("ValidationException", ebs.get_snapshot_block, SnapshotId=snapshot, BlockIndex=0, BlockToken="abc")
assert answer["Reason"] == "INVALID_BLOCK_TOKEN", answer
answer = refused("ValidationException", ebs.list_snapshot_blocks, SnapshotId=snapshot, NextToken="abc")
assert answer["Reason"] == "INVALID_PAGE_TOKEN", answer
answer = refused("ValidationException", ebs.list_changed_blocks, FirstSnapshotId=snapshot, SecondSnapshotId=larger)
assert answer["Reason"] == "UNRELATED_SNAPSHOTS", answer
for _ in range(98):
    ebs.start_snapshot(VolumeSize=1)
refused("ServiceQuotaExceededException", ebs.start_snapshot, 402, VolumeSize=1)

# Parameters.
refused("ValidationException", ssm.put_parameter, Name="a/b", Value="x", Type="String")
refused("ValidationException", ssm.put_parameter, Name="/aws/b", Value="x", Type="String")
refused("ValidationException", ssm.put_parameter, Name="/a", Value="x" * 4097, Type="String")
refused("ValidationException", ssm.put_parameter, Name="/a", Value="x")
refused("ValidationException", ssm.get_parameters, Names=[f"/{number}" for number in range(11)])
