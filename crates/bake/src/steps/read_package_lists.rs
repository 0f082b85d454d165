//! The package archive as the bakes of the next hour will see it. The lists stay, for all of them.

use ovenbird_core::instant;
use ovenbird_disk::gpt;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;

use crate::archive;
use crate::disks::BaseDisk;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::package_cache;
use crate::plan::package_stamp;
use crate::sandbox::PackageCache;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct ReadPackageLists<'p> {
    pub(crate) source: &'p Source,
}

impl Step for ReadPackageLists<'_> {
    fn name(&self) -> String {
        "read package lists".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            oven.tell(Event::Phase { phase: Phase::Packages });
            let cache = package_cache(oven.request, self.source);
            read_lists(oven.folder, needed(oven.base.as_ref(), "the base's disk")?, &cache)?;
            write_atomically(&package_stamp(&cache), &instant::write(oven.request.wall))
        })
    }
}

fn read_lists(folder: &BakeFolder, base: &BaseDisk, cache: &PackageCache) -> Result<(), BakeError> {
    let root = gpt::find_root(&base.path).map_err(working("find the root partition of the base"))?;
    let mounted = LoopMount::ensure(&base.path, &root, &folder.path.join("base"), Access::ReadOnly)
        .map_err(working("mount the base"))?;
    fs_err::create_dir_all(&cache.archives).map_err(working("create the cache of packages"))?;
    archive::refresh(&[mounted.target().to_owned()], cache, &folder.path.join("lists"), &folder.id)
        .map_err(working("read the package archive"))?;
    mounted.unmount().map_err(working("unmount the base"))
}
