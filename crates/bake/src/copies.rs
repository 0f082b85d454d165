//! Copies of an image in other regions: of a bake that was cut off they are found by its journal, which says where it was copying to,
//! and by its tag there.

use std::collections::BTreeSet;

use ovenbird_aws::Client;
use serde::Serialize;

use crate::error::BakeError;
use crate::folder::BakeFolder;
use crate::images::deregister;
use crate::images::list_snapshots;
use crate::images::list_unpublished_images;
use crate::journal;
use crate::journal::Entry;
use crate::remote::undo_snapshot;

/// How the step's name begins; the region follows.
const STEP: &str = "copy image to ";

/// The name of the step that copies to `region`.
pub(crate) fn step_name(region: &str) -> String {
    format!("{STEP}{region}")
}

/// A copy that was not published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// Where it is.
    pub region: String,
    /// `ami-…`
    pub image: String,
}

/// The copies of a bake that is gone and did not publish them.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn find_copies(client: &Client, folder: &BakeFolder) -> Result<Vec<Copy>, BakeError> {
    let mut found = Vec::new();
    for region in regions(&journal::read(&folder.path)) {
        let images = list_unpublished_images(&client.in_region(&region), &folder.id).await?;
        found.extend(images.into_iter().map(|image| Copy { region: region.clone(), image }));
    }
    Ok(found)
}

/// Takes back a copy, with its snapshots: they are its own, unlike those in the home region, which are layers.
///
/// # Errors
/// AWS's refusals.
pub(crate) async fn undo_copy(client: &Client, copy: &Copy) -> Result<(), BakeError> {
    let client = client.in_region(&copy.region);
    let snapshots = list_snapshots(&client, &copy.image).await?;
    deregister(&client, &copy.image).await?;
    for snapshot in snapshots {
        undo_snapshot(&client, &snapshot).await?;
    }
    Ok(())
}

/// Where the bake was about to copy its image to.
fn regions(entries: &[Entry]) -> BTreeSet<String> {
    let region = |entry: &Entry| match entry {
        Entry::Starts { step } => step.strip_prefix(STEP).map(str::to_owned),
        _ => None,
    };
    entries.iter().filter_map(region).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_says_where_copies_may_be() {
        let starts = |step: &str| Entry::Starts { step: step.to_owned() };
        let entries = [
            starts("register image"),
            starts(&step_name("eu-west-1")),
            Entry::Done { step: step_name("eu-west-1") },
            starts(&step_name("us-east-2")),
            starts(&step_name("eu-west-1")),
        ];
        assert_eq!(regions(&entries), ["eu-west-1", "us-east-2"].map(str::to_owned).into());
    }
}
