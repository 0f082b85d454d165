//! Why a call is not answered: AWS's own refusals, and the endpoint's own trouble.

use std::error::Error;

use ovenbird_aws::ApiError;

use crate::engine::EngineError;

/// What every handler returns.
pub(crate) type Answer<T> = Result<T, Failure>;

/// Why a call is not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The caller asked for something that AWS would refuse too.
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The endpoint could not do it; the caller sees an internal error, the log sees all.
    #[error("could not {doing}")]
    Internal {
        /// What was being done, to what.
        doing: String,
        /// Why it failed.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Failure {
    /// The endpoint's own trouble while `doing` something.
    pub(crate) fn internal(doing: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal { doing: doing.into(), source: source.into() }
    }

    /// The failure and all its causes in one line.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// What the caller is told.
    pub(crate) fn into_api(self) -> ApiError {
        match self {
            Self::Refused(error) => error,
            internal => {
                ApiError::client("InternalError", format!("An internal error has occurred: {}", internal.chain()))
                    .with_status(500)
            }
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(source: rusqlite::Error) -> Self {
        Self::internal("ask the catalogue", source)
    }
}

impl From<std::io::Error> for Failure {
    fn from(source: std::io::Error) -> Self {
        Self::internal("use the state folder", source)
    }
}

/// A refusal with HTTP 400.
pub(crate) fn refuse<T>(code: &str, message: impl Into<String>) -> Answer<T> {
    Err(ApiError::client(code, message).into())
}

/// `value`, or AWS's error for a required parameter that is missing.
pub(crate) fn required<T>(value: Option<T>, name: &str) -> Answer<T> {
    match value {
        Some(value) => Ok(value),
        None => refuse("MissingParameter", format!("The request must contain the parameter {name}")),
    }
}
