//! Encryption, as far as callers see it: which key a volume or snapshot says it is encrypted with. Nothing is encrypted, and
//! there are no keys: any name that has the form of one is one.

use ovenbird_aws::ec2::DisableEbsEncryptionByDefaultRequest;
use ovenbird_aws::ec2::DisableEbsEncryptionByDefaultResult;
use ovenbird_aws::ec2::EnableEbsEncryptionByDefaultRequest;
use ovenbird_aws::ec2::EnableEbsEncryptionByDefaultResult;
use ovenbird_aws::ec2::GetEbsDefaultKmsKeyIdRequest;
use ovenbird_aws::ec2::GetEbsDefaultKmsKeyIdResult;
use ovenbird_aws::ec2::GetEbsEncryptionByDefaultRequest;
use ovenbird_aws::ec2::GetEbsEncryptionByDefaultResult;
use ovenbird_aws::ec2::ModifyEbsDefaultKmsKeyIdRequest;
use ovenbird_aws::ec2::ModifyEbsDefaultKmsKeyIdResult;
use ovenbird_core::block::Digest;
use rusqlite::Connection;

use crate::catalogue::Scope;
use crate::catalogue::encryption_defaults;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

/// What a request says of the encryption of something new.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) encrypted: Option<bool>,
    /// Key id, alias, or ARN of either.
    pub(crate) key: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// The two members that requests have for it.
    ///
    /// # Errors
    /// A key without `Encrypted`, or one that is none.
    pub(crate) fn new(scope: &Scope, encrypted: Option<bool>, key: Option<&'a str>) -> Answer<Self> {
        let key = key.filter(|key| !key.is_empty());
        if key.is_some() && encrypted != Some(true) {
            let text = "The parameter KmsKeyId requires the parameter Encrypted to be set.";
            return refuse("InvalidParameterDependency", text);
        }
        key.map(|key| arn_of(scope, key)).transpose()?;
        Ok(Self { encrypted, key })
    }

    /// The key of a new volume: the one asked for, else its snapshot's. What is encrypted stays so, whatever is asked for.
    pub(crate) fn of_volume(&self, db: &Connection, scope: &Scope, snapshot: Option<&str>) -> Answer<Option<String>> {
        match (self.key, snapshot) {
            (None, Some(key)) => Ok(Some(key.to_owned())),
            (key, snapshot) => self.or_default(db, scope, key, snapshot.is_some()),
        }
    }

    /// The key of a copy: the one asked for, else the account's default, never the source's (API reference, CopySnapshot).
    pub(crate) fn of_copy(&self, db: &Connection, scope: &Scope, source: Option<&str>) -> Answer<Option<String>> {
        self.or_default(db, scope, self.key, source.is_some())
    }

    fn or_default(&self, db: &Connection, scope: &Scope, key: Option<&str>, is_must: bool) -> Answer<Option<String>> {
        let defaults = encryption_defaults::of_scope(db, scope)?;
        if !is_must && !defaults.is_on && self.encrypted != Some(true) {
            return Ok(None);
        }
        match key {
            Some(key) => arn_of(scope, key).map(Some),
            None => Ok(Some(defaults.kms_key.unwrap_or_else(|| managed_key(scope)))),
        }
    }
}

/// The key that AWS manages for EBS in an account and Region.
pub(crate) fn managed_key(scope: &Scope) -> String {
    key_arn(scope, &made_up(scope, "alias/aws/ebs"))
}

/// The key's ARN. An alias leads to the same key every time.
pub(crate) fn arn_of(scope: &Scope, key: &str) -> Answer<String> {
    let name = key.strip_prefix(&format!("arn:aws:kms:{}:", scope.region)).map_or(key, |rest| {
        // Keys of other accounts may be shared with this one.
        rest.split_once(':').map_or(rest, |(_, name)| name)
    });
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte))
    };
    match (name == key, name.strip_prefix("key/"), name.strip_prefix("alias/")) {
        (false, Some(id), _) if is_word(id) => Ok(key.to_owned()),
        (_, None, Some("aws/ebs")) => Ok(managed_key(scope)),
        (_, None, Some(alias)) if is_word(alias) => Ok(key_arn(scope, &made_up(scope, alias))),
        (true, None, None) if is_word(name) && !name.contains('/') => Ok(key_arn(scope, name)),
        _ => refuse("InvalidParameterValue", format!("Value ({key}) for parameter KmsKeyId is invalid.")),
    }
}

fn key_arn(Scope { account, region }: &Scope, id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}

/// An id in the form of a UUID that follows from a name.
fn made_up(scope: &Scope, name: &str) -> String {
    let hex = Digest::of(format!("{} {} {name}", scope.account, scope.region).as_bytes()).hex();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]].join("-")
}

/// Is everything new encrypted?
pub(crate) fn get_by_default(
    call: &Call,
    _: &GetEbsEncryptionByDefaultRequest,
) -> Answer<GetEbsEncryptionByDefaultResult> {
    let defaults = call.world.catalogue.transact(|db| encryption_defaults::of_scope(db, &call.scope))?;
    Ok(GetEbsEncryptionByDefaultResult { ebs_encryption_by_default: Some(defaults.is_on), sse_type: None })
}

