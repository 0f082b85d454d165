//! Which handler answers which operation.

use std::collections::HashMap;
use std::sync::OnceLock;

use bytes::Bytes;
use http::Request;
use http::Response;
use ovenbird_aws::ApiError;
use ovenbird_aws::Operation;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2 as api;
use ovenbird_aws::iam as profiles;
use ovenbird_aws::ssm as parameters;
use ovenbird_aws::sts as identity;
use ovenbird_aws::wire::Protocol;
use ovenbird_aws::wire::Service;
use ovenbird_aws::wire::decode_form;
use ovenbird_aws::wire::decode_request;
use ovenbird_aws::wire::encode_answer;

use crate::direct;
use crate::ec2;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::iam;
use crate::ssm;
use crate::sts;
use crate::world::Call;

type Run = Box<dyn Fn(&Call, &Request<Bytes>, &str) -> Answer<Response<Bytes>> + Send + Sync>;

/// An operation that the endpoint has.
pub(crate) struct Entry {
    pub(crate) action: &'static str,
    method: &'static str,
    path: &'static str,
    pub(crate) run: Run,
}

/// Every operation, by service.
fn table() -> &'static HashMap<Service, Vec<Entry>> {
    static TABLE: OnceLock<HashMap<Service, Vec<Entry>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        HashMap::from([
            (Service::Ec2, ec2_entries()),
            (Service::Ebs, ebs_entries()),
            (Service::Ssm, ssm_entries()),
            (
                Service::Sts,
                vec![entry(sts::get_caller_identity as fn(&Call, &identity::GetCallerIdentityRequest) -> _)],
            ),
            (
                Service::Iam,
                vec![entry(iam::get_instance_profile as fn(&Call, &profiles::GetInstanceProfileRequest) -> _)],
            ),
        ])
    })
}

