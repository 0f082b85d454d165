//! The package archive as the bakes of the next hour will see it. The lists stay, for all of them.

use jiff::SignedDuration;
use ovenbird_core::instant;
use ovenbird_disk::gpt;
use ovenbird_disk::mount::Access;
use ovenbird_disk::mount::LoopMount;

use crate::archive;
use crate::disks::KeptDisk;
use crate::disks::write_atomically;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;
use crate::event::Phase;
use crate::folder::BakeFolder;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::has_package_lists;
use crate::plan::package_cache;
use crate::plan::package_stamp;
use crate::request::Request;
use crate::sandbox::PackageCache;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;
use crate::turn::Turn;

/// How old the package lists may be: bakes of the same hour see the same archive.
const LISTS: SignedDuration = SignedDuration::from_hours(1);

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
            // Bakes that begin at a time need the same lists: one reads them.
            let _turn = Turn::take(&cache.lists.with_extension("reading"), "read the package archive")?;
            if has_fresh_lists(oven.request, self.source) {
                return Ok(());
            }
            read_lists(oven.folder, needed(oven.base.as_ref(), "the base's disk")?, &cache)?;
            write_atomically(&package_stamp(&cache), &instant::write(oven.request.wall))
        })
    }
}

fn read_lists(folder: &BakeFolder, base: &KeptDisk, cache: &PackageCache) -> Result<(), BakeError> {
    let root = gpt::find_root(&base.path).map_err(working("find the root partition of the base"))?;
    let mounted = LoopMount::ensure(&base.path, &root, &folder.path.join("base"), Access::ReadOnly)
        .map_err(working("mount the base"))?;
    fs_err::create_dir_all(&cache.archives).map_err(working("create the cache of packages"))?;
    archive::refresh(&[mounted.target().to_owned()], cache, &folder.path.join("lists"), &folder.id)
        .map_err(working("read the package archive"))?;
    mounted.unmount().map_err(working("unmount the base"))
}

/// Were the package lists fetched within the hour? A bake that is resumed sees those that it saw.
pub(crate) fn has_fresh_lists(request: &Request, source: &Source) -> bool {
    if (request.resume.is_some() || request.keep_lists) && has_package_lists(request, source) {
        return true;
    }
    let stamp = package_stamp(&package_cache(request, source));
    let fetched = fs_err::read_to_string(stamp).ok().and_then(|text| instant::read(text.trim()).ok());
    fetched.is_some_and(|fetched| request.wall.duration_since(fetched.instant).abs() < LISTS)
}
