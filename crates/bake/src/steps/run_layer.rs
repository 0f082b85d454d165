//! A layer's provisioner, run over the disk, sealed and written to it.

use crate::disks::KeptDisk;
use crate::event::Event;
use crate::inspect::Inspecting;
use crate::layer::Workplace;
use crate::layer::load_ansible;
use crate::layer::provision_layer;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::Fate;
use crate::plan::Plan;
use crate::plan::PlannedLayer;
use crate::plan::describe_source;
use crate::step::Step;
use crate::step::Work;
use crate::working_disk::Content;
use crate::working_disk::WorkingDisk;

pub(crate) struct RunLayer<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) layer: &'p PlannedLayer,
    pub(crate) next: Next<'p>,
}

/// What becomes of the disk after the layer.
#[derive(Clone, Copy)]
pub(crate) enum Next<'p> {
    /// Another layer is run over it.
    Layer(&'p PlannedLayer),
    /// An image is made of it.
    Image,
    /// It is of no more use.
    Nothing,
}

impl Step for RunLayer<'_> {
    fn name(&self) -> String {
        format!("run layer {} {}", self.layer.key.short(), self.layer.title)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            let disk = needed(oven.disk.clone(), "a disk to bake on")?;
            if disk.content.layer == Some(self.layer.key) {
                return Ok(());
            }
            if let Fate::Run { why } = &self.layer.fate {
                oven.tell(Event::Runs { layer: self.layer.title.clone(), why: why.clone() });
            }
            WorkingDisk::forget(&disk.path)?;
            let copying = oven.copying.take();
            let ami = describe_source(&self.plan.source, &oven.region());
            let place = Workplace {
                request: oven.request,
                plan: self.plan,
                folder: oven.folder,
                logs: &oven.logs,
                ami: &ami,
                disk: &disk.path,
                seen: oven.below.as_ref().filter(|_| copying.is_some()).map_or(&disk.path, |below| &below.path),
            };
            let ready = (oven.early.take(), copying);
            let provisioned = provision_layer(&place, self.layer, ready, &mut *oven.on_event)?;
            // From here on, nothing but this bake's own work lies before the next play.
            if let Next::Layer(next) = self.next {
                oven.early = load_ansible(next, &oven.logs, &oven.request.folders, &oven.folder.id);
            }
            provisioned.write(&place, self.layer, &mut *oven.on_event)?;
            let content = Content { layer: Some(self.layer.key), ..disk.content };
            let disk = WorkingDisk::record(disk.path, content)?;
            // While this layer is on its way to AWS.
            disk.write_out_soon();
            if matches!(self.next, Next::Image) {
                let known = oven.base.as_ref().map(KeptDisk::known_files);
                oven.inspecting = Some(Inspecting::start(&oven.folder.path, &disk.path, known));
            }
            oven.disk = Some(disk);
            Ok(())
        })
    }
}
