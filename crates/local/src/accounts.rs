//! Accounts and their keys. Nothing of this is stored: a key id tells its account, and the secret follows from it.

use data_encoding::BASE32_NOPAD;
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::failure::Answer;
use crate::metadata::RoleCredentials;
use crate::seal::Secret;
use crate::seal::Unsealed;
use crate::seal::is_same;

/// The account that `ovenbird local env` prints keys of.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// How long role credentials hold; EC2 gives its instances about six hours.
const ROLE_CREDENTIALS_HOLD: SignedDuration = SignedDuration::from_hours(6);

/// Long-lived keys of an account at this endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA` and 16 characters.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: String,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// 12 digits.
    pub(crate) account: String,
    /// The role, and the instance that took it; `None` for the account's own keys.
    pub(crate) role: Option<(String, String)>,
}

/// What a session token says.
#[derive(Serialize, Deserialize)]
struct Session {
    key: String,
    account: String,
    role: String,
    instance: String,
}

/// Why keys are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadKeys {
    /// The key id was not given out by this endpoint, or its token does not belong to it.
    Unknown,
    /// The session is over.
    Expired,
}

/// 12 digits?
pub(crate) fn is_account(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// The keys of `account`; `None` unless it is 12 digits.
pub(crate) fn find_keys(secret: &Secret, account: &str) -> Option<Credentials> {
    if !is_account(account) {
        return None;
    }
    let number: u64 = account.parse().ok()?;
    let digits = BASE32_NOPAD.encode(&number.to_be_bytes()[3..]);
    let access_key_id = format!("AKIA{digits}{}", secret.letters("access-key", &digits, 8));
    let secret_access_key = secret_key(secret, &access_key_id);
    Some(Credentials { access_key_id, secret_access_key })
}

/// Keys of `role` for an instance.
pub(crate) fn role_keys(
    secret: &Secret,
    account: &str,
    role: &str,
    instance: &str,
    now: Timestamp,
) -> Answer<RoleCredentials> {
    let expiration = now.saturating_add(ROLE_CREDENTIALS_HOLD).unwrap_or(Timestamp::MAX);
    let purpose = format!("{account}/{role}/{instance}/{}", now.as_second());
    let key = format!("ASIA{}", secret.letters("role-key", &purpose, 16));
    let session =
        Session { key: key.clone(), account: account.to_owned(), role: role.to_owned(), instance: instance.to_owned() };
    Ok(RoleCredentials {
        secret_access_key: secret_key(secret, &key),
        token: secret.seal("session", &session, expiration)?,
        access_key_id: key,
        expiration,
    })
}

/// Who holds the key `key_id`, and the secret key that must have signed.
pub(crate) fn identify(
    secret: &Secret,
    key_id: &str,
    token: Option<&str>,
    now: Timestamp,
) -> Result<(Identity, String), BadKeys> {
    let identity = if key_id.starts_with("ASIA") {
        let session: Session = secret.open("session", token.unwrap_or_default(), now).map_err(|why| match why {
            Unsealed::Expired => BadKeys::Expired,
            Unsealed::Foreign => BadKeys::Unknown,
        })?;
        if session.key != key_id {
            return Err(BadKeys::Unknown);
        }
        Identity { account: session.account, role: Some((session.role, session.instance)) }
    } else {
        Identity { account: account_of(secret, key_id).ok_or(BadKeys::Unknown)?, role: None }
    };
    Ok((identity, secret_key(secret, key_id)))
}

fn account_of(secret: &Secret, key_id: &str) -> Option<String> {
    let digits = key_id.strip_prefix("AKIA")?.get(..8)?;
    let bytes = BASE32_NOPAD.decode(digits.as_bytes()).ok()?;
    let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let account = format!("{number:012}");
    let keys = find_keys(secret, &account)?;
    is_same(&keys.access_key_id, key_id).then_some(account)
}

fn secret_key(secret: &Secret, key_id: &str) -> String {
    secret.letters("secret-key", key_id, 40)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::tests::fixed_secret;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    proptest! {
        #[test]
        fn a_key_tells_its_account(number in 0_u64..1_000_000_000_000) {
            let (secret, account) = (fixed_secret(), format!("{number:012}"));
            let keys = find_keys(&secret, &account).expect("12 digits");
            prop_assert_eq!((keys.access_key_id.len(), keys.secret_access_key.len()), (20, 40));
            let (identity, key) = identify(&secret, &keys.access_key_id, None, at(0)).expect("own key");
            prop_assert_eq!(identity, Identity { account, role: None });
            prop_assert_eq!(key, keys.secret_access_key);
        }

        #[test]
        fn no_made_up_key_is_known(text in "(AKIA|ASIA)?[A-Z2-7]{0,20}|.{0,24}") {
            prop_assert_eq!(identify(&fixed_secret(), &text, Some(&text), at(0)), Err(BadKeys::Unknown));
        }
    }

    #[test]
    fn role_keys_hold_for_six_hours_and_only_together() {
        let secret = fixed_secret();
        let keys = role_keys(&secret, "123456789012", "web", "i-1", at(0)).expect("made");
        let other = role_keys(&secret, "123456789012", "db", "i-2", at(0)).expect("made");
        let (identity, key) = identify(&secret, &keys.access_key_id, Some(&keys.token), at(21_599)).expect("fresh");
        assert_eq!(identity.role, Some(("web".to_owned(), "i-1".to_owned())));
        assert_eq!(key, keys.secret_access_key);
        let identify =
            |token: Option<&str>, now| super::identify(&secret, &keys.access_key_id, token, at(now)).map(drop);
        assert_eq!(identify(Some(&keys.token), 21_600), Err(BadKeys::Expired));
        assert_eq!(identify(Some(&other.token), 0), Err(BadKeys::Unknown));
        assert_eq!(identify(None, 0), Err(BadKeys::Unknown));
    }
}
