//! Which provisioners make which layer.

use std::collections::BTreeMap;

use ovenbird_core::block::Digest;
use ovenbird_core::layer::LayerInputs;
use ovenbird_core::layer::LayerKey;
use ovenbird_core::layer::ParentRef;
use ovenbird_template::SourceAmi;

use super::Fate;
use super::PlannedLayer;
use super::draft::Draft;
use super::draft::draft;
use super::inputs;
use crate::error::BakeError;
use crate::provision::Run;
use crate::request::Request;
use crate::sandbox::Tmp;
use crate::source::Source;

/// The layers of a bake from `source`: each is a provisioner that changes the image, with those before it that do not. Those after the
/// last one belong to it.
///
/// # Errors
/// As [`draft`].
pub(super) fn plan(
    request: &Request,
    source: &Source,
    ami: &SourceAmi,
    archive: Digest,
) -> Result<Vec<PlannedLayer>, BakeError> {
    let groups = grouped(request, ami)?;
    let count = groups.len();
    let mut parent = ParentRef::Base { snapshot: source.snapshot.clone(), content: source.image.clone() };
    let (mut layers, mut shares) = (Vec::new(), false);
    for (number, group) in groups.into_iter().enumerate() {
        shares |= group.iter().any(|draft| draft.run.work.shares_tmp());
        let tmp = match (shares, number + 1 == count) {
            (false, _) => Tmp::OfItsOwn,
            (true, false) => Tmp::Kept,
            (true, true) => Tmp::Cleared,
        };
        let layer = layer(request, source, (parent, archive, tmp), group)?;
        parent = ParentRef::Layer(layer.key);
        layers.push(layer);
    }
    Ok(layers)
}

fn grouped(request: &Request, ami: &SourceAmi) -> Result<Vec<Vec<Draft>>, BakeError> {
    let (mut groups, mut open): (Vec<Vec<Draft>>, Vec<Draft>) = (Vec::new(), Vec::new());
    for provisioner in &request.build.provisioners {
        let draft = draft(request, provisioner, ami)?;
        let is_layer = draft.run.work.changes_image();
        open.push(draft);
        if is_layer {
            groups.push(std::mem::take(&mut open));
        }
    }
    match groups.last_mut() {
        Some(last) => last.extend(open),
        None if !open.is_empty() => groups.push(open),
        None => {}
    }
    Ok(groups)
}

fn layer(
    request: &Request,
    source: &Source,
    (parent, archive, tmp): (ParentRef, Digest, Tmp),
    group: Vec<Draft>,
) -> Result<PlannedLayer, BakeError> {
    let changing = group.iter().position(|draft| draft.run.work.changes_image());
    let title = group[changing.unwrap_or_default()].run.title.clone();
    let is_play = group.iter().any(|draft| matches!(draft.run.work, crate::provision::Work::Play(..)));
    let (mut files, mut options, mut runs) = (BTreeMap::new(), BTreeMap::new(), Vec::<Run>::new());
    for (number, draft) in group.into_iter().enumerate() {
        // Names of what is run beside the layer's own must not hide the layer's.
        let prefix = if changing.is_none_or(|changing| changing == number) {
            String::new()
        } else {
            format!("beside {number}: ")
        };
        files.extend(draft.files.into_iter().map(|(name, digest)| (format!("{prefix}{name}"), digest)));
        options.extend(draft.options.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
        runs.push(draft.run);
    }
    if tmp != Tmp::OfItsOwn {
        options.insert("tmp".to_owned(), if tmp == Tmp::Kept { "kept" } else { "cleared" }.to_owned());
    }
    // Layers above are over this one, and so have its key.
    if let (ParentRef::Base { .. }, Some(key)) = (&parent, &source.copy_key) {
        options.insert("encryption".to_owned(), key.clone());
    }
    let inputs = LayerInputs {
        parent,
        files,
        options,
        tools: inputs::tools(request, is_play)?,
        architecture: source.architecture.clone(),
        archive,
    };
    let key: LayerKey = inputs.key();
    Ok(PlannedLayer { title, runs, tmp, inputs, key, fate: Fate::Run { why: Vec::new() } })
}
