//! Which units of systemd an image enables, read off its links (systemd.unit(5)).

use std::collections::BTreeMap;

use super::File;
use super::Kind;
use super::UnitState;
use crate::block::Digest;

/// Where an administrator's (and so a bake's) decisions about units lie; what packages link below /usr/lib is no decision.
const FOLDER: &str = "/etc/systemd/system/";

/// The units that are enabled or masked, by name.
#[must_use]
pub fn units(files: &BTreeMap<String, File>) -> BTreeMap<String, UnitState> {
    let masked = Digest::of(b"/dev/null");
    let below = files.range(FOLDER.to_owned()..).take_while(|(path, _)| path.starts_with(FOLDER));
    let links = below.filter(|(_, file)| file.entry.kind == Kind::Link);
    let mut found = BTreeMap::new();
    for (path, file) in links {
        let state = match path[FOLDER.len()..].split_once('/') {
            Some((folder, name)) if is_pull(folder) && !name.contains('/') => (name, UnitState::Enabled),
            None if file.entry.content == Some(masked) => (&path[FOLDER.len()..], UnitState::Masked),
            _ => continue,
        };
        found.entry(state.0.to_owned()).and_modify(|known| *known = state.1.max(*known)).or_insert(state.1);
    }
    found
}

fn is_pull(folder: &str) -> bool {
    folder.ends_with(".wants") || folder.ends_with(".requires")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents::Entry;

    #[test]
    fn reads_links() {
        let link = |target: &str| File {
            entry: Entry {
                kind: Kind::Link,
                mode: 0o777,
                uid: 0,
                gid: 0,
                size: 0,
                content: Some(Digest::of(target.as_bytes())),
                attributes: None,
            },
            package: None,
        };
        let files = [
            ("/etc/systemd/system/multi-user.target.wants/nginx.service", "/lib/systemd/system/nginx.service"),
            ("/etc/systemd/system/nginx.service.requires/data.mount", "x"),
            ("/etc/systemd/system/dbus-org.freedesktop.timesync1.service", "x"),
            ("/etc/systemd/system/man-db.timer", "/dev/null"),
            ("/etc/systemd/system/timers.target.wants/man-db.timer", "x"),
            ("/usr/lib/systemd/system/multi-user.target.wants/getty.target", "x"),
        ];
        let files = files.map(|(path, target)| (path.to_owned(), link(target))).into();
        let wanted = [
            ("data.mount", UnitState::Enabled),
            ("man-db.timer", UnitState::Masked),
            ("nginx.service", UnitState::Enabled),
        ];
        assert_eq!(units(&files), wanted.map(|(name, state)| (name.to_owned(), state)).into());
    }
}
