//! The instance made an image's: what belongs to the bake goes, the rules are checked, and what its root holds is told.

use crate::event::Event;
use crate::event::Phase;
use crate::inspect::Inspection;
use crate::launch::Sealed;
use crate::launch::seal_instance;
use crate::oven::Oven;
use crate::oven::needed;
use crate::source::Source;
use crate::step::Step;
use crate::step::Work;

pub(crate) const NAME: &str = "seal instance";

pub(crate) struct SealInstance<'p> {
    pub(crate) source: &'p Source,
    /// Is it a base? What every image must have may come with the layers over it, so nothing is missed yet.
    pub(crate) is_base: bool,
}

impl Step for SealInstance<'_> {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.inspection.is_some() {
                return Ok(());
            }
            oven.tell(Event::Phase { phase: Phase::Seal });
            let login = needed(oven.launched.login.clone(), "a way into the instance")?;
            let program = oven.request.agent.with_file_name("ovenbird-seal");
            let keys: Vec<String> = oven.launched.key.iter().map(crate::ssh::KeyPair::body).collect();
            let mut report = seal_instance(&login, &program, &self.source.architecture, &keys)?;
            if self.is_base {
                report.lints.clear();
            }
            let sealed = Sealed { instance: login.host().name.clone(), report };
            sealed.keep(&oven.folder.path)?;
            oven.inspection = Some(Inspection::of(sealed.report)?);
            // Nobody logs in any more: what a login writes would not be sealed.
            login.close();
            Ok(())
        })
    }
}
