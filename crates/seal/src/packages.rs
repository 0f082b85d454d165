//! The packages of an image: what dpkg says is installed.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ovenbird_core::contents::Package;

use crate::root::Root;

/// Where dpkg keeps its state.
const STATUS: &str = "var/lib/dpkg/status";

/// The installed packages by name. A package of a foreign architecture is named `name:architecture`, as dpkg does.
///
/// An image without dpkg has none.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn list_packages(root: &Path) -> io::Result<BTreeMap<String, Package>> {
    let text = Root::open(root)?.read(STATUS)?.unwrap_or_default();
    Ok(parse(&String::from_utf8_lossy(&text)))
}

fn parse(text: &str) -> BTreeMap<String, Package> {
    let paragraphs: Vec<_> = text.split("\n\n").collect();
    let field = |paragraph: &str, name: &str| {
        let line = paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
        Some(line.trim().to_owned())
    };
    // dpkg itself is of the image's own architecture.
    let own = paragraphs.iter().find(|paragraph| field(paragraph, "Package").as_deref() == Some("dpkg"));
    let own = own.and_then(|paragraph| field(paragraph, "Architecture"));
    let installed = paragraphs.iter().filter_map(|paragraph| {
        if !field(paragraph, "Status")?.ends_with(" installed") {
            return None;
        }
        let name = field(paragraph, "Package")?;
        let architecture = field(paragraph, "Architecture").unwrap_or_default();
        let package = Package {
            version: field(paragraph, "Version")?,
            // `Source: glibc (2.36-9)`, where the version is another one.
            source: field(paragraph, "Source").and_then(|source| Some(source.split(' ').next()?.to_owned())),
            maintainer: field(paragraph, "Maintainer"),
            architecture: architecture.clone(),
        };
        let is_foreign = architecture != "all" && own.as_ref() != Some(&architecture);
        Some((if is_foreign { format!("{name}:{architecture}") } else { name }, package))
    });
    installed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_installed() {
        let text = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\nDescription: x\n Version: 9\n\n\
                    Package: libc6\nStatus: install ok installed\nArchitecture: i386\nSource: glibc (2.36-1)\nMaintainer: G <g@x>\nVersion: 2.36\n\n\
                    Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n\
                    Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 2025b-0\n";
        let packages: Vec<_> = parse(text).into_iter().map(|(name, package)| (name, package.version)).collect();
        let wanted = [("dpkg", "1.21"), ("libc6:i386", "2.36"), ("tzdata", "2025b-0")];
        assert_eq!(packages, wanted.map(|(name, version)| (name.to_owned(), version.to_owned())));
        let libc = parse(text).remove("libc6:i386").expect("it is installed");
        assert_eq!((libc.source.as_deref(), libc.maintainer.as_deref()), (Some("glibc"), Some("G <g@x>")));
        assert!(parse("").is_empty());
    }
}
