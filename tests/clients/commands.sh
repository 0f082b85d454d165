# The aws command line, as somebody would type it.
set -eux

$AWS sts get-caller-identity --query Account --output text | grep -x 123456789012
$AWS ec2 describe-regions --query 'Regions[].RegionName' --output text | grep -w eu-west-1
$AWS ec2 describe-availability-zones --region eu-west-1 --query 'AvailabilityZones[0].ZoneId' --output text | grep -x euw1-az1

# A snapshot of one block.
block=$(mktemp)
trap 'rm -f "$block" "$block.out"' EXIT
head -c 524288 /dev/zero | tr '\0' 'x' > "$block"
sum=$(openssl dgst -sha256 -binary "$block" | base64)
snapshot=$($AWS ebs start-snapshot --volume-size 1 --timeout 10 --query SnapshotId --output text)
$AWS ebs put-snapshot-block --snapshot-id "$snapshot" --block-index 5 --block-data "$block" --data-length 524288 \
    --checksum "$sum" --checksum-algorithm SHA256 > /dev/null
$AWS ebs complete-snapshot --snapshot-id "$snapshot" --changed-blocks-count 1
$AWS ec2 wait snapshot-completed --snapshot-ids "$snapshot"
token=$($AWS ebs list-snapshot-blocks --snapshot-id "$snapshot" --query 'Blocks[0].BlockToken' --output text)
$AWS ebs get-snapshot-block --snapshot-id "$snapshot" --block-index 5 --block-token "$token" "$block.out" > /dev/null
cmp "$block" "$block.out"

# An image, an instance, a volume.
image=$($AWS ec2 register-image --name 'web 1' --architecture x86_64 --virtualization-type hvm --root-device-name /dev/xvda \
    --block-device-mappings "DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot}" \
    --tag-specifications 'ResourceType=image,Tags=[{Key=AutoCleanup,Value=true}]' --query ImageId --output text)
$AWS ec2 describe-images --owners self --filters 'Name=name,Values=web*' --query 'Images[].ImageId' --output text | grep -x "$image"
instance=$($AWS ec2 run-instances --image-id "$image" --instance-type t3.micro --user-data '{"environment":"dev"}' \
    --query 'Instances[0].InstanceId' --output text)
$AWS ec2 wait instance-running --instance-ids "$instance"
volume=$($AWS ec2 create-volume --availability-zone us-east-1a --size 1 --query VolumeId --output text)
$AWS ec2 wait volume-available --volume-ids "$volume"
$AWS ec2 attach-volume --volume-id "$volume" --instance-id "$instance" --device /dev/sdf
$AWS ec2 create-tags --resources "$instance" "$volume" --tags Key=Name,Value=web
$AWS ec2 describe-volumes --filters Name=tag:Name,Values=web --query 'Volumes[0].Attachments[0].State' --output text | grep -x attached
$AWS ec2 get-console-output --instance-id "$instance" --output text | grep 'nothing runs'
$AWS ec2 terminate-instances --instance-ids "$instance"
$AWS ec2 wait instance-terminated --instance-ids "$instance"
if $AWS ec2 describe-volumes --volume-ids vol-0123456789abcdef0 2> "$block.out"; then exit 1; fi
grep InvalidVolume.NotFound "$block.out"

# A pointer.
$AWS ssm put-parameter --name /ovenbird/web/dev --type String --data-type aws:ec2:image --value "$image"
$AWS ssm get-parameter --name /ovenbird/web/dev --query Parameter.Value --output text | grep -x "$image"
$AWS ssm get-parameters-by-path --path /ovenbird --recursive --query 'length(Parameters)' --output text | grep -x 1
$AWS ec2 deregister-image --image-id "$image" --delete-associated-snapshots
