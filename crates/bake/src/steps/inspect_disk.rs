//! A last look at the finished disk: its identity, and the rules that every image keeps.

use crate::copying::Copying;
use crate::disks::KeptDisk;
use crate::inspect::Inspecting;
use crate::oven::Oven;
use crate::oven::needed;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct InspectDisk;

impl Step for InspectDisk {
    fn name(&self) -> String {
        "inspect disk".to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.inspection.is_some() {
                return Ok(());
            }
            let mut inspecting = match oven.inspecting.take() {
                Some(begun) => begun,
                // No layer was run.
                None => {
                    oven.copying.take().map_or(Ok(()), Copying::end)?;
                    let disk = needed(oven.disk.as_ref(), "a disk to bake on")?;
                    Inspecting::start(&oven.folder.path, &disk.path, oven.base.as_ref().map(KeptDisk::known_files))
                }
            };
            oven.inspection = Some(inspecting.wait()?);
            oven.inspecting = Some(inspecting);
            Ok(())
        })
    }

    fn undo<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async { oven.inspecting.take().map_or(Ok(()), Inspecting::end) })
    }

    /// The disk is mounted for it.
    fn is_scaffold(&self) -> bool {
        true
    }
}
