//! The steps of a bake, one file each.

mod complete_snapshot;
mod copy_disk;
mod fetch_base;
mod inspect_disk;
mod own_base;
mod publish_image;
mod put_blocks;
mod read_package_lists;
mod register_image;
mod run_layer;
mod start_snapshot;
mod write_manifest;

pub(crate) use complete_snapshot::CompleteSnapshot;
pub(crate) use copy_disk::CopyDisk;
pub(crate) use fetch_base::FetchBase;
pub(crate) use inspect_disk::InspectDisk;
pub(crate) use own_base::OwnBase;
pub(crate) use publish_image::PublishImage;
pub(crate) use put_blocks::PutBlocks;
pub(crate) use read_package_lists::ReadPackageLists;
pub(crate) use read_package_lists::has_fresh_lists;
pub(crate) use register_image::RegisterImage;
pub(crate) use run_layer::RunLayer;
pub(crate) use start_snapshot::StartSnapshot;
pub(crate) use write_manifest::WriteManifest;
