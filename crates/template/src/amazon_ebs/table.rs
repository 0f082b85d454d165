//! Every option of `amazon-ebs`, and what becomes of it. (packer.md 1.4; packer-plugin-amazon, builder/ebs and common)

use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::LaunchOnly;
use crate::options::Treatment::Noted;
use crate::options::Treatment::Refused;
use crate::options::Treatment::SameAs;

const POLLS: &str = "Ovenbird polls and retries by its own rules";
const CREDENTIALS: &str =
    "credentials come from AWS's own chain: use AWS_PROFILE, `aws sso login`, or a role of the machine";
const WINDOWS: &str = "Windows images are not supported";
const PASSWORDS: &str =
    "nobody logs in with a password: remove it, or name a key in ssh_private_key_file or ssh_bastion_private_key_file";
const PROXY: &str = "connections go through OpenSSH: use ssh_bastion_host, or a ProxyCommand in ~/.ssh/config";
const OPENSSH: &str = "connections go through OpenSSH, which settles this by itself";
const NO_IMAGE: &str = "a bake is for its image, and verifies it: bake it and let cleanup take it; to look at the template alone, use `ovenbird plan`";
const PRODUCT_CODES: &str = "EC2 no longer takes product codes from the owner of an image: list the image in the AWS Marketplace, which gives it one";
const OWN_ADDRESS: &str = "the bake's own security group lets in the baking machine's address alone anyway";

/// Every option, in groups.
pub(crate) fn options() -> Vec<Row> {
    [IMAGE, DEVICES, INSTANCE, ACCESS, CALLS].concat()
}

/// The image: what it is made from, and what becomes of it.
pub(super) const IMAGE: &[Row] = &[
    (&["type", "name"], Honoured),
    (&["region", "source_ami", "source_ami_filter"], Honoured),
    (&["ami_name", "ami_description", "skip_ami_run_tags"], Honoured),
    (&["tags", "tag", "snapshot_tags", "snapshot_tag", "run_tags", "run_tag"], Honoured),
    (&["ami_block_device_mappings"], Honoured),
    (&["ami_users", "ami_groups", "ami_org_arns", "ami_ou_arns"], Honoured),
    (&["ami_product_codes"], Refused(PRODUCT_CODES)),
    (&["snapshot_users", "snapshot_groups"], Honoured),
    (&["ami_regions", "region_kms_key_ids", "snapshot_copy_duration_minutes"], Honoured),
    (&["encrypt_boot", "kms_key_id", "imds_support"], Honoured),
    (&["force_deregister", "force_delete_snapshot", "deprecate_at", "deregistration_protection"], Honoured),
    (&["skip_create_ami"], Refused(NO_IMAGE)),
    (&["ena_support", "sriov_support"], Noted("every image is registered with both, as today's instance types need")),
    (&["ami_virtualization_type"], Noted("every image is registered as hvm")),
    (&["skip_save_build_region"], Noted("the image is made in its own region at once")),
];

const DEVICES: &[Row] = &[(&["launch_block_device_mappings"], Honoured)];

/// The instance that is launched.
const INSTANCE: &[Row] = &[
    (&["instance_type"], Honoured),
    (&["vpc_id", "vpc_filter", "subnet_id", "subnet_filter", "availability_zone"], LaunchOnly),
    (&["associate_public_ip_address", "security_group_id", "security_group_ids", "security_group_filter"], LaunchOnly),
    (&["temporary_security_group_source_cidr", "temporary_security_group_source_cidrs"], LaunchOnly),
    (&["temporary_security_group_source_public_ip"], Noted(OWN_ADDRESS)),
    (&["iam_instance_profile", "user_data", "user_data_file", "run_volume_tags", "run_volume_tag"], LaunchOnly),
    (
        &["temporary_iam_instance_profile_policy_document"],
        Refused("a bake makes no roles: make an instance profile once, and name it in iam_instance_profile"),
    ),
    (&["skip_profile_validation"], Noted("EC2 itself says whether the profile exists")),
    (&["ebs_optimized", "metadata_options", "shutdown_behavior", "disable_stop_instance"], LaunchOnly),
    (&["enable_unlimited_credits", "enable_t2_unlimited", "enable_nitro_enclave"], LaunchOnly),
    (&["placement", "tenancy", "license_specifications"], LaunchOnly),
    (&["capacity_reservation_preference", "capacity_reservation_id", "capacity_reservation_group_arn"], LaunchOnly),
    (&["spot_price", "spot_instance_types"], LaunchOnly),
    (&["spot_allocation_strategy"], Noted("types and subnets are tried in the template's order")),
    (
        &["spot_tags", "spot_tag", "fleet_tags", "fleet_tag"],
        Noted("no fleet is made, and a spot instance has run_tags"),
    ),
    (&["spot_price_auto_product"], Noted("Packer ignores it too: the price on demand is the most that is paid")),
    (&["block_duration_minutes"], Refused("AWS no longer sells spot blocks: remove it")),
    (&["no_ephemeral"], Noted("an instance has no ephemeral volumes unless a mapping names them")),
    (&["fast_launch", "windows_password_timeout"], Refused(WINDOWS)),
];

