//! Key pairs: made by EC2 or imported.

use jiff::Timestamp;

use super::Filter;
use super::Tag;
use super::TagSpecification;
use crate::wire::Blob;
use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// Creates an ED25519 or 2048-bit RSA key pair with the specified name and in the specified format.
    pub struct CreateKeyPairRequest {
        /// A unique name for the key pair. Required.
        key_name: Option<String> = "KeyName",
        /// The type of key pair: `rsa` (the default) or `ed25519`.
        key_type: Option<String> = "KeyType",
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// The format of the private key: `pem` (the default) or `ppk`.
        key_format: Option<String> = "KeyFormat",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// A new key pair: the only answer that ever holds the private key.
    pub struct KeyPair {
        /// The ID of the key pair.
        key_pair_id: Option<String> = "keyPairId",
        /// Any tags applied to the key pair.
        tags: Vec<Tag> = "tagSet",
        /// The name of the key pair.
        key_name: Option<String> = "keyName",
        /// SHA-1 digest of the DER encoded private key (RSA), or the base64 SHA-256 digest (ED25519).
        key_fingerprint: Option<String> = "keyFingerprint",
        /// The unencrypted private key: PEM of an RSA key, OpenSSH of an ED25519 key.
        key_material: Option<String> = "keyMaterial",
    }

    /// Imports the public key from an RSA or ED25519 key pair that you created using a third-party tool.
    pub struct ImportKeyPairRequest {
        /// The tags to apply to what is created.
        tag_specifications: Vec<TagSpecification> = "TagSpecification",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// A unique name for the key pair. Required.
        key_name: Option<String> = "keyName",
        /// The public key, in OpenSSH form. Required.
        public_key_material: Option<Blob> = "publicKeyMaterial",
    }

    /// The answer of ImportKeyPair.
    pub struct ImportKeyPairResult {
        /// The MD5 public key fingerprint as specified in section 4 of RFC 4716 (RSA); base64 SHA-256 (ED25519).
        key_fingerprint: Option<String> = "keyFingerprint",
        /// The key pair name that you provided.
        key_name: Option<String> = "keyName",
        /// The ID of the resulting key pair.
        key_pair_id: Option<String> = "keyPairId",
        /// The tags applied to the imported key pair.
        tags: Vec<Tag> = "tagSet",
    }

    /// Describes the specified key pairs or all of your key pairs.
    pub struct DescribeKeyPairsRequest {
        /// The key pair names.
        key_names: Vec<String> = "KeyName",
        /// The IDs of the key pairs.
        key_pair_ids: Vec<String> = "KeyPairId",
        /// If true, the public key material is included in the response.
        include_public_key: Option<bool> = "IncludePublicKey",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
        /// What the results must match.
        filters: Vec<Filter> = "Filter",
    }

    /// The answer of DescribeKeyPairs.
    pub struct DescribeKeyPairsResult {
        /// Information about the key pairs.
        key_pairs: Vec<KeyPairInfo> = "keySet",
    }

    /// Describes a key pair.
    pub struct KeyPairInfo {
        /// The ID of the key pair.
        key_pair_id: Option<String> = "keyPairId",
        /// The type of key pair.
        key_type: Option<String> = "keyType",
        /// Any tags applied to the key pair.
        tags: Vec<Tag> = "tagSet",
        /// The public key material.
        public_key: Option<String> = "publicKey",
        /// If you used Amazon EC2 to create the key pair, this is the date and time when the key was created, in ISO 8601 date-time format, in the UTC time zone.
        create_time: Option<Timestamp> = "createTime",
        /// The name of the key pair.
        key_name: Option<String> = "keyName",
        /// SHA-1 of the private key where EC2 made it, MD5 of the public key where it was imported (RSA); base64 SHA-256 (ED25519).
        key_fingerprint: Option<String> = "keyFingerprint",
    }

    /// Deletes the specified key pair, by removing the public key from Amazon EC2.
    pub struct DeleteKeyPairRequest {
        /// The name of the key pair.
        key_name: Option<String> = "KeyName",
        /// The ID of the key pair.
        key_pair_id: Option<String> = "KeyPairId",
        /// Checks the permissions only; the answer is then the error `DryRunOperation` or `UnauthorizedOperation`.
        dry_run: Option<bool> = "dryRun",
    }

    /// The answer of DeleteKeyPair.
    pub struct DeleteKeyPairResult {
        /// Is true if the request succeeds, and an error otherwise.
        r#return: Option<bool> = "return",
        /// The ID of the key pair.
        key_pair_id: Option<String> = "keyPairId",
    }
}

operation!(Ec2, "CreateKeyPair", CreateKeyPairRequest => KeyPair);
operation!(Ec2, "ImportKeyPair", ImportKeyPairRequest => ImportKeyPairResult);
operation!(Ec2, "DescribeKeyPairs", DescribeKeyPairsRequest => DescribeKeyPairsResult);
operation!(Ec2, "DeleteKeyPair", DeleteKeyPairRequest => DeleteKeyPairResult);
