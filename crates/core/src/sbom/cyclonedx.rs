//! CycloneDX 1.5.

use serde_json::Value;
use serde_json::json;

use super::Subject;
use super::instant;
use super::purl;
use crate::block::Digest;
use crate::contents::Contents;
use crate::contents::Package;

pub(super) fn document(subject: &Subject<'_>, contents: &Contents) -> Value {
    let components: Vec<Value> = contents.packages.iter().map(|(name, its)| component(name, its, contents)).collect();
    let references: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    let image = json!({
        "type": "operating-system",
        "bom-ref": subject.image,
        "name": subject.name,
        "version": subject.image,
        "properties": [{ "name": "ovenbird:content", "value": subject.content.hex() }],
    });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(subject)),
        "version": 1,
        "metadata": {
            "timestamp": instant(subject.created),
            "tools": { "components": [{ "type": "application", "name": "ovenbird", "version": env!("CARGO_PKG_VERSION") }] },
            "component": image,
        },
        "dependencies": [{ "ref": subject.image, "dependsOn": references }],
        "components": components,
    })
}

fn component(name: &str, package: &Package, contents: &Contents) -> Value {
    let purl = purl(name, package, contents);
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package.version,
        "purl": purl,
        "properties": [
            { "name": "ovenbird:architecture", "value": package.architecture },
            { "name": "ovenbird:source", "value": package.source.as_deref().unwrap_or(name) },
        ],
    });
    if let Some(maintainer) = &package.maintainer {
        component["publisher"] = json!(maintainer);
    }
    component
}

/// A UUID that follows from the image: version 8, which is for such (RFC 9562).
fn uuid(subject: &Subject<'_>) -> String {
    let mut bytes = [0; 16];
    let digest = Digest::of(format!("{} {}", subject.image, subject.content).as_bytes());
    bytes.copy_from_slice(&digest.0[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
