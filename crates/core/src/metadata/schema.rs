//! What an image takes as metadata: declared when it is baked, checked when it boots.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::Metadata;
use super::fault::MetadataError;
use super::fault::shown;
use super::is_name;
use super::is_volume_id;
use super::json;

/// The image's side of the contract: `/usr/lib/ovenbird/schema.json` on the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The service that the image runs.
    pub service: String,
    /// Where the image may run, in the order of promotion. An image for `dev` alone refuses `prod`.
    pub environments: Vec<String>,
    /// Keys beside `environment` that every instance of the image must be given.
    #[serde(default)]
    pub keys: BTreeMap<String, Kind>,
    /// Keys of `extra`, all optional.
    #[serde(default)]
    pub extra: BTreeMap<String, Kind>,
    /// Whether extra keys that are not declared pass through to the play, as data.
    #[serde(default)]
    pub extra_open: bool,
    /// What the agent fetches from Parameter Store before the play.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What the agent does with the volumes that keys of kind `volume` name.
    #[serde(default)]
    pub volumes: BTreeMap<String, VolumeUse>,
}

/// What a value must be. There are no fractions: programs disagree about them; write them as a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text of at most 4096 bytes without control characters.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number within ±2^53.
    Integer,
    /// The id of an EBS volume.
    Volume,
    /// An array of anything that is allowed in user data.
    List,
    /// An object of anything that is allowed in user data.
    Map,
}

/// One value from Parameter Store. Without `default` and `cached_ok` an instance that cannot get it fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name in the facts, `ansible_local.ovenbird.parameters.<name>`.
    pub name: String,
    /// Its path; `{environment}` stands for the instance's environment. May end in `:version` or `:label`.
    pub parameter: String,
    /// The value when Parameter Store does not have it or cannot be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether the value of an earlier boot of this instance will do when Parameter Store cannot be reached. Secure strings are never kept.
    #[serde(default)]
    pub cached_ok: bool,
}

impl Parameter {
    /// The path in one environment.
    #[must_use]
    pub fn path(&self, environment: &str) -> String {
        self.parameter.replace("{environment}", environment)
    }
}

/// What becomes of a volume on the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeUse {
    /// Where it is mounted, an absolute path.
    pub mount: String,
    /// The file system to make if the volume is proved blank; without it nothing is ever formatted.
    #[serde(default)]
    pub format: Option<Filesystem>,
    /// Who owns the top directory: `user` or `user:group`, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// File systems that the agent makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filesystem {
    /// ext4
    Ext4,
}

/// Why a schema cannot be used: a fault of the image, not of the launch.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// Not JSON, or an unknown member.
    #[error("the image's metadata schema is not readable")]
    Syntax(#[source] serde_json::Error),
    /// Readable but contradictory.
    #[error("the image's metadata schema is wrong: {0}")]
    Rule(String),
}

