//! A layer on its way from the disk to AWS.

use std::collections::BTreeMap;

use ovenbird_core::block::BlockMap;
use ovenbird_core::block::Change;
use ovenbird_core::layer::LayerKey;

/// What the steps that keep a layer know of it.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) layer: LayerKey,
    /// The snapshot that receives it.
    pub(crate) snapshot: String,
    /// What the disk holds.
    pub(crate) map: BlockMap,
    /// What of it differs from the snapshot below.
    pub(crate) changes: BTreeMap<u32, Change>,
    /// AWS was told that these are all.
    pub(crate) is_said_whole: bool,
}
