//! What a service refuses, and what cannot be read.

use super::node::Node;

/// An error that the service answered. Its code is the API's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The API's code, such as `InvalidAMIID.NotFound`.
    pub code: String,
    /// The service's sentence.
    pub message: String,
    /// The EBS direct APIs' `Reason`, such as `UNRELATED_SNAPSHOTS`.
    pub reason: Option<String>,
    /// The request's id, for AWS support.
    pub request_id: Option<String>,
}

impl ApiError {
    /// An error of the caller (HTTP 400).
    pub fn client(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.into(), message: message.into(), reason: None, request_id: None }
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same error with the EBS direct APIs' reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Does the code say that calls come too fast? EC2 says so with 503, the EBS direct APIs with 400.
    #[must_use]
    pub fn is_throttle(&self) -> bool {
        const CODES: [&str; 9] = [
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "SlowDown",
            "EC2ThrottledException",
        ];
        CODES.contains(&self.code.as_str())
    }

    /// May the same call succeed a moment later, through no change of its own? Capacity comes back too, but not within a call's tries.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        (self.status >= 500 && !self.is_lack_of_capacity())
            || (self.code == "ValidationException" && self.message.contains("Failed to read block data"))
    }

    /// Does the code say that no machine is free for the instance? Another type or zone may have one.
    #[must_use]
    pub fn is_lack_of_capacity(&self) -> bool {
        const CODES: [&str; 6] = [
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientReservedInstanceCapacity",
            "InsufficientCapacity",
            "InsufficientFreeAddressesInSubnet",
            "InsufficientVolumeCapacity",
        ];
        CODES.contains(&self.code.as_str())
    }

    /// Does the code say that the signature is not the request's? The same keys may be believed when they sign anew.
    #[must_use]
    pub fn is_wrong_signature(&self) -> bool {
        ["InvalidSignature", "InvalidSignatureException", "SignatureDoesNotMatch"].contains(&self.code.as_str())
    }

    /// Does the code say that the session of the credentials is over?
    #[must_use]
    pub fn is_expired_session(&self) -> bool {
        ["ExpiredToken", "ExpiredTokenException", "RequestExpired"].contains(&self.code.as_str())
    }

    /// Does the code say that the account has as many as it may have?
    #[must_use]
    pub fn is_quota(&self) -> bool {
        self.code == "ServiceQuotaExceededException"
    }

    /// Does the code say that the thing is not there?
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code.contains("NotFound") || self.code == "ResourceNotFoundException"
    }
}

/// A text that does not fit its shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}expected {expected}, found {found}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct DecodeError {
    /// Wire names from the outside in, joined by dots.
    pub path: String,
    /// What the shape wants.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl DecodeError {
    /// Something else than `expected` was found.
    pub fn unexpected(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into(), found: found.into() }
    }

    /// The same error, one member further out.
    #[must_use]
    pub fn inside(mut self, member: &str) -> Self {
        self.path = if self.path.is_empty() { member.to_owned() } else { format!("{member}.{}", self.path) };
        self
    }

    /// `node` as a structure; nothing and white space are an empty one.
    pub(crate) fn structure(node: Option<Node>) -> Result<Node, Self> {
        match node {
            None => Ok(Node::Struct(Vec::new())),
            Some(Node::Text(text)) if text.trim().is_empty() => Ok(Node::Struct(Vec::new())),
            Some(node @ Node::Struct(_)) => Ok(node),
            Some(other) => Err(Self::unexpected("a structure", other.describe())),
        }
    }
}
