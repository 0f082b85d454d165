//! Metadata without a token, whatever the launch asked for.
//!
//! A container has no DMI, so cloud-init does not recognise EC2 by it, and then asks without a token (reference boot.md 1.2).
//! `HttpTokens=required` would leave the instance without a datasource. Our agent uses tokens everywhere.

use std::sync::Arc;

use jiff::Timestamp;

use crate::metadata::InstanceFacts;
use crate::metadata::MetadataSource;
use crate::metadata::RoleCredentials;

/// A source that never requires tokens.
pub(super) struct TokensOptional(pub(super) Arc<dyn MetadataSource>);

impl MetadataSource for TokensOptional {
    fn facts(&self) -> InstanceFacts {
        InstanceFacts { tokens_required: false, ..self.0.facts() }
    }

    fn credentials(&self) -> Option<RoleCredentials> {
        self.0.credentials()
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
