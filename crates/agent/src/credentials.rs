//! The credentials of the instance's role.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::fault::Fault;
use crate::imds::Imds;
use crate::time::Backoff;
use crate::time::Deadline;

const ITEM: &str = "meta-data/iam/security-credentials/";

/// Temporary credentials. They are never printed.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token.
    pub token: String,
    /// Until when they hold.
    pub expiration: Timestamp,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Whether they should be fetched anew: the service renews them at least five minutes before their end.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.expiration.as_second() - now.as_second() < 300
    }
}

/// Fetches the role's credentials. For `grace`, "there are none" is taken for "not yet": they appear some seconds after the boot
/// (amazon-eks-ami#1970).
///
/// # Errors
/// When there is no role, or the service does not answer before the deadline.
pub fn fetch_credentials(imds: &Imds, grace: Duration, deadline: &Deadline) -> Result<Credentials, Fault> {
    let appearing = deadline.within(grace);
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
    loop {
        let why = match find_credentials_once(imds, deadline)? {
            Ok(credentials) => return Ok(credentials),
            Err(why) => why,
        };
        if !appearing.pause(backoff.next_pause()) {
            return Err(Fault::passing(why));
        }
    }
}

/// The name of the instance's role, if it has one by now.
///
/// # Errors
/// When the metadata service does not answer before the deadline.
pub fn find_role(imds: &Imds, deadline: &Deadline) -> Result<Option<String>, Fault> {
    let roles = imds.find(ITEM, deadline)?.unwrap_or_default();
    Ok(roles.lines().next().filter(|role| !role.is_empty()).map(str::to_owned))
}

fn find_credentials_once(imds: &Imds, deadline: &Deadline) -> Result<Result<Credentials, String>, Fault> {
    let Some(role) = find_role(imds, deadline)? else {
        let why = "this instance has no role, so it may not call AWS; launch it with an instance profile";
        return Ok(Err(why.to_owned()));
    };
    let Some(text) = imds.find(&format!("{ITEM}{role}"), deadline)? else {
        return Ok(Err(format!("the metadata service has no credentials for the role {role}")));
    };
    // A role that may not be assumed answers an object with another `Code` and without keys. Its text is not shown.
    Ok(serde_json::from_str(&text)
        .map_err(|_| format!("the metadata service gives no usable credentials for the role {role}")))
}
