//! The project: what `ovenbird.toml` says.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

mod environment;

pub use environment::Environment;

/// The file's name, at the root of a project.
pub const FILE_NAME: &str = "ovenbird.toml";

/// A project: its environments in order, and its services.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The environments, in the order in which images are promoted. At least one.
    pub environments: Vec<Environment>,
    /// The region of every environment that names none; `None`: the AWS profile's.
    pub region: Option<String>,
    /// The services, by name.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
}

/// A service: a template, and how its instances are launched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The Packer template, relative to the project's folder.
    pub template: PathBuf,
    /// Which of the template's builders; `None`: its only one.
    pub builder: Option<String>,
    /// Values of the template's user variables, like `-var`.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Type of its instances; `None`: the one that the template bakes on.
    pub instance_type: Option<String>,
    /// Name of the instance profile, which gives its instances their role.
    pub instance_profile: Option<String>,
    /// Name of the key pair for people who log in.
    pub key_name: Option<String>,
    /// Subnet of its instances; `None`: the default one.
    pub subnet_id: Option<String>,
    /// Security groups of its instances; empty: the default one.
    #[serde(default)]
    pub security_group_ids: Vec<String>,
}

/// Why a project's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It is not TOML, has a key that is not known, or lacks one.
    #[error("`{file}` cannot be understood")]
    Syntax {
        /// The file.
        file: String,
        /// Where and why; shows the line.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// There are no environments.
    #[error("`{file}` names no environments; add for example: environments = [\"dev\", \"prod\"]")]
    NoEnvironments {
        /// The file.
        file: String,
    },
    /// A name that cannot be part of a parameter's name or a tag.
    #[error(
        "in `{file}` the {kind} `{name}` is no valid name; use 1 to 63 of a-z, 0-9 and `-`, and begin with a letter"
    )]
    BadName {
        /// The file.
        file: String,
        /// `environment` or `service`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// An environment is there twice.
    #[error("`{file}` names the environment `{name}` twice; each has one place in the order")]
    Twice {
        /// The file.
        file: String,
        /// The environment.
        name: String,
    },
    /// A service without a template.
    #[error("in `{file}` the service `{service}` has an empty `template`; give the path of its Packer template")]
    NoTemplate {
        /// The file.
        file: String,
        /// The service.
        service: String,
    },
}

/// A service that the project does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the project has no service `{name}`; {}{}", known(.services), crate::pointer::suggestion(name, .services))]
pub struct UnknownService {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub services: Vec<String>,
}

fn known(services: &[String]) -> String {
    if services.is_empty() {
        return "it has none yet: add [services.NAME] with a template to ovenbird.toml".to_owned();
    }
    format!("it has {}", services.join(", "))
}

/// Whether `name` may name a service or an environment: `[a-z][a-z0-9-]{0,62}`, since it becomes part of parameter names and tags.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 63
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl Project {
    /// Reads a project from the text of `file`.
    ///
    /// # Errors
    /// When the text is no project, with the place and what to write instead.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ProjectError> {
        let project: Self = toml::from_str(text)
            .map_err(|source| ProjectError::Syntax { file: file.to_owned(), source: Box::new(source) })?;
        project.verify_names(file)?;
        Ok(project)
    }

    fn verify_names(&self, file: &str) -> Result<(), ProjectError> {
        let file = || file.to_owned();
        if self.environments.is_empty() {
            return Err(ProjectError::NoEnvironments { file: file() });
        }
        let environments = self.environments.iter().map(|environment| ("environment", &environment.name));
        let names = environments.chain(self.services.keys().map(|name| ("service", name)));
        if let Some((kind, name)) = names.into_iter().find(|(_, name)| !is_name(name)) {
            return Err(ProjectError::BadName { file: file(), kind, name: name.clone() });
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.environments.iter().find(|environment| !seen.insert(&environment.name)) {
            return Err(ProjectError::Twice { file: file(), name: twice.name.clone() });
        }
        match self.services.iter().find(|(_, service)| service.template.as_os_str().is_empty()) {
            Some((service, _)) => Err(ProjectError::NoTemplate { file: file(), service: service.clone() }),
            None => Ok(()),
        }
    }

    /// The environments' names, in order.
    #[must_use]
    pub fn environment_names(&self) -> Vec<String> {
        self.environments.iter().map(|environment| environment.name.clone()).collect()
    }

    /// The environment of that name.
    #[must_use]
    pub fn find_environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }

    /// The service of that name.
    ///
    /// # Errors
    /// When there is none; says which there are.
    pub fn service(&self, name: &str) -> Result<&Service, UnknownService> {
        let unknown = || UnknownService { name: name.to_owned(), services: self.services.keys().cloned().collect() };
        self.services.get(name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests;
