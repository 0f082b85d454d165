//! Who may use an image.

use crate::fields::Fields;

/// Who may use the image, besides the account itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Accounts that may launch it.
    pub users: Vec<String>,
    /// `all`: everybody may launch it.
    pub groups: Vec<String>,
    /// Organizations, by ARN.
    pub organizations: Vec<String>,
    /// Organizational units, by ARN.
    pub organizational_units: Vec<String>,
    /// Accounts that may make volumes of its snapshots.
    pub snapshot_users: Vec<String>,
    /// `all`: everybody may make volumes of its snapshots.
    pub snapshot_groups: Vec<String>,
}

/// The options that share an image or its snapshots.
const SHARES: [&str; 6] =
    ["ami_users", "ami_groups", "ami_org_arns", "ami_ou_arns", "snapshot_users", "snapshot_groups"];

impl Sharing {
    /// Whether nobody else may use it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn read(fields: &Fields<'_>) -> Sharing {
    check_key(fields);
    let texts = |name: &str| fields.texts(name).into_iter().filter(|text| !text.is_empty()).collect();
    Sharing {
        users: texts("ami_users"),
        groups: texts("ami_groups"),
        organizations: texts("ami_org_arns"),
        organizational_units: texts("ami_ou_arns"),
        snapshot_users: texts("snapshot_users"),
        snapshot_groups: texts("snapshot_groups"),
    }
}

/// Whoever an image is shared with needs its key too, and nobody can be given the account's default one. (EBS user guide, "Share a
/// KMS key"; Packer refuses it too)
fn check_key(fields: &Fields<'_>) {
    let is_asked = |name: &&&str| fields.texts(name).iter().any(|text| !text.is_empty());
    let Some(shared) = SHARES.iter().find(is_asked) else { return };
    let Some(node) = fields.find(shared) else { return };
    let has_key = fields.text("kms_key_id").is_some_and(|key| !key.is_empty());
    if fields.boolean("encrypt_boot") == Some(true) && !has_key {
        let help = "name a key of your own in kms_key_id, and let those accounts use it".to_owned();
        fields.findings.error(
            &node.span,
            "what is encrypted with the account's default key cannot be shared",
            Some(help),
        );
    }
    let keys = fields.map("region_kms_key_ids", |member| fields.scalar(&member.key, &member.node));
    if let Some((region, _)) = keys.iter().find(|(_, key)| key.is_empty()) {
        let help = format!("name a key of your own for `{region}` in region_kms_key_ids");
        let message = format!("the copy in `{region}` has the account's default key there, and cannot be shared");
        fields.findings.error(&node.span, message, Some(help));
    }
}
