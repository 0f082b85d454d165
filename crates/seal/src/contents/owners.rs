//! Which package a file belongs to: what dpkg lists, and what follows from it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;

use ovenbird_core::contents::File;
use ovenbird_core::contents::Kind;
use ovenbird_core::contents::Package;

use crate::root::Root;

/// A list `NAME.list` or `NAME:ARCHITECTURE.list` per package, beside its scripts.
const LISTS: &str = "var/lib/dpkg/info";

/// Says of every file that a package brought, which; and of folders that only one package has.
pub(super) fn assign(
    root: &Root,
    packages: &BTreeMap<String, Package>,
    files: &mut BTreeMap<String, File>,
) -> io::Result<()> {
    let mut shared = BTreeSet::new();
    for name in root.list(LISTS)? {
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        // A package of the image's own architecture is known without it.
        let plain = stem.split(':').next().unwrap_or(stem);
        let Some(package) = [stem, plain].into_iter().find(|name| packages.contains_key(*name)) else { continue };
        own(files, &format!("/{LISTS}/{name}"), package, &mut shared);
        if name.ends_with(".list") {
            let text = root.read(format!("{LISTS}/{name}"))?.unwrap_or_default();
            String::from_utf8_lossy(&text).lines().for_each(|path| own(files, path, package, &mut shared));
        }
    }
    assign_compiled(files);
    Ok(())
}

/// `package` has `path`, which many packages still name `/lib/…` or `/bin/…` where the tree has `/usr/lib/…`.
fn own(files: &mut BTreeMap<String, File>, path: &str, package: &str, shared: &mut BTreeSet<String>) {
    let merged = format!("/usr{path}");
    let path = if files.contains_key(path) { path } else { &merged };
    let Some(file) = files.get_mut(path) else { return };
    let is_anothers = file.package.as_deref().is_some_and(|owner| owner != package);
    if file.entry.kind == Kind::Folder && (is_anothers || shared.contains(path)) {
        shared.insert(path.to_owned());
        file.package = None;
    } else {
        file.package = Some(package.to_owned());
    }
}

/// What Python compiled when a package was installed (PEP 3147) belongs to it as its source does.
fn assign_compiled(files: &mut BTreeMap<String, File>) {
    let owner = |path: &str| -> Option<String> {
        let (folder, name) = path.split_once("/__pycache__")?;
        let package = |source: &str| files.get(source)?.package.clone();
        match name.strip_prefix('/') {
            // The folder is of whoever has the modules beside it.
            None => package(&format!("{folder}/__init__.py")).or_else(|| package(folder)),
            Some(name) => package(&format!("{folder}/{}.py", name.split('.').next()?)),
        }
    };
    let found: Vec<_> = files
        .iter()
        .filter(|(_, file)| file.package.is_none())
        .filter_map(|(path, _)| Some((path.clone(), owner(path)?)))
        .collect();
    for (path, package) in found {
        if let Some(file) = files.get_mut(&path) {
            file.package = Some(package);
        }
    }
}
