//! The metadata service of an instance (169.254.169.254), and what it answers.

mod document;
pub mod respond;
pub mod serve;
pub mod token;
pub mod tree;

use jiff::Timestamp;

pub(crate) use document::sibling_id;

/// What the metadata service needs to know, asked anew at every request, so that tags and credentials are current.
pub trait MetadataSource: Send + Sync {
    /// The instance as it is now.
    fn facts(&self) -> InstanceFacts;
    /// Credentials of the instance's role; `None` where it has no profile.
    fn credentials(&self) -> Option<RoleCredentials>;
    /// The clock of the endpoint.
    fn now(&self) -> Timestamp;
}

/// The facts behind the metadata tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceFacts {
    /// `i-…`
    pub instance_id: String,
    /// `ami-…`
    pub image_id: String,
    /// Such as `t3.micro`.
    pub instance_type: String,
    /// The owner's account id.
    pub account: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `us-east-1a`.
    pub zone: String,
    /// Such as `use1-az1`.
    pub zone_id: String,
    /// Address of `eth0`.
    pub private_ip: String,
    /// The address that DescribeInstances shows as the public one; `None` where it has none.
    pub public_ip: Option<String>,
    /// Ethernet address of `eth0`.
    pub mac: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// When it was launched, RFC 3339.
    pub pending_time: String,
    /// User data as given (decoded from base64); `None` where there is none.
    pub user_data: Option<Vec<u8>>,
    /// The key pair's name and OpenSSH public key.
    pub public_key: Option<(String, String)>,
    /// Names of the security groups.
    pub security_groups: Vec<String>,
    /// Name of the role behind the instance profile.
    pub role: Option<String>,
    /// Is a token needed (`HttpTokens=required`)?
    pub tokens_required: bool,
    /// `meta-data/tags/instance`, where `InstanceMetadataTags=enabled`.
    pub tags: Option<Vec<(String, String)>>,
}

/// Temporary credentials, as `iam/security-credentials/ROLE` answers them.
#[derive(Clone, PartialEq, Eq)]
pub struct RoleCredentials {
    /// Access key id; temporary ones begin with `ASIA`.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token.
    pub token: String,
    /// Until when they hold.
    pub expiration: Timestamp,
}
