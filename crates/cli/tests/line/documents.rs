//! What the documents name is there.

use std::path::Path;

use crate::support::repository;

/// The files under a folder, by name.
fn list_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs_err::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => list_files(&path, found),
            path => found.push(path.display().to_string()),
        }
    }
}

#[test]
fn the_picture_of_a_bake_is_true_to_the_code() {
    let page = fs_err::read_to_string(repository().join("docs/architecture.md")).expect("the page");
    let mut files = Vec::new();
    list_files(&repository().join("crates"), &mut files);
    let words = page.split(|letter: char| !(letter.is_alphanumeric() || "_./".contains(letter)));
    let named = words.clone().filter(|word| word.ends_with(".rs"));
    let missing: Vec<&str> = named.filter(|name| !files.iter().any(|file| file.ends_with(*name))).collect();
    assert_eq!(missing, [""; 0], "files that docs/architecture.md names");

    let steps = repository().join("crates/bake/src/steps");
    let unnamed: Vec<String> = files
        .iter()
        .filter_map(|file| Path::new(file).strip_prefix(&steps).ok()?.file_stem()?.to_str().map(str::to_owned))
        .filter(|step| !words.clone().any(|word| word == step))
        .collect();
    assert_eq!(unnamed, [""; 0], "steps that docs/architecture.md does not have");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut pages = Vec::new();
    list_files(&repository().join("docs"), &mut pages);
    pages.retain(|page| page.ends_with(".md"));
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|name| repository().join(name).display().to_string()));
    for page in pages {
        let text = fs_err::read_to_string(&page).expect("a page");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            let folder = Path::new(&page).parent().expect("a folder");
            assert!(folder.join(target).exists(), "{page} links to {target}, which is not there");
        }
    }
}
