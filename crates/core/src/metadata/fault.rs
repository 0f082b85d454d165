//! What can be wrong with user data, each as one sentence for the person who launched the instance.

use std::fmt;

/// A fault of user data. Values are never shown, names only when they are short and plain: consoles and tags are read by many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// More than [`super::MAX_BYTES`].
    #[error(
        "the user data is larger than 16384 bytes (16 KiB), the most that EC2 allows; put large values into Parameter Store"
    )]
    TooLong,
    /// None, or white space alone.
    #[error("the instance has no user data; launch it with a JSON object such as {{\"environment\":\"dev\"}}")]
    Empty,
    /// Something that other tools would run.
    #[error(
        "the user data is not JSON but looks like {0}; here user data is metadata, never code: give a JSON object such as {{\"environment\":\"dev\"}}"
    )]
    Foreign(Looks),
    /// JSON that breaks off or goes wrong.
    #[error("the user data is not JSON: {what} at line {line} column {column}")]
    Syntax {
        /// The parser's words; they hold no value of the text.
        what: String,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("the user data is {found} and must be a JSON object such as {{\"environment\":\"dev\"}}")]
    NotAnObject {
        /// What it is, with its article.
        found: &'static str,
    },
    /// A name that an object has twice.
    #[error("the user data has the key `{name}` twice; which one counts would be a guess")]
    DuplicateKey {
        /// The path of the key, with dots.
        name: String,
    },
    /// Nested deeper than eight levels.
    #[error("the user data is nested deeper than 8 levels")]
    TooDeep,
    /// More than 256 keys in all.
    #[error("the user data has more than 256 keys")]
    TooManyKeys,
    /// A text longer than 4 KiB.
    #[error("the text of `{name}` in the user data is longer than 4096 bytes")]
    TextTooLong {
        /// The path of the key, with dots.
        name: String,
    },
    /// A NUL, a line break or another control character.
    #[error("the text of `{name}` in the user data has a control character (such as a line break or NUL)")]
    ControlCharacter {
        /// The path of the key, with dots.
        name: String,
    },
    /// A fraction, an exponent, or too large.
    #[error("the number `{name}` in the user data must be a whole number within \u{b1}2^53, without point or exponent")]
    Number {
        /// The path of the key, with dots.
        name: String,
    },
    /// A key that is not `[a-z][a-z0-9_]{0,63}`.
    #[error(
        "the key `{name}` in the user data is not a plain name: up to 64 lower-case letters, digits and `_`, a letter first"
    )]
    BadName {
        /// The path of the key, with dots.
        name: String,
    },
    /// No `environment`.
    #[error("the user data has no `environment`; this image takes {known}")]
    MissingEnvironment {
        /// The image's environments.
        known: String,
    },
    /// Not one of the image's environments.
    #[error("the environment {given} is none of this image's; it takes {known}")]
    UnknownEnvironment {
        /// What was given, if it can be shown.
        given: String,
        /// The image's environments.
        known: String,
    },
    /// A declared key is missing.
    #[error("the user data has no `{name}`, which this image needs ({wanted})")]
    MissingKey {
        /// The key.
        name: String,
        /// What its value must be.
        wanted: &'static str,
    },
    /// A top-level key that the image does not declare.
    #[error("the user data has an unknown key `{name}`; {advice}")]
    UnknownKey {
        /// The key.
        name: String,
        /// The nearest known name, or where it belongs.
        advice: String,
    },
    /// An extra key that the image does not declare.
    #[error("the user data has an unknown key `extra.{name}`; {advice}")]
    UnknownExtra {
        /// The key.
        name: String,
        /// The nearest name and the known ones.
        advice: String,
    },
    /// A value of another kind than declared.
    #[error("`{name}` in the user data must be {wanted} and is {found}")]
    WrongKind {
        /// The path of the key, with dots.
        name: String,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Launch only: white space before the object.
    #[error("the user data must begin with `{{`: cloud-init decides by the first character what user data is")]
    FirstByte,
    /// Launch only: cloud-init would read a MIME message.
    #[error(
        "the user data has the text \"mime-version:\" in its first 4 KiB, so cloud-init would take it for a MIME message"
    )]
    LooksLikeMime,
    /// Launch only: a secret in the making.
    #[error(
        "the key `{name}` sounds like a secret, and every process on the instance can read user data; put the value into Parameter Store and declare it under `parameters`"
    )]
    Secret {
        /// The path of the key, with dots.
        name: String,
    },
}

/// What user data that is not JSON seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// `#!`
    Script,
    /// `#cloud-config` and its kin
    CloudConfig,
    /// A MIME message
    Mime,
    /// gzip or another compression
    Compressed,
    /// base64, one time too many
    Base64,
    /// `<powershell>`
    PowerShell,
    /// YAML, TOML or plain words
    Text,
    /// No text at all
    Binary,
}

impl Looks {
    /// Judges bytes whose first character does not begin a JSON value.
    pub(super) fn at(bytes: &[u8]) -> Self {
        let text = bytes.trim_ascii_start();
        let lower = text[..text.len().min(64)].to_ascii_lowercase();
        let starts = |prefix: &str| lower.starts_with(prefix.as_bytes());
        if starts("#!") {
            Self::Script
        } else if starts("#cloud-")
            || starts("#include")
            || starts("#upstart-job")
            || starts("#part-handler")
            || starts("## template:")
        {
            Self::CloudConfig
        } else if starts("mime-version:") || starts("content-type:") || starts("from ") {
            Self::Mime
        } else if starts("<powershell>") || starts("<script>") {
            Self::PowerShell
        } else if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Compressed
        } else if data_encoding::BASE64
            .decode(text.trim_ascii_end())
            .is_ok_and(|inner| inner.trim_ascii_start().starts_with(b"{"))
        {
            Self::Base64
        } else if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) {
            Self::Text
        } else {
            Self::Binary
        }
    }
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Script => "a shell script",
            Self::CloudConfig => "a cloud-config for cloud-init",
            Self::Mime => "a MIME message for cloud-init",
            Self::Compressed => "compressed data",
            Self::Base64 => "JSON that was base64-encoded once too often",
            Self::PowerShell => "a PowerShell script",
            Self::Text => "plain text",
            Self::Binary => "binary data",
        })
    }
}

/// A name as it may be shown: plain characters only, at most 64.
pub(super) fn shown(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_graphic() && character != '`' { character } else { '?' };
    let mut text: String = name.chars().take(64).map(plain).collect();
    if name.chars().nth(64).is_some() {
        text.push('\u{2026}');
    }
    text
}
