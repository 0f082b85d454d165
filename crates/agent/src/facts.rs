//! What the play may know, as facts: `ansible_local.ovenbird`.
//!
//! Facts are the only way. Extra variables (`-e`) are templates to Ansible, so a value such as `{{ lookup('pipe', …) }}` in user
//! data would run as root; values from facts are data (boot.md 5.3, measured).

use std::collections::BTreeMap;
use std::path::Path;

use ovenbird_core::metadata::Metadata;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use crate::fault::Fault;
use crate::files::write_whole;
use crate::instance::Instance;
use crate::settings::Root;
use crate::volume::Mounted;

/// Everything that the phases before the play found out.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The image's service.
    pub service: &'a str,
    /// The checked user data.
    pub metadata: &'a Metadata,
    /// Values from Parameter Store by name.
    pub parameters: &'a BTreeMap<String, String>,
    /// Who this is.
    pub instance: &'a Instance,
    /// Mounted volumes by key.
    pub volumes: &'a BTreeMap<String, Mounted>,
}

impl Facts<'_> {
    /// One object: `service`, `environment`, the image's keys, `extra`, `parameters`, `instance`, `volumes`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut whole: BTreeMap<String, Value> = self.metadata.keys.clone();
        whole.insert("service".to_owned(), Value::from(self.service));
        whole.insert("environment".to_owned(), Value::from(self.metadata.environment.as_str()));
        whole.insert("extra".to_owned(), json(&self.metadata.extra));
        whole.insert("parameters".to_owned(), json(self.parameters));
        whole.insert("instance".to_owned(), json(self.instance));
        whole.insert("volumes".to_owned(), json(self.volumes));
        Value::Object(whole.into_iter().collect())
    }

    /// Writes the facts where only root reads them, and makes sure that Ansible finds them.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, root: &Root) -> Result<(), Fault> {
        let file = root.facts();
        write_whole(&file, self.to_json().to_string().as_bytes())?;
        ensure_link(&root.fact_link(), &file)
    }
}

/// Makes `link` lead to `target`.
fn ensure_link(link: &Path, target: &Path) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::lasting(format!("cannot make {}: {error}", link.display()));
    if link.exists() && link.canonicalize().ok() == target.canonicalize().ok() {
        return Ok(());
    }
    std::fs::create_dir_all(link.parent().unwrap_or(link)).map_err(failed)?;
    match std::fs::remove_file(link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    std::os::unix::fs::symlink(target, link).map_err(failed)
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Object(Map::new()))
}
