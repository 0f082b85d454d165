//! `ovenbird plan`: arguments; `bake` shares the work.

use super::bake::Choices;
use crate::template::Given;

/// Show what a bake would do, layer by layer, and why; changes nothing
///
/// Shows, for each layer of a service's template, whether it would be reused or which input changed; changes nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The service
    pub(crate) service: String,
    #[command(flatten)]
    pub(crate) given: Given,
    #[command(flatten)]
    pub(crate) choices: Choices,
}
