"""What the scripts share: clients of two accounts, snapshots by the block, and what must be refused."""

import base64
import hashlib
import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BLOCK = 512 * 1024
CONFIG = Config(retries={"max_attempts": 1, "mode": "standard"})


def client(service, region="us-east-1", **keys):
    return boto3.client(service, region_name=region, config=CONFIG, **keys)


def other(service, region="us-east-1"):
    """A client of another account."""
    return client(
        service,
        region,
        aws_access_key_id=os.environ["OTHER_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["OTHER_SECRET_ACCESS_KEY"],
    )


def block(seed):
    """A block that is unlike any other seed's."""
    return hashlib.sha256(str(seed).encode()).digest() * (BLOCK // 32)


def checksum(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def put(ebs, snapshot, index, data):
    return ebs.put_snapshot_block(
        SnapshotId=snapshot,
        BlockIndex=index,
        BlockData=data,
        DataLength=len(data),
        Checksum=checksum(data),
        ChecksumAlgorithm="SHA256",
    )


def linear(blocks):
    digests = b"".join(hashlib.sha256(blocks[index]).digest() for index in sorted(blocks))
    return checksum(digests)


def complete(ebs, snapshot, blocks):
    """Seals a snapshot of `blocks` and waits until it can be read."""
    answer = ebs.complete_snapshot(
        SnapshotId=snapshot,
        ChangedBlocksCount=len(blocks),
        Checksum=linear(blocks),
        ChecksumAlgorithm="SHA256",
        ChecksumAggregationMethod="LINEAR",
    )
    assert answer["Status"] in ("pending", "completed"), answer


def wait_for(what, ask, deadline=20):
    """Asks until the answer is true."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {deadline} s")


def snapshot_of(ec2, ebs, blocks, size=1, **more):
    """A completed snapshot with these blocks."""
    snapshot = ebs.start_snapshot(VolumeSize=size, **more)["SnapshotId"]
    for index, data in blocks.items():
        put(ebs, snapshot, index, data)
    complete(ebs, snapshot, blocks)
    state = lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"]
    wait_for("completion", lambda: state() == "completed")
    return snapshot


def register(ec2, name, snapshot, **more):
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3", "DeleteOnTermination": True}}
    return ec2.register_image(
        Name=name,
        Architecture="x86_64",
        VirtualizationType="hvm",
        RootDeviceName="/dev/xvda",
        EnaSupport=True,
        BlockDeviceMappings=[mapping],
        **more,
    )["ImageId"]


def refused(code, call, status=None, **arguments):
    """The call must be refused with this code."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"expected {code}, got {error}"
        actual = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status in (None, actual), f"expected HTTP {status}, got {actual}: {error}"
        return error.response
    raise AssertionError(f"expected {code}, but it was answered: {answer}")
