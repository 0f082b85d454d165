//! Every option of `amazon-ebs`, and what becomes of it.

use crate::options::Row;
use crate::options::Treatment::Honoured;
use crate::options::Treatment::Noted;
use crate::options::Treatment::Refused;

const LAUNCHED: &str = "a direct bake launches no instance, so this changes nothing";
const SPOT: &str = "a direct bake launches no instance, so there is nothing to save";
const POLLS: &str = "Ovenbird polls and retries by its own rules";
const CREDENTIALS: &str =
    "credentials come from AWS's own chain: use AWS_PROFILE, `aws sso login`, or a role of the machine";
const SHARING: &str = "share the image after the bake: aws ec2 modify-image-attribute --launch-permission";
const REGIONS: &str = "copy the image after the bake: aws ec2 copy-image";
const ENCRYPTION: &str =
    "turn on EBS encryption by default for the account and region: aws ec2 enable-ebs-encryption-by-default";
const RETIREMENT: &str = "a bake never deletes an image: give `ami_name` a time, such as {{isotime \"2006-01-02 1504\"}}, and let `ovenbird cleanup` retire old ones";
const WINDOWS: &str = "Windows images are not supported";
const INHERITED: &str = "the image takes this from its source image";

pub(crate) const OPTIONS: &[Row] = &[
    (&["type", "name"], Honoured),
    (&["region", "source_ami", "source_ami_filter", "instance_type", "ssh_username"], Honoured),
    (&["ami_name", "ami_description", "skip_ami_run_tags"], Honoured),
    (&["tags", "tag", "snapshot_tags", "snapshot_tag", "run_tags", "run_tag"], Honoured),
    (&["launch_block_device_mappings", "ami_block_device_mappings", "communicator"], Honoured),
    (&["run_volume_tags", "run_volume_tag", "spot_tags", "spot_tag", "fleet_tags", "fleet_tag"], Noted(LAUNCHED)),
    // Network and access of the build instance.
    (
        &["vpc_id", "vpc_filter", "subnet_id", "subnet_filter", "availability_zone", "associate_public_ip_address"],
        Noted(LAUNCHED),
    ),
    (&["security_group_id", "security_group_ids", "security_group_filter"], Noted(LAUNCHED)),
    (&["temporary_security_group_source_cidr", "temporary_security_group_source_cidrs"], Noted(LAUNCHED)),
    (
        &["temporary_security_group_source_public_ip", "temporary_key_pair_name", "temporary_key_pair_type"],
        Noted(LAUNCHED),
    ),
    (
        &["temporary_key_pair_bits", "iam_instance_profile", "temporary_iam_instance_profile_policy_document"],
        Noted(LAUNCHED),
    ),
    (
        &["skip_profile_validation", "ssh_interface", "session_manager_port", "pause_before_ssm", "metadata_options"],
        Noted(LAUNCHED),
    ),
    (
        &["ssh_host", "ssh_port", "ssh_password", "ssh_keypair_name", "ssh_private_key_file", "ssh_certificate_file"],
        Noted(LAUNCHED),
    ),
    (
        &["ssh_ciphers", "ssh_clear_authorized_keys", "ssh_key_exchange_algorithms", "ssh_pty", "ssh_timeout"],
        Noted(LAUNCHED),
    ),
    (
        &["ssh_wait_timeout", "ssh_agent_auth", "ssh_disable_agent_forwarding", "ssh_handshake_attempts"],
        Noted(LAUNCHED),
    ),
    (&["ssh_bastion_host", "ssh_bastion_port", "ssh_bastion_agent_auth", "ssh_bastion_username"], Noted(LAUNCHED)),
    (&["ssh_bastion_password", "ssh_bastion_interactive", "ssh_bastion_private_key_file"], Noted(LAUNCHED)),
    (
        &["ssh_bastion_certificate_file", "ssh_file_transfer_method", "ssh_proxy_host", "ssh_proxy_port"],
        Noted(LAUNCHED),
    ),
    (
        &["ssh_proxy_username", "ssh_proxy_password", "ssh_keep_alive_interval", "ssh_read_write_timeout"],
        Noted(LAUNCHED),
    ),
    (&["ssh_remote_tunnels", "ssh_local_tunnels", "pause_before_connecting", "ssh_private_ip"], Noted(LAUNCHED)),
    (
        &["user_data", "user_data_file", "ebs_optimized", "enable_t2_unlimited", "enable_unlimited_credits"],
        Noted(LAUNCHED),
    ),
    (&["shutdown_behavior", "disable_stop_instance", "enable_nitro_enclave", "placement", "tenancy"], Noted(LAUNCHED)),
    (
        &["capacity_reservation_preference", "capacity_reservation_id", "capacity_reservation_group_arn"],
        Noted(LAUNCHED),
    ),
    (&["license_specifications", "windows_password_timeout", "no_ephemeral"], Noted(LAUNCHED)),
    (&["spot_price", "spot_price_auto_product", "spot_instance_types", "spot_allocation_strategy"], Noted(SPOT)),
    (&["block_duration_minutes"], Noted(SPOT)),
    // What the image has anyway.
    (&["ena_support", "sriov_support", "ami_virtualization_type"], Noted(INHERITED)),
    (&["imds_support"], Noted("every image is registered so that its instances need IMDSv2")),
    // How Packer calls AWS.
    (&["max_retries", "aws_polling", "decode_authorization_messages"], Noted(POLLS)),
    (&["skip_region_validation", "skip_metadata_api_check", "skip_credential_validation"], Noted(POLLS)),
    (&["skip_save_build_region"], Noted("the image is made in its own region at once")),
    (&["profile"], Refused("set AWS_PROFILE, or give the environment a profile in ovenbird.toml")),
    (&["access_key", "secret_key", "token", "mfa_code", "shared_credentials_file"], Refused(CREDENTIALS)),
    (&["vault_aws_engine"], Refused(CREDENTIALS)),
    (
        &["assume_role", "assume_role_with_web_identity"],
        Refused("use a profile with role_arn in ~/.aws/config, and AWS_PROFILE"),
    ),
    (&["custom_endpoint_ec2"], Refused("set AWS_ENDPOINT_URL")),
    (&["insecure_skip_tls_verify"], Refused("add the endpoint's certificate to the machine's trusted ones")),
    // What becomes of the image.
    (&["ami_users", "ami_groups", "ami_org_arns", "ami_ou_arns", "ami_product_codes"], Refused(SHARING)),
    (&["snapshot_users", "snapshot_groups"], Refused(SHARING)),
    (&["ami_regions", "region_kms_key_ids", "snapshot_copy_duration_minutes"], Refused(REGIONS)),
    (&["encrypt_boot", "kms_key_id"], Refused(ENCRYPTION)),
    (&["force_deregister", "force_delete_snapshot"], Refused(RETIREMENT)),
    (&["deprecate_at"], Refused("when the image is baked: aws ec2 enable-image-deprecation")),
    (
        &["deregistration_protection"],
        Refused("cleanup keeps what a pointer names; to protect more: aws ec2 enable-image-deregistration-protection"),
    ),
    (
        &["skip_create_ami"],
        Refused("`ovenbird plan` shows what a bake would do, and `ovenbird validate` checks the template"),
    ),
    (&["fast_launch"], Refused(WINDOWS)),
    (
        &["winrm_username", "winrm_password", "winrm_host", "winrm_port", "winrm_timeout", "winrm_use_ssl"],
        Refused(WINDOWS),
    ),
    (&["winrm_insecure", "winrm_use_ntlm", "winrm_no_proxy"], Refused(WINDOWS)),
];

/// `source_ami_filter`.
pub(super) const FILTER_OPTIONS: &[Row] = &[
    (&["filters", "filter", "owners", "most_recent", "include_deprecated"], Honoured),
    (&["random"], Refused("use most_recent")),
];

/// A block device mapping.
pub(super) const DEVICE_OPTIONS: &[Row] = &[
    (&["device_name", "volume_size", "volume_type", "iops", "throughput", "encrypted", "kms_key_id"], Honoured),
    (&["snapshot_id", "delete_on_termination", "no_device", "virtual_name"], Honoured),
];
