//! The metadata phase: user data under the image's schema.

use ovenbird_core::metadata;
use ovenbird_core::metadata::Metadata;
use ovenbird_core::metadata::MetadataError;
use ovenbird_core::metadata::Schema;

use crate::fault::Fault;
use crate::files::find_file;
use crate::imds::Imds;
use crate::settings::Root;
use crate::time::Deadline;

/// Reads what the image takes.
///
/// # Errors
/// When the image has no schema, or one that cannot be used.
pub fn read_schema(root: &Root) -> Result<Schema, Fault> {
    let path = root.schema();
    let Some(bytes) = find_file(&path)? else {
        return Err(Fault::lasting(format!("the image has no metadata schema at {}", path.display())));
    };
    Schema::parse(&bytes).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Fault::lasting(format!("{error}{cause}"))
    })
}

/// Fetches the user data and checks it.
///
/// # Errors
/// When it cannot be had before the deadline, or does not fit the schema.
pub fn fetch_metadata(imds: &Imds, schema: &Schema, deadline: &Deadline) -> Result<Metadata, Fault> {
    let bytes = imds.find_user_data(deadline)?.unwrap_or_default();
    metadata::parse(&bytes, schema).map_err(|error: MetadataError| Fault::lasting(error.to_string()))
}
