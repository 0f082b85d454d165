//! Digests.

use data_encoding::BASE64;
use data_encoding::HEXLOWER;
use md5::Md5;
use sha1::Sha1;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha512;

use super::Row;
use crate::tree::Value;

pub(super) const FUNCTIONS: &[Row] = &[
    ("md5", "md5(TEXT)", 1, 1, |a| Ok(Value::Text(hex::<Md5>(a.text(0)?.as_bytes())))),
    ("sha1", "sha1(TEXT)", 1, 1, |a| Ok(Value::Text(hex::<Sha1>(a.text(0)?.as_bytes())))),
    ("sha256", "sha256(TEXT)", 1, 1, |a| Ok(Value::Text(hex::<Sha256>(a.text(0)?.as_bytes())))),
    ("sha512", "sha512(TEXT)", 1, 1, |a| Ok(Value::Text(hex::<Sha512>(a.text(0)?.as_bytes())))),
    ("base64sha256", "base64sha256(TEXT)", 1, 1, |a| Ok(Value::Text(base64::<Sha256>(a.text(0)?.as_bytes())))),
    ("base64sha512", "base64sha512(TEXT)", 1, 1, |a| Ok(Value::Text(base64::<Sha512>(a.text(0)?.as_bytes())))),
    ("uuidv5", "uuidv5(NAMESPACE, NAME)", 2, 2, |a| uuidv5(&a.text(0)?, &a.text(1)?).map(Value::Text)),
];

/// The digest named as in `filesha256`.
pub(super) fn of(name: &str, bytes: &[u8]) -> Option<String> {
    Some(match name {
        "md5" => hex::<Md5>(bytes),
        "sha1" => hex::<Sha1>(bytes),
        "sha256" => hex::<Sha256>(bytes),
        "sha512" => hex::<Sha512>(bytes),
        "base64sha256" => base64::<Sha256>(bytes),
        "base64sha512" => base64::<Sha512>(bytes),
        _ => return None,
    })
}

fn hex<D: Digest>(bytes: &[u8]) -> String {
    HEXLOWER.encode(&D::digest(bytes))
}

fn base64<D: Digest>(bytes: &[u8]) -> String {
    BASE64.encode(&D::digest(bytes))
}

/// A name's UUID within a namespace: one of the four of RFC 9562, or a UUID.
fn uuidv5(namespace: &str, name: &str) -> Result<String, String> {
    let namespace = match namespace {
        "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
        "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
        "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
        other => other,
    };
    let bytes =
        HEXLOWER.decode(namespace.replace('-', "").to_lowercase().as_bytes()).ok().filter(|bytes| bytes.len() == 16);
    let mut bytes = bytes.ok_or_else(|| format!("`{namespace}` is no namespace: dns, url, oid, x500, or a UUID"))?;
    bytes.extend_from_slice(name.as_bytes());
    let digest = Sha1::digest(&bytes);
    Ok(uuid(digest.get(..16).unwrap_or(&[]), 5))
}

/// 16 bytes as a UUID of a version. (RFC 9562)
pub(super) fn uuid(bytes: &[u8], version: u8) -> String {
    let mut bytes = bytes.to_vec();
    if let Some(byte) = bytes.get_mut(6) {
        *byte = *byte & 0x0f | version << 4;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = *byte & 0x3f | 0x80;
    }
    let hex = HEXLOWER.encode(&bytes);
    let part = |start: usize, end: usize| hex.get(start..end).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
