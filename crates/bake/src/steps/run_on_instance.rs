//! The provisioners of a layer, run on the instance.

use ovenbird_template::SourceAmi;

use crate::event::Event;
use crate::event::Phase;
use crate::journal::Entry;
use crate::oven::Oven;
use crate::oven::needed;
use crate::plan::INSTANCE_VALUES;
use crate::plan::Plan;
use crate::plan::PlannedLayer;
use crate::plan::describe_source;
use crate::provision;
use crate::provision::Site;
use crate::ssh::Login;
use crate::step::Step;
use crate::step::Work;

pub(crate) struct RunOnInstance<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) layer: &'p PlannedLayer,
}

impl Step for RunOnInstance<'_> {
    fn name(&self) -> String {
        format!("run {} {}", self.layer.key.short(), self.layer.title)
    }

    fn ensure<'a>(&'a self, oven: &'a mut Oven<'_>) -> Work<'a> {
        Box::pin(async {
            if oven.journal.has_done(&self.name()) {
                return Ok(());
            }
            oven.tell(Event::Phase { phase: Phase::Play { layer: self.layer.title.clone() } });
            let login = needed(oven.launched.login.clone(), "a way into the instance")?;
            let ami = self.describe(oven, &login)?;
            let (request, logs) = (oven.request, oven.logs.clone());
            let mut site =
                Site { target: &login, request, ami: &ami, logs: &logs, early: None, on_event: &mut *oven.on_event };
            let ended = self.layer.runs.iter().try_for_each(|run| provision::run(&mut site, run));
            if ended.is_err() {
                provision::clean_up(&mut site, self.plan.error_cleanup.as_ref());
            }
            ended?;
            // At once: nothing on the instance tells whether it was run.
            oven.journal.append(Entry::Done { step: self.name() })
        })
    }
}

impl RunOnInstance<'_> {
    /// What the template's late values are worth here: `{{build `Host`}}` and the like are the instance's.
    fn describe(&self, oven: &Oven<'_>, login: &Login) -> Result<SourceAmi, crate::error::BakeError> {
        let mut ami = describe_source(&self.plan.source, &oven.region());
        let host = login.host();
        let values = [
            host.name.clone(),
            host.address.clone(),
            host.port.to_string(),
            host.user.clone(),
            "ssh".to_owned(),
            login.key().display().to_string(),
            oven.folder.id.clone(),
        ];
        ami.instance.extend(INSTANCE_VALUES.into_iter().map(str::to_owned).zip(values));
        Ok(ami)
    }
}
