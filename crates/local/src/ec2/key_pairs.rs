//! CreateKeyPair, ImportKeyPair, DescribeKeyPairs, DeleteKeyPair.

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::CreateKeyPairRequest;
use ovenbird_aws::ec2::DeleteKeyPairRequest;
use ovenbird_aws::ec2::DeleteKeyPairResult;
use ovenbird_aws::ec2::DescribeKeyPairsRequest;
use ovenbird_aws::ec2::DescribeKeyPairsResult;
use ovenbird_aws::ec2::ImportKeyPairRequest;
use ovenbird_aws::ec2::ImportKeyPairResult;
use ovenbird_aws::ec2::KeyPairInfo;
use ovenbird_aws::wire::Blob;
use rusqlite::Connection;

use super::filters::Filterable;
use super::filters::select;
use super::resources::Kind;
use crate::catalogue::key_pairs;
use crate::catalogue::key_pairs::KeyPair;
use crate::catalogue::tags;
use crate::catalogue::tags::Tag;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::ids::random_id;
use crate::keys;
use crate::tagging;
use crate::world::Call;

/// Makes a key pair; its private key is in this answer and nowhere else.
pub(crate) fn create_key_pair(call: &Call, request: &CreateKeyPairRequest) -> Answer<ec2::KeyPair> {
    let name = verify_name(request.key_name.as_deref())?;
    let kind = request.key_type.as_deref().unwrap_or("rsa");
    if !matches!(kind, "rsa" | "ed25519") {
        return refuse("InvalidParameterValue", format!("Invalid value '{kind}' for keyType: it is rsa or ed25519"));
    }
    if request.key_format.as_deref().is_some_and(|format| format != "pem") {
        return refuse("UnsupportedOperation", "The embedded EC2 writes private keys in the format pem only");
    }
    let tags = tagging::specified(&request.tag_specifications, &["key-pair"])?("key-pair");
    call.world.catalogue.transact(|db| verify_free(db, call, &name))?;
    let key = keys::make(kind)?;
    let pair = insert(call, &name, kind, key.public, key.fingerprint, &tags)?;
    Ok(ec2::KeyPair {
        key_pair_id: Some(pair.id),
        tags: tagging::to_api(&tags),
        key_name: Some(pair.name),
        key_fingerprint: Some(pair.fingerprint),
        key_material: Some(key.private),
    })
}

/// Takes in a public key of the caller's.
pub(crate) fn import_key_pair(call: &Call, request: &ImportKeyPairRequest) -> Answer<ImportKeyPairResult> {
    let name = verify_name(request.key_name.as_deref())?;
    let Blob(bytes) = required(request.public_key_material.as_ref(), "PublicKeyMaterial")?;
    let tags = tagging::specified(&request.tag_specifications, &["key-pair"])?("key-pair");
    let read = keys::read_public(&String::from_utf8_lossy(bytes))?;
    let Some(key) = read else {
        return refuse("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
    };
    let pair = insert(call, &name, key.kind, key.text, key.fingerprint, &tags)?;
    Ok(ImportKeyPairResult {
        key_fingerprint: Some(pair.fingerprint),
        key_name: Some(pair.name),
        key_pair_id: Some(pair.id),
        tags: tagging::to_api(&tags),
    })
}

/// 1 to 255 ASCII characters.
fn verify_name(name: Option<&str>) -> Answer<String> {
    let name = required(name.filter(|name| !name.is_empty()), "KeyName")?;
    if name.len() <= 255 && name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(name.to_owned());
    }
    refuse("InvalidParameterValue", "A key pair's name has 1 to 255 ASCII characters")
}

fn verify_free(db: &Connection, call: &Call, name: &str) -> Answer<()> {
    match key_pairs::find_key_pair(db, &call.scope, name)? {
        None => Ok(()),
        Some(_) => refuse("InvalidKeyPair.Duplicate", format!("The keypair already exists: {name}")),
    }
}

fn insert(
    call: &Call,
    name: &str,
    kind: &str,
    public_key: String,
    fingerprint: String,
    tags: &[Tag],
) -> Answer<KeyPair> {
    let pair = KeyPair {
        id: random_id("key")?,
        scope: call.scope.clone(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        public_key,
        fingerprint,
        created: call.now,
    };
    call.world.catalogue.transact(|db| {
        verify_free(db, call, name)?;
        key_pairs::insert_key_pair(db, &pair)?;
        tags::put_tags(db, &call.scope, &pair.id, tags)
    })?;
    Ok(pair)
}

/// The caller's key pair of this name.
pub(super) fn own_key_pair(db: &Connection, call: &Call, name: &str) -> Answer<KeyPair> {
    match key_pairs::find_key_pair(db, &call.scope, name)? {
        Some(pair) => Ok(pair),
        None => refuse("InvalidKeyPair.NotFound", format!("The key pair '{name}' does not exist")),
    }
}

struct Listed {
    pair: KeyPair,
    tags: Vec<Tag>,
}

/// The caller's key pairs, without the private halves.
pub(crate) fn describe_key_pairs(call: &Call, request: &DescribeKeyPairsRequest) -> Answer<DescribeKeyPairsResult> {
    let (pairs, mut tags) = call.world.catalogue.transact(|db| {
        let named = request.key_names.iter().chain(&request.key_pair_ids);
        named.into_iter().try_for_each(|name| own_key_pair(db, call, name).map(drop))?;
        Ok((key_pairs::list_key_pairs(db, &call.scope)?, tags::map_tags(db, &call.scope, Kind::KeyPair.prefix())?))
    })?;
    let is_all = request.key_names.is_empty() && request.key_pair_ids.is_empty();
    let is_named = |pair: &KeyPair| request.key_names.contains(&pair.name) || request.key_pair_ids.contains(&pair.id);
    let listed = pairs
        .into_iter()
        .filter(|pair| is_all || is_named(pair))
        .map(|pair| Listed { tags: tags.remove(&pair.id).unwrap_or_default(), pair })
        .collect();
    let shows_key = request.include_public_key == Some(true);
    let to_api = |Listed { pair, tags }| KeyPairInfo {
        key_pair_id: Some(pair.id),
        key_type: Some(pair.kind),
        tags: tagging::to_api(&tags),
        public_key: shows_key.then_some(format!("{} {}", pair.public_key, pair.name)),
        create_time: Some(pair.created),
        key_name: Some(pair.name),
        key_fingerprint: Some(pair.fingerprint),
    };
    Ok(DescribeKeyPairsResult { key_pairs: select(listed, &request.filters)?.into_iter().map(to_api).collect() })
}

/// Takes a key pair away; one that is not there is gone already, as for EC2. Instances keep what they have.
pub(crate) fn delete_key_pair(call: &Call, request: &DeleteKeyPairRequest) -> Answer<DeleteKeyPairResult> {
    let name = required(request.key_name.as_deref().or(request.key_pair_id.as_deref()), "KeyName")?;
    call.world.catalogue.transact(|db| {
        let pair = key_pairs::find_key_pair(db, &call.scope, name)?;
        if let Some(pair) = &pair {
            key_pairs::delete_key_pair(db, &pair.id)?;
        }
        Ok(DeleteKeyPairResult { r#return: Some(true), key_pair_id: pair.map(|pair| pair.id) })
    })
}

impl Filterable for Listed {
    const FILTERS: &'static [&'static str] = &["fingerprint", "key-name", "key-pair-id"];

    fn values_of(&self, filter: &str) -> Vec<String> {
        vec![match filter {
            "fingerprint" => self.pair.fingerprint.clone(),
            "key-name" => self.pair.name.clone(),
            _ => self.pair.id.clone(),
        }]
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}
