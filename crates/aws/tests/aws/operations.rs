//! Every operation of the crate, for tests that hold for all of them.

use std::collections::BTreeSet;
use std::path::Path;

use ovenbird_aws::Operation;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::iam;
use ovenbird_aws::ssm;
use ovenbird_aws::sts;

/// Something to do with each operation.
pub(crate) trait Visit {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq;
}

macro_rules! visit {
    ($visitor:ident: $($module:ident { $($request:ident)* })*) => { $($($visitor.visit::<$module::$request>();)*)* };
}

pub(crate) fn visit_all(visitor: &mut impl Visit) {
    visit!(visitor:
        ec2 {
            DescribeRegionsRequest DescribeAvailabilityZonesRequest
            DescribeImagesRequest RegisterImageRequest DeregisterImageRequest CopyImageRequest
            DescribeImageAttributeRequest ModifyImageAttributeRequest
            CreateTagsRequest DeleteTagsRequest DescribeTagsRequest
            DescribeSnapshotsRequest DeleteSnapshotRequest
            CreateVolumeRequest DescribeVolumesRequest AttachVolumeRequest DetachVolumeRequest DeleteVolumeRequest
            RunInstancesRequest DescribeInstancesRequest TerminateInstancesRequest GetConsoleOutputRequest
            StopInstancesRequest StartInstancesRequest DescribeInstanceStatusRequest
            DescribeInstanceAttributeRequest ModifyInstanceAttributeRequest
            DescribeInstanceTypesRequest DescribeInstanceTypeOfferingsRequest DescribeSpotPriceHistoryRequest
            CreateKeyPairRequest ImportKeyPairRequest DescribeKeyPairsRequest DeleteKeyPairRequest
            CreateSecurityGroupRequest DescribeSecurityGroupsRequest DeleteSecurityGroupRequest
            AuthorizeSecurityGroupIngressRequest RevokeSecurityGroupIngressRequest
            DescribeVpcsRequest DescribeSubnetsRequest
            CreateSnapshotRequest CopySnapshotRequest DescribeSnapshotAttributeRequest ModifySnapshotAttributeRequest
            CreateImageRequest EnableImageDeprecationRequest DisableImageDeprecationRequest
            EnableImageDeregistrationProtectionRequest DisableImageDeregistrationProtectionRequest
            GetEbsEncryptionByDefaultRequest EnableEbsEncryptionByDefaultRequest DisableEbsEncryptionByDefaultRequest
            GetEbsDefaultKmsKeyIdRequest ModifyEbsDefaultKmsKeyIdRequest
            CreateLaunchTemplateRequest DeleteLaunchTemplateRequest CreateFleetRequest
        }
        ebs {
            StartSnapshotRequest PutSnapshotBlockRequest CompleteSnapshotRequest
            ListSnapshotBlocksRequest ListChangedBlocksRequest GetSnapshotBlockRequest
        }
        ssm {
            PutParameterRequest GetParameterRequest GetParametersRequest GetParametersByPathRequest
            GetParameterHistoryRequest DeleteParameterRequest
        }
        sts { GetCallerIdentityRequest }
        iam { GetInstanceProfileRequest }
    );
}

struct Actions(BTreeSet<String>);

impl Visit for Actions {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq,
    {
        assert!(self.0.insert(format!("{:?} {}", O::SERVICE, O::ACTION)), "{} is listed twice", O::ACTION);
    }
}

#[test]
fn no_declared_operation_is_forgotten() {
    let mut listed = Actions(BTreeSet::new());
    visit_all(&mut listed);
    let mut declared = BTreeSet::new();
    collect_declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut declared);
    assert_eq!(listed.0, declared, "tests/aws/operations.rs lists what src declares with operation!");
}

/// What the sources declare: `operation!(Ec2, "DescribeImages", …`.
fn collect_declared(folder: &Path, declared: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_declared(&path, declared);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for declaration in text.lines().filter_map(|line| line.trim_start().strip_prefix("operation!(")) {
            let mut parts = declaration.split(',').map(|part| part.trim().trim_matches('"'));
            declared.insert(format!("{} {}", parts.next().unwrap(), parts.next().unwrap()));
        }
    }
}
