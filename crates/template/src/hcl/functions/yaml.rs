//! YAML, as Packer reads and writes it. (github.com/zclconf/go-cty-yaml at v1.0.1)

mod read;
mod scalars;
mod write;

pub(super) use self::read::read;
pub(super) use self::write::write;
