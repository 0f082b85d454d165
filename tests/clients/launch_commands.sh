# What a builder that launches does, and encryption, as somebody would type it.
set -eux

said=$(mktemp)
trap 'rm -f "$said"' EXIT

# An image to launch.
snapshot=$($AWS ebs start-snapshot --volume-size 1 --timeout 10 --query SnapshotId --output text)
$AWS ebs complete-snapshot --snapshot-id "$snapshot" --changed-blocks-count 0
$AWS ec2 wait snapshot-completed --snapshot-ids "$snapshot"
base=$($AWS ec2 register-image --name 'base' --architecture x86_64 --virtualization-type hvm --root-device-name /dev/xvda \
    --block-device-mappings "DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot}" --query ImageId --output text)

# A key pair, a security group, an instance whose volume is encrypted when it is made.
$AWS ec2 create-key-pair --key-name bake --key-type ed25519 --query KeyMaterial --output text | grep 'BEGIN OPENSSH PRIVATE KEY'
group=$($AWS ec2 create-security-group --group-name bake --description 'of one bake' --query GroupId --output text)
$AWS ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 192.0.2.1/32
$AWS ec2 describe-security-groups --group-ids "$group" --query 'SecurityGroups[0].IpPermissions[0].IpRanges[0].CidrIp' --output text \
    | grep -x 192.0.2.1/32
instance=$($AWS ec2 run-instances --image-id "$base" --instance-type t3.micro --key-name bake --security-group-ids "$group" \
    --block-device-mappings 'DeviceName=/dev/xvda,Ebs={Encrypted=true,KmsKeyId=alias/nest}' --query 'Instances[0].InstanceId' --output text)
$AWS ec2 wait instance-running --instance-ids "$instance"
$AWS ec2 stop-instances --instance-ids "$instance"
$AWS ec2 wait instance-stopped --instance-ids "$instance"
image=$($AWS ec2 create-image --instance-id "$instance" --name 'baked' --query ImageId --output text)
$AWS ec2 wait image-available --image-ids "$image"
$AWS ec2 describe-images --image-ids "$image" --query 'Images[0].[BlockDeviceMappings[0].Ebs.Encrypted,UsageOperation]' --output text \
    | grep -x 'True.RunInstances'
$AWS ec2 start-instances --instance-ids "$instance" --query 'StartingInstances[0].PreviousState.Name' --output text | grep -x stopped
$AWS ec2 terminate-instances --instance-ids "$instance"
$AWS ec2 wait instance-terminated --instance-ids "$instance"
$AWS ec2 delete-security-group --group-id "$group"
$AWS ec2 delete-key-pair --key-name bake

# Shared, and copied with another key.
$AWS ec2 modify-image-attribute --image-id "$image" --launch-permission 'Add=[{UserId=136693071363}]'
$AWS ec2 describe-image-attribute --image-id "$image" --attribute launchPermission --query 'LaunchPermissions[].UserId' --output text \
    | grep -x 136693071363
copy=$($AWS ec2 copy-image --region eu-west-1 --source-region us-east-1 --source-image-id "$image" --name 'baked' --encrypted \
    --kms-key-id alias/other --query ImageId --output text)
$AWS ec2 wait image-available --region eu-west-1 --image-ids "$copy"

# An account that encrypts by default takes no parent that is not encrypted.
$AWS ec2 enable-ebs-encryption-by-default --output text | grep -x True
$AWS ec2 get-ebs-default-kms-key-id --query KmsKeyId --output text | grep '^arn:aws:kms:us-east-1:123456789012:key/'
if $AWS ebs start-snapshot --volume-size 1 --parent-snapshot-id "$snapshot" 2> "$said"; then exit 1; fi
grep ValidationException "$said"
