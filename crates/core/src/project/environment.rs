//! An environment: a name, or a table with its account and region.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;

/// One environment, such as `dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// AWS profile of its account; `None`: the one of the call.
    pub profile: Option<String>,
    /// Its region; `None`: the project's.
    pub region: Option<String>,
}

/// The long form. A derive on [`Environment`] itself would lose the short form, and an untagged enum the good errors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    profile: Option<String>,
    region: Option<String>,
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Environment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an environment: \"dev\", or { name = \"dev\", profile = \"…\", region = \"…\" }")
    }

    fn visit_str<E>(self, name: &str) -> Result<Environment, E> {
        Ok(Environment { name: name.to_owned(), profile: None, region: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Environment, A::Error> {
        let Table { name, profile, region } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Environment { name, profile, region })
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}
