//! The steps of a bake, one file each.

mod await_snapshot;
mod complete_snapshot;
mod connect;
mod copy_disk;
mod copy_image;
mod create_base;
mod create_image;
mod deprecate_image;
mod drop_stand_ins;
mod fetch_base;
mod import_key;
mod inspect_disk;
mod keep_disk;
mod launch_instance;
mod make_group;
mod own_base;
mod protect_image;
mod publish_base;
mod publish_image;
mod put_blocks;
mod read_package_lists;
mod register_image;
mod retire_image;
mod run_layer;
mod run_on_instance;
mod seal_instance;
mod share_image;
mod start_snapshot;
mod stop_instance;
mod write_manifest;

pub(crate) use await_snapshot::AwaitSnapshot;
pub(crate) use complete_snapshot::CompleteSnapshot;
pub(crate) use connect::Connect;
pub(crate) use copy_disk::CopyDisk;
pub(crate) use copy_image::CopyImage;
pub(crate) use create_base::CreateBase;
pub(crate) use create_image::CreateImage;
pub(crate) use deprecate_image::DeprecateImage;
pub(crate) use drop_stand_ins::DropStandIns;
pub(crate) use fetch_base::FetchBase;
pub(crate) use import_key::ImportKey;
pub(crate) use import_key::NAME as FIRST_OF_LAUNCH;
pub(crate) use inspect_disk::InspectDisk;
pub(crate) use keep_disk::KeepDisk;
pub(crate) use launch_instance::LaunchInstance;
pub(crate) use make_group::MakeGroup;
pub(crate) use own_base::OwnBase;
pub(crate) use protect_image::ProtectImage;
pub(crate) use publish_base::PublishBase;
pub(crate) use publish_image::PublishImage;
pub(crate) use put_blocks::PutBlocks;
pub(crate) use read_package_lists::ReadPackageLists;
pub(crate) use read_package_lists::has_fresh_lists;
pub(crate) use register_image::RegisterImage;
pub(crate) use retire_image::RetireImage;
pub(crate) use run_layer::Next;
pub(crate) use run_layer::RunLayer;
pub(crate) use run_on_instance::RunOnInstance;
pub(crate) use seal_instance::SealInstance;
pub(crate) use share_image::ShareImage;
pub(crate) use start_snapshot::StartSnapshot;
pub(crate) use stop_instance::StopInstance;
pub(crate) use write_manifest::WriteManifest;

use crate::launch::Market;

/// Folder of a launch's key and pinned host key, in the bake's folder.
pub(crate) const SSH: &str = "ssh";

fn market(market: Market) -> &'static str {
    match market {
        Market::Spot => "on the spot market",
        Market::OnDemand => "on demand",
    }
}
