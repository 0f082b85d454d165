//! The bill of materials of an image: its packages in the two formats that scanners and auditors read.
//!
//! Both are functions of the image alone: the same image has the same document, whoever writes it and when.

use jiff::Timestamp;
use serde_json::Value;

use crate::block::Digest;
use crate::contents::Contents;
use crate::contents::Package;

mod cyclonedx;
mod spdx;

/// The image that a bill is of.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Its name, as in `DescribeImages`.
    pub name: &'a str,
    /// `ami-…`.
    pub image: &'a str,
    /// What identifies the content, such as the tree digest.
    pub content: Digest,
    /// When the image was made.
    pub created: Timestamp,
}

/// The bill as an SPDX 2.3 document (spdx.github.io/spdx-spec/v2.3).
#[must_use]
pub fn spdx(subject: &Subject<'_>, contents: &Contents) -> Value {
    spdx::document(subject, contents)
}

/// The bill as a CycloneDX 1.5 document (cyclonedx.org/docs/1.5/json).
#[must_use]
pub fn cyclonedx(subject: &Subject<'_>, contents: &Contents) -> Value {
    cyclonedx::document(subject, contents)
}

/// The package's URL (package-url/purl-spec, type `deb`).
fn purl(name: &str, package: &Package, contents: &Contents) -> String {
    let os = |key: &str| contents.release.get(key).map_or("", String::as_str);
    let vendor = if os("ID").is_empty() { "debian" } else { os("ID") };
    let name = name.split(':').next().unwrap_or(name);
    let (name, version) = (escape(name), escape(&package.version));
    let mut url = format!("pkg:deb/{}/{name}@{version}?arch={}", escape(vendor), escape(&package.architecture));
    if !os("VERSION_ID").is_empty() {
        url.push_str(&format!("&distro={}-{}", escape(vendor), escape(os("VERSION_ID"))));
    }
    url
}

/// Percent-encoding of all but unreserved characters (RFC 3986).
fn escape(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// RFC 3339 without fractions, as both formats want it.
fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_packages_are_escaped() {
        let contents = Contents {
            release: [("ID".to_owned(), "debian".to_owned()), ("VERSION_ID".to_owned(), "12".to_owned())].into(),
            ..Contents::default()
        };
        let package =
            Package { version: "2:1.0+b~1".to_owned(), architecture: "amd64".to_owned(), ..Package::default() };
        assert_eq!(
            purl("libc++1:i386", &package, &contents),
            "pkg:deb/debian/libc%2B%2B1@2%3A1.0%2Bb~1?arch=amd64&distro=debian-12"
        );
    }
}
