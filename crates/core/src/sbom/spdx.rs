//! SPDX 2.3.

use serde_json::Value;
use serde_json::json;

use super::Subject;
use super::instant;
use super::purl;
use crate::contents::Contents;
use crate::contents::Package;

/// What we do not know, we do not claim.
const UNKNOWN: &str = "NOASSERTION";
/// The image's own element.
const IMAGE: &str = "SPDXRef-Image";

pub(super) fn document(subject: &Subject<'_>, contents: &Contents) -> Value {
    let image = json!({
        "SPDXID": IMAGE,
        "name": subject.name,
        "versionInfo": subject.image,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    });
    let packages = contents.packages.iter().map(|(name, its)| package(name, its, contents));
    let describes = relation("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE);
    let contains = contents.packages.keys().map(|name| relation(IMAGE, "CONTAINS", &id(name)));
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.name,
        "documentNamespace": format!("https://spdx.org/spdxdocs/ovenbird-{}-{}", subject.image, subject.content),
        "creationInfo": {
            "created": instant(subject.created),
            "creators": [format!("Tool: ovenbird-{}", env!("CARGO_PKG_VERSION"))],
        },
        "packages": std::iter::once(image).chain(packages).collect::<Vec<_>>(),
        "relationships": std::iter::once(describes).chain(contains).collect::<Vec<_>>(),
    })
}

fn package(name: &str, package: &Package, contents: &Contents) -> Value {
    json!({
        "SPDXID": id(name),
        "name": name,
        "versionInfo": package.version,
        "supplier": package.maintainer.as_ref().map_or_else(|| UNKNOWN.to_owned(), |maintainer| supplier(maintainer)),
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": UNKNOWN,
        "copyrightText": UNKNOWN,
        "sourceInfo": format!("built from the source package {}", package.source.as_deref().unwrap_or(name)),
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl(name, package, contents),
        }],
    })
}

/// `Name <address>` becomes `Organization: Name (address)`: Debian's maintainers are teams as often as persons.
fn supplier(maintainer: &str) -> String {
    match maintainer.split_once('<') {
        Some((name, address)) => {
            format!("Organization: {} ({})", name.trim(), address.trim().trim_end_matches('>'))
        }
        None => format!("Organization: {maintainer}"),
    }
}

/// Identifiers hold letters, digits, `.` and `-` alone. What a package's name has beyond them is written in hex after a
/// `-`, which keeps different names apart: no name of Debian's has capitals.
fn id(package: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let name: String = package
        .bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("-X{byte:02X}") })
        .collect();
    format!("SPDXRef-Package-{name}")
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}
