//! Plays, and what of their options is known when they run.

use ovenbird_template::Ansible;
use ovenbird_template::Deferred;
use ovenbird_template::SourceAmi;

use super::Run;
use super::Site;
use crate::ansible::Playbook;
use crate::ansible::PlaybookError;
use crate::error::BakeError;
use crate::error::working;
use crate::event::Event;

/// Options of a play that may ask for values of the bake, such as `{{build `ID`}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateOptions {
    extra_arguments: Vec<Deferred>,
    env: Vec<Deferred>,
}

impl LateOptions {
    pub(crate) fn of(ansible: &Ansible) -> Self {
        Self { extra_arguments: ansible.extra_arguments.clone(), env: ansible.ansible_env_vars.clone() }
    }

    /// Puts them into the playbook, as they are with the values of `ami`.
    ///
    /// # Errors
    /// A value that this bake does not have, a variable without a value.
    pub(crate) fn apply(&self, playbook: &mut Playbook, ami: &SourceAmi) -> Result<(), BakeError> {
        let render = |values: &[Deferred]| -> Result<Vec<String>, BakeError> {
            let rendered = values.iter().map(|value| value.render(ami)).collect::<Result<_, _>>();
            rendered.map_err(working("render the provisioner's options"))
        };
        playbook.extra_arguments = render(&self.extra_arguments)?;
        for pair in render(&self.env)? {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| BakeError::Unsupported(format!("`{pair}` in ansible_env_vars is not NAME=VALUE")))?;
            match playbook.env.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => value.clone_into(known),
                None => playbook.env.push((name.to_owned(), value.to_owned())),
            }
        }
        Ok(())
    }
}

pub(super) fn run(site: &mut Site<'_>, run: &Run, (planned, late): (&Playbook, &LateOptions)) -> Result<(), BakeError> {
    let mut playbook = planned.clone();
    late.apply(&mut playbook, site.ami)?;
    let on_event = &mut *site.on_event;
    let early = site.early.take_if(|early| early.fits(&playbook, site.logs));
    let played = site.target.play(early, &playbook, site.logs, &mut |task| on_event(Event::Ansible { task }));
    played.map(drop).map_err(|error| match error {
        PlaybookError::Interrupted => BakeError::Interrupted,
        error => working(format!("run {}", run.title))(error),
    })
}
