//! Who this instance is, from the metadata service.

use serde::Serialize;

use crate::fault::Fault;
use crate::imds::Imds;
use crate::settings::Root;
use crate::time::Deadline;

/// The instance's own identity; the `instance` of the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// `i-…`
    pub id: String,
    /// Such as `eu-west-1`.
    pub region: String,
    /// Such as `eu-west-1a`.
    pub availability_zone: String,
    /// `ami-…`
    pub image_id: String,
    /// The primary private address.
    pub local_ipv4: String,
    /// Where the partition's services are, such as `amazonaws.com`.
    #[serde(skip)]
    pub domain: String,
    /// One URL for all services. Only the embedded EC2 has this item; EC2 answers 404.
    #[serde(skip)]
    pub endpoint_url: Option<String>,
}

impl Instance {
    /// Asks the metadata service.
    ///
    /// # Errors
    /// When it does not answer before the deadline, or not sensibly.
    pub fn fetch(imds: &Imds, deadline: &Deadline) -> Result<Self, Fault> {
        let item = |name: &str| imds.fetch(&format!("meta-data/{name}"), deadline);
        let instance = Self {
            id: item("instance-id")?,
            region: item("placement/region")?,
            availability_zone: item("placement/availability-zone")?,
            image_id: item("ami-id")?,
            local_ipv4: item("local-ipv4")?,
            domain: item("services/domain")?,
            endpoint_url: imds.find("meta-data/services/endpoint-url", deadline)?,
        };
        // The id becomes a file name.
        if is_instance_id(&instance.id) {
            Ok(instance)
        } else {
            Err(Fault::lasting("the metadata service gives something that is no instance id"))
        }
    }
}

fn is_instance_id(text: &str) -> bool {
    let digits = text.strip_prefix("i-").unwrap_or_default();
    matches!(digits.len(), 1..=32) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The instance's id without the metadata service, for the report of its failure: Nitro has it in the board's asset tag
/// (EC2 User Guide, "Identify EC2 Linux instances").
#[must_use]
pub fn find_id_in_firmware(root: &Root) -> Option<String> {
    let tag = std::fs::read_to_string(root.path("/sys/devices/virtual/dmi/id/board_asset_tag")).ok()?;
    Some(tag.trim().to_owned()).filter(|tag| is_instance_id(tag))
}
