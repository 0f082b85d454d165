//! What a template may ask of its surroundings, as plain values.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The Packer whose behaviour is followed: what `packer_version` answers, and the most that `min_packer_version` may ask for.
pub const PACKER_VERSION: &str = "1.16.0";

/// The surroundings of a bake. One instant serves the whole template, so that times in it agree.
#[derive(Clone, Debug)]
pub struct Context {
    /// The instant of the bake: `isotime`, `strftime`, `timestamp`, `uuid`.
    pub instant: Timestamp,
    /// The folder of the template: `template_dir`.
    pub template_dir: String,
    /// The working folder: `pwd`. Relative paths of the recipe count from here, as in Packer.
    pub pwd: String,
    /// Environment variables: `env`, within `variables`.
    pub environment: BTreeMap<String, String>,
    /// Random bits that `uuid` grows from.
    pub seed: u64,
}
