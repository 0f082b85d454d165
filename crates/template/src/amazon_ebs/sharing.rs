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
    /// Product codes of the Marketplace.
    pub product_codes: Vec<String>,
    /// Accounts that may make volumes of its snapshots.
    pub snapshot_users: Vec<String>,
    /// `all`: everybody may make volumes of its snapshots.
    pub snapshot_groups: Vec<String>,
}

impl Sharing {
    /// Whether nobody else may use it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        *self == Self::default()
    }
}

pub(super) fn read(fields: &Fields<'_>) -> Sharing {
    let texts = |name: &str| fields.texts(name).into_iter().filter(|text| !text.is_empty()).collect();
    Sharing {
        users: texts("ami_users"),
        groups: texts("ami_groups"),
        organizations: texts("ami_org_arns"),
        organizational_units: texts("ami_ou_arns"),
        product_codes: texts("ami_product_codes"),
        snapshot_users: texts("snapshot_users"),
        snapshot_groups: texts("snapshot_groups"),
    }
}
