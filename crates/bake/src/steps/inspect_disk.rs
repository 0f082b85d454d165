//! A last look at the finished disk: its identity, and the rules that every image keeps.

use crate::inspect::inspect;
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
            let disk = needed(oven.disk.as_ref(), "a disk to bake on")?;
            oven.inspection = Some(inspect(&oven.folder.path, &disk.path)?);
            Ok(())
        })
    }
}