/// How to log in to it.
const ACCESS: &[Row] = &[
    (&["communicator", "ssh_username"], Honoured),
    (&["ssh_host", "ssh_port", "ssh_interface", "ssh_timeout", "ssh_wait_timeout"], LaunchOnly),
    (&["ssh_handshake_attempts"], Noted("a login is tried until ssh_timeout is over")),
    (&["ssh_private_key_file", "ssh_keypair_name", "ssh_agent_auth"], LaunchOnly),
    (&["ssh_certificate_file", "ssh_bastion_certificate_file"], Refused("log in with a key alone")),
    (
        &["temporary_key_pair_name", "temporary_key_pair_type", "temporary_key_pair_bits"],
        Noted("each bake has an ed25519 key of its own, named after it"),
    ),
    (&["ssh_pty", "ssh_disable_agent_forwarding", "ssh_keep_alive_interval", "ssh_read_write_timeout"], Noted(OPENSSH)),
    (&["ssh_ciphers", "ssh_key_exchange_algorithms", "ssh_file_transfer_method"], Noted(OPENSSH)),
    (&["ssh_remote_tunnels", "ssh_local_tunnels", "pause_before_connecting", "session_manager_port"], LaunchOnly),
    (&["ssh_bastion_host", "ssh_bastion_port", "ssh_bastion_username", "ssh_bastion_agent_auth"], LaunchOnly),
    (&["ssh_bastion_private_key_file"], LaunchOnly),
    (&["ssh_clear_authorized_keys"], Noted("the bake's key never stays in the image")),
    (&["pause_before_ssm"], Noted("a session is tried until it stands")),
    (&["ssh_password", "ssh_bastion_password", "ssh_bastion_interactive"], Refused(PASSWORDS)),
    (&["ssh_proxy_host", "ssh_proxy_port", "ssh_proxy_username", "ssh_proxy_password"], Refused(PROXY)),
    (
        &["winrm_username", "winrm_password", "winrm_host", "winrm_port", "winrm_timeout", "winrm_use_ssl"],
        Refused(WINDOWS),
    ),
    (&["winrm_insecure", "winrm_use_ntlm", "winrm_no_proxy"], Refused(WINDOWS)),
];

/// How AWS is called.
pub(super) const CALLS: &[Row] = &[
    (&["max_retries", "aws_polling", "decode_authorization_messages"], Noted(POLLS)),
    (&["skip_region_validation", "skip_metadata_api_check", "skip_credential_validation"], Noted(POLLS)),
    (&["profile"], SameAs("AWS_PROFILE", "choose it with AWS_PROFILE or --profile")),
    (&["access_key"], SameAs("AWS_ACCESS_KEY_ID", CREDENTIALS)),
    (&["secret_key"], SameAs("AWS_SECRET_ACCESS_KEY", CREDENTIALS)),
    (&["token"], SameAs("AWS_SESSION_TOKEN", CREDENTIALS)),
    (&["shared_credentials_file"], SameAs("AWS_SHARED_CREDENTIALS_FILE", "set AWS_SHARED_CREDENTIALS_FILE")),
    (&["mfa_code", "vault_aws_engine"], Refused(CREDENTIALS)),
    (
        &["assume_role", "assume_role_with_web_identity"],
        Refused("use a profile with role_arn in ~/.aws/config, and AWS_PROFILE"),
    ),
    (&["custom_endpoint_ec2"], SameAs("AWS_ENDPOINT_URL", "set AWS_ENDPOINT_URL")),
    (&["insecure_skip_tls_verify"], Refused("add the endpoint's certificate to the machine's trusted ones")),
];

/// The blocks within it, each under its heading.
#[cfg(test)]
pub(crate) const BLOCKS: &[(&str, &[Row])] = &[
    ("Builder `amazon-chroot`, besides the image and the calls of `amazon-ebs`", super::chroot::OWN),
    ("`source_ami_filter` of `amazon-ebs`", super::source::OPTIONS),
    ("A block device mapping of `amazon-ebs`", super::device::OPTIONS),
    ("`vpc_filter` and `security_group_filter` of `amazon-ebs`", super::network::FILTER_OPTIONS),
    ("`subnet_filter` of `amazon-ebs`", super::network::SUBNET_OPTIONS),
    ("`metadata_options` of `amazon-ebs`", super::launch::METADATA_OPTIONS),
    ("`placement` of `amazon-ebs`", super::launch::PLACEMENT_OPTIONS),
    ("`license_specifications` of `amazon-ebs`", super::launch::LICENSE_OPTIONS),
    ("`license_configuration_request` of `license_specifications`", super::launch::LICENSE_REQUEST_OPTIONS),
    ("`deregistration_protection` of `amazon-ebs`", super::lifetime::PROTECTION_OPTIONS),
];
