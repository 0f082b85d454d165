//! What an instance is told about itself.

use std::collections::BTreeMap;

use ovenbird_core::metadata;
use serde_json::Value;

use super::Arguments;
use crate::failure::Failure;
use crate::failure::Kind;

/// A key and its value.
pub(crate) type Pair = (String, Value);

/// Reads `key=value`. `true`, `false` and whole numbers are what they look like; everything else is text.
pub(crate) fn pair(text: &str) -> Result<Pair, String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
    let value = match value {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number if number.parse::<i64>().is_ok_and(|read| read.to_string() == number) => {
            Value::from(number.parse::<i64>().unwrap_or_default())
        }
        text => Value::String(text.to_owned()),
    };
    Ok((key.to_owned(), value))
}

/// The bytes of the user data: composed and checked, or the file as it is.
pub(super) fn compose(environment: &str, arguments: &Arguments) -> Result<Vec<u8>, Failure> {
    if let Some(file) = &arguments.user_data {
        return Ok(fs_err::read(file)?);
    }
    let bytes = metadata::compose(environment, &map(&arguments.keys, "--set")?, &map(&arguments.extra, "--extra")?);
    metadata::check_for_launch(&bytes).map_err(|error| Failure::of(Kind::Usage, &error))?;
    Ok(bytes)
}

fn map(pairs: &[Pair], option: &str) -> Result<BTreeMap<String, Value>, Failure> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        if map.insert(key.clone(), value.clone()).is_some() {
            return Err(Failure::usage(format!("{option} {key}=… is given twice")));
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_look_like() {
        let read = |text| pair(text).expect("a pair").1;
        assert_eq!(read("a=true"), Value::Bool(true));
        assert_eq!(read("a=12"), Value::from(12));
        assert_eq!(read("a=012"), Value::from("012"));
        assert_eq!(read("a=b=c"), Value::from("b=c"));
        assert_eq!(read("a="), Value::from(""));
        assert!(pair("a").is_err());
    }
}
