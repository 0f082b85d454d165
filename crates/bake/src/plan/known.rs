//! Layers that this machine has baked, with their inputs: what makes "why is this not reused?" answerable.

use ovenbird_core::layer::Difference;
use ovenbird_core::layer::LayerInputs;
use serde::Deserialize;
use serde::Serialize;

use super::PlannedLayer;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::folder::Folders;

/// Differences that are worth reading; past that, everything changed.
const MOST: usize = 8;

/// A layer as it was baked.
#[derive(Serialize, Deserialize)]
struct Known {
    title: String,
    inputs: LayerInputs,
}

/// Keeps a layer's inputs, to compare later ones with.
pub(crate) fn remember(folders: &Folders, layer: &PlannedLayer) -> Result<(), BakeError> {
    let known = Known { title: layer.title.clone(), inputs: layer.inputs.clone() };
    let text = serde_json::to_string(&known).map_err(working("write a layer's inputs"))?;
    write_atomically(&folders.cache.join("layers").join(format!("{}.json", layer.key.hex())), &text)
}

/// What differs from the nearest layer that is known: first of all one on the same layer below, then one with the fewest changes.
pub(super) fn why_not(folders: &Folders, layer: &PlannedLayer) -> Vec<String> {
    let nearest = list(folders)
        .into_iter()
        .filter(|known| known.title == layer.title)
        .map(|known| known.inputs.difference(&layer.inputs))
        .min_by_key(|differences| (differences.iter().any(is_below), differences.len()));
    match nearest {
        None => vec!["this machine has not baked it before".to_owned()],
        Some(differences) if differences.is_empty() => {
            vec!["it was baked before, but AWS does not have its snapshot any more".to_owned()]
        }
        Some(differences) => {
            let more = differences.len().saturating_sub(MOST);
            let told = differences.iter().take(MOST).map(ToString::to_string);
            told.chain((more > 0).then(|| format!("and {more} more differences"))).collect()
        }
    }
}

fn is_below(difference: &Difference) -> bool {
    matches!(difference, Difference::Parent { .. })
}

/// Unreadable records answer no question, and do no harm.
fn list(folders: &Folders) -> Vec<Known> {
    let Ok(entries) = fs_err::read_dir(folders.cache.join("layers")) else { return Vec::new() };
    entries.filter_map(|entry| serde_json::from_slice(&fs_err::read(entry.ok()?.path()).ok()?).ok()).collect()
}