/// From now on everything new is encrypted.
pub(crate) fn enable_by_default(
    call: &Call,
    _: &EnableEbsEncryptionByDefaultRequest,
) -> Answer<EnableEbsEncryptionByDefaultResult> {
    set_by_default(call, true)?;
    Ok(EnableEbsEncryptionByDefaultResult { ebs_encryption_by_default: Some(true) })
}

/// From now on only what asks for it, or is made of it, is encrypted.
pub(crate) fn disable_by_default(
    call: &Call,
    _: &DisableEbsEncryptionByDefaultRequest,
) -> Answer<DisableEbsEncryptionByDefaultResult> {
    set_by_default(call, false)?;
    Ok(DisableEbsEncryptionByDefaultResult { ebs_encryption_by_default: Some(false) })
}

fn set_by_default(call: &Call, is_on: bool) -> Answer<()> {
    call.world.catalogue.transact(|db| {
        let before = encryption_defaults::of_scope(db, &call.scope)?;
        encryption_defaults::put(db, &call.scope, &encryption_defaults::EncryptionDefaults { is_on, ..before })
    })
}

/// The key where none is named.
pub(crate) fn get_default_key(call: &Call, _: &GetEbsDefaultKmsKeyIdRequest) -> Answer<GetEbsDefaultKmsKeyIdResult> {
    let defaults = call.world.catalogue.transact(|db| encryption_defaults::of_scope(db, &call.scope))?;
    let key = defaults.kms_key.unwrap_or_else(|| managed_key(&call.scope));
    Ok(GetEbsDefaultKmsKeyIdResult { kms_key_id: Some(key) })
}

/// Names another key for where none is named.
pub(crate) fn modify_default_key(
    call: &Call,
    request: &ModifyEbsDefaultKmsKeyIdRequest,
) -> Answer<ModifyEbsDefaultKmsKeyIdResult> {
    let key = arn_of(&call.scope, required(request.kms_key_id.as_deref(), "KmsKeyId")?)?;
    call.world.catalogue.transact(|db| {
        let before = encryption_defaults::of_scope(db, &call.scope)?;
        let kms_key = Some(key.clone());
        encryption_defaults::put(db, &call.scope, &encryption_defaults::EncryptionDefaults { kms_key, ..before })
    })?;
    Ok(ModifyEbsDefaultKmsKeyIdResult { kms_key_id: Some(key) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;
    use crate::testing::code;

    #[test]
    fn names_of_keys_lead_to_their_arns() {
        let scope = Scope { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let arn = |key: &str| arn_of(&scope, key);
        assert_eq!(arn("mrk-1").expect("an id"), "arn:aws:kms:us-east-1:123456789012:key/mrk-1");
        let foreign = "arn:aws:kms:us-east-1:210987654321:key/mrk-1";
        assert_eq!(arn(foreign).expect("shared"), foreign);
        assert_eq!(
            arn("alias/a").expect("an alias"),
            arn("arn:aws:kms:us-east-1:123456789012:alias/a").expect("the same")
        );
        assert_ne!(arn("alias/a").expect("an alias"), arn("alias/b").expect("another"));
        for key in [
            "arn:aws:kms:eu-west-1:123456789012:key/mrk-1",
            "alias/",
            "key/mrk-1",
            "a b",
            "arn:aws:kms:us-east-1:1:key/",
        ] {
            assert_eq!(code(arn(key)), "InvalidParameterValue", "{key}");
        }
    }

    #[test]
    fn what_is_encrypted_stays_so() {
        let fixture = Fixture::new();
        let call = fixture.call();
        let asked = |encrypted, key| Asked::new(&call.scope, encrypted, key).expect("sound");
        let decide = |decide: &dyn Fn(&Connection) -> Answer<Option<String>>| {
            call.world.catalogue.transact(|db| decide(db)).expect("decided")
        };
        let base = "arn:aws:kms:us-east-1:123456789012:key/base";
        let managed = managed_key(&call.scope);
        let volume = |asked: Asked<'_>, of| decide(&|db| asked.of_volume(db, &call.scope, of));
        let copy = |asked: Asked<'_>, of| decide(&|db| asked.of_copy(db, &call.scope, of));
        assert_eq!(volume(asked(None, None), None), None);
        assert_eq!(volume(asked(Some(false), None), Some(base)).as_deref(), Some(base));
        assert_eq!(copy(asked(Some(false), None), Some(base)).as_ref(), Some(&managed));
        assert_eq!(copy(asked(Some(true), Some("k")), None), arn_of(&call.scope, "k").ok());
        enable_by_default(&call, &Default::default()).expect("on");
        assert_eq!(volume(asked(None, None), None).as_ref(), Some(&managed));
        let other = ModifyEbsDefaultKmsKeyIdRequest { kms_key_id: Some("other".to_owned()), dry_run: None };
        let other = modify_default_key(&call, &other).expect("changed").kms_key_id;
        assert_eq!(volume(asked(Some(false), None), None), other, "off is not to be had");
        disable_by_default(&call, &Default::default()).expect("off");
        assert_eq!(volume(asked(None, None), None), None);
        assert_eq!(code(Asked::new(&call.scope, None, Some("k"))), "InvalidParameterDependency");
    }
}
