//! Names of parameters, and selectors of their versions.

use crate::failure::Answer;
use crate::failure::refuse;

/// Deepest hierarchy (API reference, PutParameter).
const MAX_LEVELS: usize = 15;

/// Refuses names that Parameter Store would not take.
pub(super) fn verify_name(name: &str) -> Answer<()> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    let levels = name.strip_prefix('/').unwrap_or(name).split('/');
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if name.is_empty() || name.len() > 1011 || !name.bytes().all(is_allowed) || levels.clone().any(str::is_empty) {
        let text =
            "Parameter name must be a fully qualified name of letters, digits and the symbols _.- between slashes";
        return refuse("ValidationException", format!("{text}: `{name}`"));
    }
    if name.contains('/') && !name.starts_with('/') {
        return refuse(
            "ValidationException",
            format!("Parameter name must be a fully qualified name: `{name}` has to begin with `/`"),
        );
    }
    if first.starts_with("aws") || first.starts_with("ssm") {
        return refuse(
            "ValidationException",
            format!("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive): `{name}`"),
        );
    }
    if levels.count() > MAX_LEVELS {
        let text = format!("A hierarchy can have a maximum of {MAX_LEVELS} levels: `{name}`");
        return refuse("HierarchyLevelLimitExceededException", text);
    }
    Ok(())
}

/// A name as a Get call gives it: a name, an ARN of one, each with or without `:version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) name: String,
    /// `:3`, as the answer repeats it.
    pub(super) selector: Option<String>,
    /// `Some(None)`: a label, which nothing has here.
    pub(super) version: Option<Option<i64>>,
}

impl Selected {
    /// Reads it.
    pub(super) fn read(text: &str) -> Self {
        let of_arn = text.strip_prefix("arn:").and_then(|arn| arn.split_once(":parameter")).map(|(_, name)| name);
        let name = of_arn.unwrap_or(text);
        match name.rsplit_once(':') {
            None => Self { name: name.to_owned(), selector: None, version: None },
            Some((name, selector)) => Self {
                name: name.to_owned(),
                selector: Some(format!(":{selector}")),
                version: Some(selector.parse().ok()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["/ovenbird/web/dev", "plain", "/a/b.c-d_e", "/one"] {
            assert!(verify_name(good).is_ok(), "{good}");
        }
        let deep = "/a".repeat(16);
        for bad in ["", "/", "a/b", "/a//b", "/a/", "/ü", "/aws/x", "SSM-x", "/a b", &deep] {
            assert!(verify_name(bad).is_err(), "{bad}");
        }
        assert!(verify_name(&"/a".repeat(15)).is_ok());
    }

    #[test]
    fn selectors() {
        let read = |text: &str| {
            let Selected { name, selector, version } = Selected::read(text);
            (name, selector, version)
        };
        assert_eq!(read("/a/b"), ("/a/b".to_owned(), None, None));
        assert_eq!(read("/a/b:3"), ("/a/b".to_owned(), Some(":3".to_owned()), Some(Some(3))));
        assert_eq!(read("/a/b:prod"), ("/a/b".to_owned(), Some(":prod".to_owned()), Some(None)));
        assert_eq!(read("arn:aws:ssm:us-east-1:123456789012:parameter/a/b").0, "/a/b");
    }
}
