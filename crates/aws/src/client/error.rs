//! Why a call gave no answer.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::wait::TimedOut;
use crate::wire::ApiError;

/// A call that failed, after its retries.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service answered with an error.
    #[error("{action} was refused")]
    Refused {
        /// The operation.
        action: &'static str,
        /// The service's code and sentence.
        #[source]
        source: ApiError,
    },
    /// The service no longer believes the credentials that it believed before. What was sent had no effect.
    #[error("{action} was refused, as the session of the AWS credentials is over; log in again and repeat the command")]
    SessionOver {
        /// The operation.
        action: &'static str,
        /// The service's code and sentence.
        #[source]
        source: Box<ApiError>,
    },
    /// What was made came to a bad end in AWS.
    #[error("{what} ended as `{state}`: {why}")]
    Ended {
        /// What was made.
        what: String,
        /// Its state.
        state: String,
        /// AWS's reason.
        why: String,
    },
    /// No answer came: no connection, a timeout, or an answer that cannot be read.
    #[error("{action} got no answer from {endpoint}")]
    NoAnswer {
        /// The operation.
        action: &'static str,
        /// Where the call went.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Neither the environment nor the profile names a region.
    #[error("no region is set: name one with --region, AWS_REGION, or in the profile")]
    NoRegion,
    /// No source of credentials is configured.
    #[error("no AWS credentials are configured: set AWS_PROFILE or the usual AWS_* variables")]
    NoCredentials,
    /// The credentials that are configured could not be had: an expired login, a profile that refers to nothing, a source
    /// that did not answer. Nothing was sent.
    #[error(
        "{action} was not sent, as the AWS credentials could not be had; log in again, or choose another AWS_PROFILE"
    )]
    Credentials {
        /// The operation.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer lacks what the operation always has.
    #[error("the answer of {action} has no {member}")]
    Incomplete {
        /// The operation.
        action: &'static str,
        /// The missing member.
        member: &'static str,
    },
    /// A listing did not come to its end: a page token came twice, or there were too many pages.
    #[error("the listing of {action} does not end after {pages} pages; nothing was concluded from it")]
    Endless {
        /// The operation.
        action: &'static str,
        /// Pages read.
        pages: usize,
    },
    /// The machine gave no random bytes for the token that makes repeated tries safe.
    #[error("no random bytes for the idempotency token of a call")]
    NoRandomness(#[source] getrandom::Error),
    /// What was waited for did not come in time.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
}

impl Error {
    pub(super) fn from_sdk(action: &'static str, endpoint: &str, error: SdkError<ApiError, HttpResponse>) -> Self {
        match error {
            SdkError::ServiceError(refusal) => match refusal.into_err() {
                source if source.is_expired_session() => Self::SessionOver { action, source: Box::new(source) },
                source => Self::Refused { action, source },
            },
            other => match find_cause::<CredentialsError>(&other) {
                Some(CredentialsError::CredentialsNotLoaded(_)) => Self::NoCredentials,
                Some(cause) => Self::Credentials { action, source: Box::new(Told(chain(cause))) },
                None => Self::NoAnswer { action, endpoint: endpoint.to_owned(), source: Box::new(Told(chain(&other))) },
            },
        }
    }

    /// The service's refusal, where there is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&ApiError> {
        match self {
            Self::Refused { source, .. } => Some(source),
            Self::SessionOver { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Did the service answer this code?
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == code)
    }

    /// Did the service say that the thing is not there?
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(ApiError::is_not_found)
    }
}

fn find_cause<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// The SDK's chain of causes in one line: its own `Display` says only "dispatch failure".
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        next = cause.source();
    }
    told
}
