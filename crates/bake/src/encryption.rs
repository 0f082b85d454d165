//! What a direct bake's snapshots are encrypted with.
//!
//! StartSnapshot takes no key together with a parent: a child is encrypted as its parent is, and an account that encrypts by
//! default refuses a parent that is not (EBS user guide, "Encryption outcomes" of the direct APIs). So it is decided once, by our
//! copy of the base; every layer over it has the same key without saying so.

use ovenbird_aws::Client;
use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Filter;
use ovenbird_template::AmazonEbs;
use ovenbird_template::BlockDevice;

use crate::error::BakeError;
use crate::error::calling;
use crate::path::BakePath;
use crate::path::choose_path;
use crate::request::Request;
use crate::source::Source;
use crate::source::find_source;

/// Finds the image of the request's template, and settles what a direct bake from it is encrypted with.
///
/// # Errors
/// As [`find_source`]; what the template asks for and AWS refuses.
pub async fn find_base(client: &Client, request: &Request) -> Result<Source, BakeError> {
    let builder = request.builder()?;
    let source = find_source(client, &builder.source).await?;
    // A launch encrypts its volumes itself, and needs no rights to ask what the account's word is.
    if choose_path(request.path, &source)?.path == BakePath::Launch {
        return Ok(source);
    }
    let copy_key = match wish(builder, &source.root_device)? {
        Wish::AsItIs if source.is_encrypted || !encrypts_by_default(client).await? => None,
        Wish::AsItIs => Some(default_key(client).await?),
        // Our copy of somebody else's encrypted base has our default key without being asked.
        Wish::SomeKey if source.is_encrypted => None,
        Wish::SomeKey => Some(default_key(client).await?),
        Wish::Key(key) if has_key(client, &source, &request.account, &key).await? => None,
        Wish::Key(key) => Some(key),
    };
    Ok(Source { copy_key, ..source })
}

/// What a template says of the encryption of its root volume.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    /// Nothing: as the base is, or the account says.
    AsItIs,
    /// Encrypted, with whatever key.
    SomeKey,
    /// Encrypted with this one.
    Key(String),
}

fn wish(builder: &AmazonEbs, root_device: &str) -> Result<Wish, BakeError> {
    let mappings = builder.launch_block_device_mappings.iter().chain(&builder.ami_block_device_mappings);
    let root = mappings.filter(|device| device.device_name == root_device);
    wish_of(builder.encrypt_boot == Some(true), builder.kms_key_id.as_ref(), root)
}

fn wish_of<'a>(
    mut is_wanted: bool,
    mut key: Option<&'a String>,
    root: impl Iterator<Item = &'a BlockDevice>,
) -> Result<Wish, BakeError> {
    for device in root {
        if device.kms_key_id.is_some() && device.encrypted != Some(true) {
            return Err(BakeError::Unsupported(format!(
                "the template names a key for {} and does not encrypt it: set `encrypted` to true there, or remove `kms_key_id`",
                device.device_name
            )));
        }
        is_wanted |= device.encrypted == Some(true);
        key = device.kms_key_id.as_ref().or(key);
    }
    Ok(match key.filter(|key| !key.is_empty()) {
        _ if !is_wanted => Wish::AsItIs,
        None => Wish::SomeKey,
        Some(key) => Wish::Key(key.clone()),
    })
}

async fn encrypts_by_default(client: &Client) -> Result<bool, BakeError> {
    let answer = client.send(ec2::GetEbsEncryptionByDefaultRequest::default()).await;
    let answer = answer.map_err(calling("ask whether the account encrypts by default"))?;
    Ok(answer.ebs_encryption_by_default == Some(true))
}

/// Named, and not left to CopyImage: with another default, layers are others.
async fn default_key(client: &Client) -> Result<String, BakeError> {
    let doing = "ask for the account's default encryption key";
    let answer = client.send(ec2::GetEbsDefaultKmsKeyIdRequest::default()).await.map_err(calling(doing))?;
    answer.kms_key_id.ok_or_else(|| {
        calling(doing)(ovenbird_aws::Error::Incomplete { action: "GetEbsDefaultKmsKeyId", member: "KmsKeyId" })
    })
}

/// Is the base our own, and encrypted with this very key? An alias may lead anywhere, so it is no proof.
async fn has_key(client: &Client, source: &Source, account: &str, key: &str) -> Result<bool, BakeError> {
    if !source.is_encrypted || source.owner != account {
        return Ok(false);
    }
    let filters = vec![Filter::new("snapshot-id", [&source.snapshot])];
    let request = ec2::DescribeSnapshotsRequest { filters, owner_ids: vec!["self".to_owned()], ..Default::default() };
    let pages = client.send_all(request).await.map_err(calling(format!("look at {}", source.snapshot)))?;
    let found = pages.into_iter().flat_map(|page| page.snapshots).find_map(|snapshot| snapshot.kms_key_id);
    Ok(found.is_some_and(|arn| arn == key || arn.strip_suffix(key).is_some_and(|start| start.ends_with(":key/"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_use_only_with_encryption() {
        let wished = |is_wanted, key: Option<&str>, root: &[BlockDevice]| {
            wish_of(is_wanted, key.map(str::to_owned).as_ref(), root.iter()).ok()
        };
        let named = |key: &str| Some(Wish::Key(key.to_owned()));
        assert_eq!(wished(false, None, &[]), Some(Wish::AsItIs));
        assert_eq!(wished(true, None, &[]), Some(Wish::SomeKey));
        assert_eq!(wished(true, Some(""), &[]), Some(Wish::SomeKey));
        assert_eq!(wished(true, Some("k"), &[]), named("k"));
        let root = |encrypted, key: Option<&str>| {
            [BlockDevice { encrypted, kms_key_id: key.map(str::to_owned), ..BlockDevice::default() }]
        };
        assert_eq!(wished(false, None, &root(Some(true), None)), Some(Wish::SomeKey));
        assert_eq!(wished(true, Some("k"), &root(Some(true), Some("r"))), named("r"));
        assert_eq!(wished(true, Some("k"), &root(Some(false), None)), named("k"));
        assert_eq!(wished(false, None, &root(None, Some("r"))), None);
    }
}
