"""Snapshots by the block, images, copies, sharing, tags, pages."""

from common import *

ec2, ebs = client("ec2"), client("ebs")

# A snapshot, block by block.
blocks = {0: block("a"), 7: block("b"), 2047: block("c")}
started = ebs.start_snapshot(VolumeSize=1, Description="first", Tags=[{"Key": "Name", "Value": "one"}], ClientToken="t-1", Timeout=10)
first = started["SnapshotId"]
assert started["Status"] == "pending" and started["BlockSize"] == BLOCK and started["OwnerId"] == "123456789012", started
again = ebs.start_snapshot(VolumeSize=1, Description="first", Tags=[{"Key": "Name", "Value": "one"}], ClientToken="t-1", Timeout=10)
assert again["SnapshotId"] == first
for index, data in blocks.items():
    assert put(ebs, first, index, data)["Checksum"] == checksum(data)
complete(ebs, first, blocks)
waiter = ec2.get_waiter("snapshot_completed")
waiter.config.delay = 1
waiter.wait(SnapshotIds=[first])
[shown] = ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "tag:Name", "Values": ["o*"]}])["Snapshots"]
assert shown["SnapshotId"] == first and shown["Progress"] == "100%" and shown["VolumeSize"] == 1, shown
assert ec2.describe_snapshots(OwnerIds=["136693071363"])["Snapshots"] == []

listed = ebs.list_snapshot_blocks(SnapshotId=first)
assert [entry["BlockIndex"] for entry in listed["Blocks"]] == [0, 7, 2047], listed
for entry in listed["Blocks"]:
    got = ebs.get_snapshot_block(SnapshotId=first, BlockIndex=entry["BlockIndex"], BlockToken=entry["BlockToken"])
    data = got["BlockData"].read()
    assert data == blocks[entry["BlockIndex"]] and got["Checksum"] == checksum(data) and got["DataLength"] == BLOCK

# A child: what it does not put, it has of its parent.
changed = {7: block("B"), 8: bytes(BLOCK)}
child = snapshot_of(ec2, ebs, changed, ParentSnapshotId=first)
listed = ebs.list_snapshot_blocks(SnapshotId=child, StartingBlockIndex=1)
assert [entry["BlockIndex"] for entry in listed["Blocks"]] == [7, 8, 2047], listed
difference = ebs.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=child)["ChangedBlocks"]
assert [entry["BlockIndex"] for entry in difference] == [7, 8], difference
assert "FirstBlockToken" in difference[0] and "FirstBlockToken" not in difference[1]
token = difference[1]["SecondBlockToken"]
assert ebs.get_snapshot_block(SnapshotId=child, BlockIndex=8, BlockToken=token)["BlockData"].read() == bytes(BLOCK)

# Pages of blocks: at least 100 of them, however few are asked for.
many = {index: block(index % 3) for index in range(250)}
large = snapshot_of(ec2, ebs, many)
token, seen, sizes = None, [], []
while True:
    page = ebs.list_snapshot_blocks(SnapshotId=large, MaxResults=100, **({"NextToken": token} if token else {}))
    seen += [entry["BlockIndex"] for entry in page["Blocks"]]
    sizes.append(len(page["Blocks"]))
    token = page.get("NextToken")
    if not token:
        break
assert seen == list(range(250)) and sizes == [100, 100, 50], sizes

# Images.
image = register(
    ec2,
    "web 2026-01-31 1200",
    first,
    Description="a web server",
    BootMode="uefi-preferred",
    ImdsSupport="v2.0",
    SriovNetSupport="simple",
    TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "AutoCleanup", "Value": "true"}]}],
)
waiter = ec2.get_waiter("image_available")
waiter.config.delay = 1
waiter.wait(ImageIds=[image])
[shown] = ec2.describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": ["web ????-01-*"]}])["Images"]
assert shown["ImageId"] == image and shown["State"] == "available" and shown["Public"] is False, shown
assert shown["Architecture"] == "x86_64" and shown["VirtualizationType"] == "hvm" and shown["RootDeviceType"] == "ebs"
assert shown["ImdsSupport"] == "v2.0" and shown["BootMode"] == "uefi-preferred" and shown["OwnerId"] == "123456789012"
assert shown["Tags"] == [{"Key": "AutoCleanup", "Value": "true"}] and shown["CreationDate"].endswith("Z")
[device] = shown["BlockDeviceMappings"]
assert device["Ebs"]["SnapshotId"] == first and device["Ebs"]["VolumeSize"] == 1 and device["Ebs"]["VolumeType"] == "gp3", device
for name, value in {
    "architecture": "x86_64",
    "root-device-type": "ebs",
    "virtualization-type": "hvm",
    "state": "available",
    "owner-id": "123456789012",
    "is-public": "false",
    "image-id": image,
    "block-device-mapping.snapshot-id": first,
    "tag-key": "Auto*",
    "tag:AutoCleanup": "true",
    "creation-date": "20*",
}.items():
    found = ec2.describe_images(Filters=[{"Name": name, "Values": ["nothing", value]}])["Images"]
    assert [entry["ImageId"] for entry in found] == [image], (name, found)
    assert ec2.describe_images(Filters=[{"Name": name, "Values": ["nothing"]}])["Images"] == [], name

