//! Which files a play can reach: the inputs of a layer, whose digests its key is made of.
//!
//! Too much is slow, too little is a lie: where a name cannot be known without running the play, everything that it could name counts.
//!
//! Reached are: the playbook and what it imports; task, variable and role files that are named; of a role its whole folder;
//! `group_vars`, `host_vars` and plugin folders beside the playbook; of a collection the plugins, once one of its names is used;
//! `ansible.cfg`, vault password files, and files that the arguments name; and every file that a word of all these names.
//! A name with a variable in it makes the whole folder of the playbook and all folders of roles count.
//! Not reached, since the version of the tool stands for them: what comes with Ansible itself.

mod collect;
mod naming;
mod search;
mod tasks;
mod words;

use std::collections::BTreeMap;
use std::io;

use ovenbird_core::block::Digest;

use crate::ansible::Config;
use crate::ansible::Playbook;
use collect::Collector;

/// The inputs of a play.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Digest by name. A file below the playbook's `directory` is named relative to it, one of a collection from
    /// `ansible_collections/` on, so that the names are the same on every machine. `env NAME` is a variable of the environment.
    pub files: BTreeMap<String, Digest>,
    /// Lookups whose answers are no files, so that no digest can stand for them (`pipe`, `url`, …), with where they are.
    pub unseen: Vec<String>,
}

/// A file that the play reaches cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read what the play reaches")]
pub struct ReachError(#[from] io::Error);

/// Finds what `playbook` reaches under the settings `config`. A name that leads nowhere is no error here: Ansible will say so.
///
/// # Errors
/// [`ReachError`] when a file that is there cannot be read.
pub fn reach(playbook: &Playbook, config: &Config) -> Result<Reach, ReachError> {
    let mut collector = Collector::new(playbook, config);
    collector.settings(config)?;
    collector.arguments()?;
    collector.playbook(&playbook.directory.join(&playbook.file))?;
    Ok(collector.finish()?)
}

/// The files of [`reach`] alone: what goes into a layer's key.
///
/// # Errors
/// As [`reach`].
pub fn files(playbook: &Playbook, config: &Config) -> Result<BTreeMap<String, Digest>, ReachError> {
    Ok(reach(playbook, config)?.files)
}

#[cfg(test)]
mod tests;
