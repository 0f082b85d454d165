//! Names of reached files that are the same on every machine.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

/// The folders below which collections, and roles that were fetched for a bake, are, wherever they are installed.
const INSTALLED: [&str; 2] = ["ansible_collections", "galaxy_roles"];

/// Names `path`: relative to `directory` where it is below it, from `ansible_collections/` on in a collection, else whole.
pub(super) fn name(path: &Path, directory: &Path) -> String {
    let path = tidy(path);
    if let Ok(inside) = path.strip_prefix(tidy(directory)) {
        return inside.display().to_string();
    }
    let mut parts = path.iter().skip_while(|part| !INSTALLED.iter().any(|name| part == name)).peekable();
    if parts.peek().is_some() {
        return parts.collect::<PathBuf>().display().to_string();
    }
    path.display().to_string()
}

/// Takes out `.` and `..` by the text alone.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_free_of_the_machine() {
        let named = |path: &str| name(Path::new(path), Path::new("/home/a/project"));
        assert_eq!(named("/home/a/project/./web/../common.yml"), "common.yml");
        assert_eq!(named("/home/a/project/../x/ansible_collections/o/b/roles/r"), "ansible_collections/o/b/roles/r");
        assert_eq!(named("/etc/ansible/ansible.cfg"), "/etc/ansible/ansible.cfg");
    }
}