# Sharing: another account sees a public image, copies it where it may read its snapshot too, and owns the copy.
theirs = other("ec2")
assert theirs.describe_images(Owners=["123456789012"])["Images"] == []
ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": "136693071363"}]})
assert len(theirs.describe_images(Owners=["123456789012"])["Images"]) == 1
ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Remove": [{"UserId": "136693071363"}]})
assert theirs.describe_images(Owners=["123456789012"])["Images"] == []
ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
ec2.modify_image_attribute(ImageId=image, Description={"Value": "for all"})
[shown] = theirs.describe_images(ImageIds=[image])["Images"]
assert shown["Public"] and shown["Description"] == "for all" and "Tags" not in shown | {"Tags": 0} or shown.get("Tags", []) == []
west = other("ec2", "us-west-2")
tags = [{"ResourceType": kind, "Tags": [{"Key": "ovenbird:base-of", "Value": image}]} for kind in ("image", "snapshot")]
refused("InvalidRequest", west.copy_image, Name="copy", SourceImageId=image, SourceRegion="us-east-1")
ec2.modify_snapshot_attribute(SnapshotId=first, CreateVolumePermission={"Add": [{"Group": "all"}]})
copy = west.copy_image(Name="copy", SourceImageId=image, SourceRegion="us-east-1", TagSpecifications=tags)["ImageId"]
[shown] = west.describe_images(ImageIds=[copy])["Images"]
assert shown["State"] == "pending", shown
wait_for("the copy", lambda: west.describe_images(ImageIds=[copy])["Images"][0]["State"] == "available")
copied = west.describe_images(ImageIds=[copy])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
assert copied != first
[shown] = west.describe_snapshots(SnapshotIds=[copied])["Snapshots"]
assert shown["State"] == "completed" and shown["Tags"] == tags[1]["Tags"], shown
listed = other("ebs", "us-west-2").list_snapshot_blocks(SnapshotId=copied)["Blocks"]
assert [entry["BlockIndex"] for entry in listed] == [0, 7, 2047]
refused("ValidationException", ebs.list_changed_blocks, FirstSnapshotId=large, SecondSnapshotId=child)

# Tags.
ec2.create_tags(Resources=[image, first], Tags=[{"Key": "LastUsed", "Value": "2026-01-31T12:00:00Z"}, {"Key": "x", "Value": ""}])
tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [image]}])["Tags"]
assert [(tag["Key"], tag["ResourceType"]) for tag in tags] == [("AutoCleanup", "image"), ("LastUsed", "image"), ("x", "image")], tags
ec2.delete_tags(Resources=[image], Tags=[{"Key": "x"}, {"Key": "LastUsed", "Value": "other"}])
tags = ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["image"]}])["Tags"]
assert [tag["Key"] for tag in tags] == ["AutoCleanup", "LastUsed"], tags

# Pages of images.
ids = {image} | {register(ec2, f"page {number}", first) for number in range(6)}
pages = list(ec2.get_paginator("describe_images").paginate(Owners=["self"], PaginationConfig={"PageSize": 3}))
assert [len(page["Images"]) for page in pages] == [3, 3, 1]
assert {entry["ImageId"] for page in pages for entry in page["Images"]} == ids

# The end: a snapshot that another image holds is skipped, and goes with the last.
answer = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
assert answer["Return"] and answer["DeleteSnapshotResults"] == [{"SnapshotId": first, "ReturnCode": "skipped"}], answer
ids.remove(image)
for left in sorted(ids):
    answer = ec2.deregister_image(ImageId=left, DeleteAssociatedSnapshots=True)
assert answer["DeleteSnapshotResults"] == [{"SnapshotId": first, "ReturnCode": "success"}], answer
refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[first])
assert ebs.list_snapshot_blocks(SnapshotId=child)["Blocks"], "a child stands on its own"
ec2.delete_snapshot(SnapshotId=child)
ec2.delete_snapshot(SnapshotId=large)