/// Names that the facts use themselves, beside the image's keys.
const RESERVED: [&str; 6] = ["environment", "extra", "parameters", "instance", "volumes", "service"];
/// Names that templates would take for the methods of a dictionary.
const METHODS: [&str; 11] =
    ["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

impl Schema {
    /// Reads and checks a schema.
    ///
    /// # Errors
    /// When it is not JSON of this shape, or contradicts itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, SchemaError> {
        let schema: Self = serde_json::from_slice(bytes).map_err(SchemaError::Syntax)?;
        schema.check()?;
        Ok(schema)
    }

    /// The rules that the shape alone does not say.
    ///
    /// # Errors
    /// [`SchemaError::Rule`] with the first rule that is broken.
    pub fn check(&self) -> Result<(), SchemaError> {
        let wrong = |text: String| Err(SchemaError::Rule(text));
        if self.environments.is_empty() {
            return wrong("it has no environments".to_owned());
        }
        if let Some(name) = self.environments.iter().find(|name| !is_environment(name)) {
            return wrong(format!("`{name}` is no name of an environment: up to 64 letters, digits, `-` and `_`"));
        }
        let parameters = || self.parameters.iter().map(|parameter| &parameter.name);
        for name in self.keys.keys().chain(self.extra.keys()).chain(parameters()) {
            if !is_name(name) {
                return wrong(format!(
                    "`{name}` is not a plain name: lower-case letters, digits and `_`, a letter first"
                ));
            }
            if METHODS.contains(&name.as_str()) {
                return wrong(format!(
                    "a template would take `{name}` for a method of its dictionary; choose another name"
                ));
            }
        }
        if let Some(name) = self.keys.keys().find(|name| RESERVED.contains(&name.as_str())) {
            return wrong(format!("the key `{name}` is taken by Ovenbird's own facts"));
        }
        let distinct: BTreeSet<_> = parameters().collect();
        if distinct.len() != self.parameters.len() {
            return wrong("two parameters have the same name".to_owned());
        }
        self.parameters.iter().try_for_each(check_parameter)?;
        self.check_volumes()
    }

    fn check_volumes(&self) -> Result<(), SchemaError> {
        let wrong = |text: String| Err(SchemaError::Rule(text));
        let mut mounts = BTreeSet::new();
        for (name, volume) in &self.volumes {
            if self.keys.get(name).or_else(|| self.extra.get(name)) != Some(&Kind::Volume) {
                return wrong(format!("the volume `{name}` is not declared as a key of kind `volume`"));
            }
            let plain = volume.mount.strip_prefix('/').is_some_and(|path| {
                path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains(char::is_control)
            });
            if !plain || !mounts.insert(&volume.mount) {
                return wrong(format!("the volume `{name}` needs an absolute, plain mount point of its own"));
            }
        }
        Ok(())
    }

    /// Checks an object against the schema.
    pub(super) fn fit(&self, mut whole: BTreeMap<String, Value>) -> Result<Metadata, MetadataError> {
        let environment = self.fit_environment(whole.remove("environment"))?;
        let extra = match whole.remove("extra") {
            None => BTreeMap::new(),
            Some(Value::Object(members)) => members.into_iter().collect(),
            Some(other) => return Err(wrong_kind("extra", Kind::Map, &other)),
        };
        self.fit_keys(&whole)?;
        self.fit_extra(&extra)?;
        if let Some(name) = json::find_name(whole.iter().chain(&extra), &|name| !is_name(name)) {
            return Err(MetadataError::BadName { name });
        }
        Ok(Metadata { environment, keys: whole, extra })
    }

    fn fit_environment(&self, given: Option<Value>) -> Result<String, MetadataError> {
        match given {
            None => Err(MetadataError::MissingEnvironment { known: known(&self.environments) }),
            Some(Value::String(name)) if self.environments.contains(&name) => Ok(name),
            Some(Value::String(name)) => {
                let given = if is_environment(&name) { format!("`{name}`") } else { "in the user data".to_owned() };
                Err(MetadataError::UnknownEnvironment { given, known: known(&self.environments) })
            }
            Some(other) => Err(wrong_kind("environment", Kind::String, &other)),
        }
    }

    fn fit_keys(&self, given: &BTreeMap<String, Value>) -> Result<(), MetadataError> {
        for (name, value) in given {
            match self.keys.get(name) {
                Some(kind) if kind.accepts(value) => {}
                Some(kind) => return Err(wrong_kind(name, *kind, value)),
                None => return Err(MetadataError::UnknownKey { name: shown(name), advice: self.advise(name) }),
            }
        }
        match self.keys.iter().find(|(name, _)| !given.contains_key(*name)) {
            Some((name, kind)) => Err(MetadataError::MissingKey { name: name.clone(), wanted: kind.words() }),
            None => Ok(()),
        }
    }

    fn fit_extra(&self, given: &BTreeMap<String, Value>) -> Result<(), MetadataError> {
        for (name, value) in given {
            match self.extra.get(name) {
                Some(kind) if kind.accepts(value) => {}
                Some(kind) => return Err(wrong_kind(&format!("extra.{name}"), *kind, value)),
                None if self.extra_open => {}
                None => {
                    let advice = nearest(name, self.extra.keys());
                    return Err(MetadataError::UnknownExtra { name: shown(name), advice });
                }
            }
        }
        Ok(())
    }

    fn advise(&self, name: &str) -> String {
        if self.extra.contains_key(name) {
            return "it belongs inside `extra`".to_owned();
        }
        let own = ["environment".to_owned(), "extra".to_owned()];
        nearest(name, own.iter().chain(self.keys.keys()))
    }
}

impl Kind {
    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Volume => value.as_str().is_some_and(is_volume_id),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Volume => "a volume id (vol- and 8 or 17 hex digits)",
            Self::List => "a list",
            Self::Map => "an object",
        }
    }
}

fn check_parameter(parameter: &Parameter) -> Result<(), SchemaError> {
    let path = parameter.path("x");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b':');
    if path.starts_with('/') && path.bytes().all(plain) {
        return Ok(());
    }
    let name = &parameter.name;
    Err(SchemaError::Rule(format!("the parameter `{name}` needs a path such as /service/{{environment}}/{name}")))
}

fn is_environment(name: &str) -> bool {
    matches!(name.len(), 1..=64) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn wrong_kind(name: &str, wanted: Kind, value: &Value) -> MetadataError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) if wanted == Kind::Volume => "another string",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    MetadataError::WrongKind { name: shown(name), wanted: wanted.words(), found }
}

fn known<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a String> + Clone) -> String {
    let near = |known: &&String| strsim::damerau_levenshtein(&name.to_lowercase().replace('-', "_"), known);
    match names.clone().min_by_key(near) {
        None => "this image knows none".to_owned(),
        Some(best) if near(&best) <= 1 + best.len() / 4 => {
            format!("did you mean `{best}`? This image knows {}", known(names))
        }
        Some(_) => format!("this image knows {}", known(names)),
    }
}