/// An EC2 operation; all of them can be tried dry.
macro_rules! ec2_entry {
    ($request:ident, $handler:path) => {
        entry(|call: &Call, request: &api::$request| {
            if request.dry_run == Some(true) {
                let error =
                    ApiError::client("DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
                return Err(error.with_status(412).into());
            }
            $handler(call, request)
        })
    };
}

fn ec2_entries() -> Vec<Entry> {
    vec![
        ec2_entry!(DescribeRegionsRequest, ec2::regions::describe_regions),
        ec2_entry!(DescribeAvailabilityZonesRequest, ec2::regions::describe_availability_zones),
        ec2_entry!(DescribeImagesRequest, ec2::describe_images::describe_images),
        ec2_entry!(RegisterImageRequest, ec2::register_image::register_image),
        ec2_entry!(DeregisterImageRequest, ec2::deregister_image::deregister_image),
        ec2_entry!(CopyImageRequest, ec2::copy_image::copy_image),
        ec2_entry!(DescribeImageAttributeRequest, ec2::describe_image_attribute::describe_image_attribute),
        ec2_entry!(ModifyImageAttributeRequest, ec2::modify_image::modify_image_attribute),
        ec2_entry!(CreateTagsRequest, ec2::tags::create_tags),
        ec2_entry!(DeleteTagsRequest, ec2::tags::delete_tags),
        ec2_entry!(DescribeTagsRequest, ec2::tags::describe_tags),
        ec2_entry!(DescribeSnapshotsRequest, ec2::snapshots::describe_snapshots),
        ec2_entry!(DeleteSnapshotRequest, ec2::snapshots::delete_snapshot),
        ec2_entry!(CreateVolumeRequest, ec2::volumes::create_volume),
        ec2_entry!(DescribeVolumesRequest, ec2::volumes::describe_volumes),
        ec2_entry!(DeleteVolumeRequest, ec2::volumes::delete_volume),
        ec2_entry!(AttachVolumeRequest, ec2::attachments::attach_volume),
        ec2_entry!(DetachVolumeRequest, ec2::attachments::detach_volume),
        ec2_entry!(RunInstancesRequest, ec2::run_instances::run_instances),
        ec2_entry!(DescribeInstancesRequest, ec2::describe_instances::describe_instances),
        ec2_entry!(TerminateInstancesRequest, ec2::instances::terminate_instances),
        ec2_entry!(GetConsoleOutputRequest, ec2::instances::get_console_output),
        ec2_entry!(StopInstancesRequest, ec2::instance_power::stop_instances),
        ec2_entry!(StartInstancesRequest, ec2::instance_power::start_instances),
        ec2_entry!(DescribeInstanceStatusRequest, ec2::instance_status::describe_instance_status),
        ec2_entry!(DescribeInstanceAttributeRequest, ec2::instance_attributes::describe_instance_attribute),
        ec2_entry!(ModifyInstanceAttributeRequest, ec2::instance_attributes::modify_instance_attribute),
        ec2_entry!(DescribeInstanceTypesRequest, ec2::instance_types::describe_instance_types),
        ec2_entry!(DescribeInstanceTypeOfferingsRequest, ec2::instance_types::describe_instance_type_offerings),
        ec2_entry!(DescribeSpotPriceHistoryRequest, ec2::instance_types::describe_spot_price_history),
        ec2_entry!(CreateKeyPairRequest, ec2::key_pairs::create_key_pair),
        ec2_entry!(ImportKeyPairRequest, ec2::key_pairs::import_key_pair),
        ec2_entry!(DescribeKeyPairsRequest, ec2::key_pairs::describe_key_pairs),
        ec2_entry!(DeleteKeyPairRequest, ec2::key_pairs::delete_key_pair),
        ec2_entry!(CreateSecurityGroupRequest, ec2::security_groups::create_security_group),
        ec2_entry!(DescribeSecurityGroupsRequest, ec2::security_groups::describe_security_groups),
        ec2_entry!(DeleteSecurityGroupRequest, ec2::security_groups::delete_security_group),
        ec2_entry!(AuthorizeSecurityGroupIngressRequest, ec2::security_group_rules::authorize_security_group_ingress),
        ec2_entry!(RevokeSecurityGroupIngressRequest, ec2::security_group_rules::revoke_security_group_ingress),
        ec2_entry!(DescribeVpcsRequest, ec2::vpcs::describe_vpcs),
        ec2_entry!(DescribeSubnetsRequest, ec2::vpcs::describe_subnets),
        ec2_entry!(CreateImageRequest, ec2::create_image::create_image),
        ec2_entry!(EnableImageDeprecationRequest, ec2::image_lifecycle::enable_image_deprecation),
        ec2_entry!(DisableImageDeprecationRequest, ec2::image_lifecycle::disable_image_deprecation),
        ec2_entry!(
            EnableImageDeregistrationProtectionRequest,
            ec2::image_lifecycle::enable_image_deregistration_protection
        ),
        ec2_entry!(
            DisableImageDeregistrationProtectionRequest,
            ec2::image_lifecycle::disable_image_deregistration_protection
        ),
        ec2_entry!(CreateSnapshotRequest, ec2::create_snapshot::create_snapshot),
        ec2_entry!(CopySnapshotRequest, ec2::create_snapshot::copy_snapshot),
        ec2_entry!(DescribeSnapshotAttributeRequest, ec2::snapshot_attributes::describe_snapshot_attribute),
        ec2_entry!(ModifySnapshotAttributeRequest, ec2::snapshot_attributes::modify_snapshot_attribute),
        ec2_entry!(GetEbsEncryptionByDefaultRequest, ec2::encryption::get_by_default),
        ec2_entry!(EnableEbsEncryptionByDefaultRequest, ec2::encryption::enable_by_default),
        ec2_entry!(DisableEbsEncryptionByDefaultRequest, ec2::encryption::disable_by_default),
        ec2_entry!(GetEbsDefaultKmsKeyIdRequest, ec2::encryption::get_default_key),
        ec2_entry!(ModifyEbsDefaultKmsKeyIdRequest, ec2::encryption::modify_default_key),
        ec2_entry!(CreateLaunchTemplateRequest, ec2::launch_templates::create_launch_template),
        ec2_entry!(DeleteLaunchTemplateRequest, ec2::launch_templates::delete_launch_template),
        ec2_entry!(CreateFleetRequest, ec2::fleets::create_fleet),
    ]
}

fn ebs_entries() -> Vec<Entry> {
    vec![
        entry(direct::start::start_snapshot as fn(&Call, &ebs::StartSnapshotRequest) -> _),
        entry(direct::put::put_snapshot_block as fn(&Call, &ebs::PutSnapshotBlockRequest) -> _),
        entry(direct::get::get_snapshot_block as fn(&Call, &ebs::GetSnapshotBlockRequest) -> _),
        entry(direct::complete::complete_snapshot as fn(&Call, &ebs::CompleteSnapshotRequest) -> _),
        entry(direct::list::list_snapshot_blocks as fn(&Call, &ebs::ListSnapshotBlocksRequest) -> _),
        entry(direct::list::list_changed_blocks as fn(&Call, &ebs::ListChangedBlocksRequest) -> _),
    ]
}

fn ssm_entries() -> Vec<Entry> {
    vec![
        entry(ssm::put::put_parameter as fn(&Call, &parameters::PutParameterRequest) -> _),
        entry(ssm::put::delete_parameter as fn(&Call, &parameters::DeleteParameterRequest) -> _),
        entry(ssm::get::get_parameter as fn(&Call, &parameters::GetParameterRequest) -> _),
        entry(ssm::get::get_parameters as fn(&Call, &parameters::GetParametersRequest) -> _),
        entry(ssm::list::get_parameters_by_path as fn(&Call, &parameters::GetParametersByPathRequest) -> _),
        entry(ssm::list::get_parameter_history as fn(&Call, &parameters::GetParameterHistoryRequest) -> _),
    ]
}

fn entry<O: Operation>(handle: fn(&Call, &O) -> Answer<O::Answer>) -> Entry {
    Entry {
        action: O::ACTION,
        method: O::METHOD,
        path: O::PATH,
        run: Box::new(move |call, request, request_id| {
            let answer = handle(call, &decode::<O>(request)?)?;
            Ok(encode_answer::<O>(&answer, request_id))
        }),
    }
}

/// Reads a request; what does not fit is refused in the service's own code.
fn decode<O: Operation>(request: &Request<Bytes>) -> Answer<O> {
    decode_request::<O>(request).or_else(|error| match O::SERVICE {
        Service::Ec2 => refuse("InvalidParameterValue", error.to_string()),
        Service::Ebs => direct::refusal::invalid("INVALID_PARAMETER_VALUE", error.to_string()),
        Service::Iam => refuse("ValidationError", error.to_string()),
        Service::Ssm | Service::Sts => refuse("ValidationException", error.to_string()),
    })
}

/// The operation that a request to `service` asks for.
pub(crate) fn find_entry(service: Service, request: &Request<Bytes>) -> Answer<&'static Entry> {
    let entries = table().get(&service).map(Vec::as_slice).unwrap_or_default();
    let action = match service.protocol() {
        Protocol::RestJson => {
            let path = request.uri().path();
            let found = entries.iter().find(|entry| request.method() == entry.method && fits(entry.path, path));
            return match found {
                Some(entry) => Ok(entry),
                None => Err(ApiError::client(
                    "UnknownOperationException",
                    format!("{} {path} is no operation", request.method()),
                )
                .with_status(404)
                .into()),
            };
        }
        Protocol::Json => {
            let target =
                request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            target.rsplit('.').next().unwrap_or_default().to_owned()
        }
        Protocol::Ec2 | Protocol::Query => form_field(request, "Action").unwrap_or_default(),
    };
    let code = if service.protocol() == Protocol::Json { "UnknownOperationException" } else { "InvalidAction" };
    let found = entries.iter().find(|entry| entry.action == action);
    found.map_or_else(
        || {
            refuse(
                code,
                format!("The action `{action}` is not valid for this endpoint: the embedded EC2 does not have it"),
            )
        },
        Ok,
    )
}

fn form_field(request: &Request<Bytes>, name: &str) -> Option<String> {
    let body = std::str::from_utf8(request.body()).ok()?;
    let mut fields = decode_form(request.uri().query().unwrap_or_default()).ok()?;
    fields.extend(decode_form(body).ok()?);
    fields.into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// Does `path` fit a pattern with `{places}`?
fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(have)) if want == have || (want.starts_with('{') && !have.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_their_patterns_only() {
        assert!(fits("/snapshots/{snapshotId}/blocks/{blockIndex}", "/snapshots/snap-1/blocks/7"));
        assert!(fits("/snapshots", "/snapshots"));
        for path in [
            "/snapshots/snap-1/blocks",
            "/snapshots/snap-1/blocks/7/",
            "/snapshots//blocks/7",
            "/other/snap-1/blocks/7",
        ] {
            assert!(!fits("/snapshots/{snapshotId}/blocks/{blockIndex}", path), "{path}");
        }
    }

    #[test]
    fn every_action_stands_once() {
        for entries in table().values() {
            let mut actions: Vec<_> = entries.iter().map(|entry| entry.action).collect();
            actions.sort_unstable();
            let all = actions.len();
            actions.dedup();
            assert_eq!(actions.len(), all);
        }
    }
}
