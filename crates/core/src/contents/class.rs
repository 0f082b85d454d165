//! What a file is for, by where it lies and how it is called: what people look for first in a list of changes.

use std::fmt;

use serde::Serialize;

use super::Entry;
use super::Kind;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Below /etc.
    Configuration,
    /// Something that can be run.
    Program,
    /// A shared object, a kernel module, or code that programs load.
    Library,
    /// What programs read: /usr/share, /srv, /opt, /var.
    Data,
    /// The rest: folders of the root, devices.
    Other,
}

impl Class {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Configuration, Self::Program, Self::Library, Self::Data, Self::Other];
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "configuration",
            Self::Program => "programs",
            Self::Library => "libraries",
            Self::Data => "data",
            Self::Other => "other",
        })
    }
}

/// Where programs lie, and where the parts that they load do (file-hierarchy(7)).
const PROGRAMS: [&str; 7] = ["bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/games/", "usr/libexec/", "usr/local/bin/"];
const LIBRARIES: [&str; 7] = ["lib/", "lib32/", "lib64/", "usr/lib/", "usr/lib32/", "usr/lib64/", "usr/local/lib/"];
/// Where a script is rather a part of something than a program of its own.
const READ: [&str; 2] = ["usr/share/", "var/"];
const DATA: [&str; 7] = ["boot/", "home/", "opt/", "root/", "srv/", "usr/", "var/"];

/// What the file at the absolute `path` is for.
#[must_use]
pub fn class(path: &str, entry: &Entry) -> Class {
    let path = path.trim_start_matches('/');
    let lies_in = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    let is_executable = entry.kind == Kind::File && entry.mode & 0o111 != 0;
    match () {
        () if matches!(entry.kind, Kind::CharacterDevice | Kind::BlockDevice | Kind::Pipe | Kind::Socket) => {
            Class::Other
        }
        () if path == "etc" || path.starts_with("etc/") => Class::Configuration,
        () if is_shared_object(path) => Class::Library,
        () if lies_in(&PROGRAMS) || is_executable && !lies_in(&READ) => Class::Program,
        () if lies_in(&LIBRARIES) => Class::Library,
        () if lies_in(&DATA) => Class::Data,
        () => Class::Other,
    }
}

/// `libc.so`, `libc.so.6`, `libc-2.36.so`, `ext4.ko`, `ext4.ko.xz`
fn is_shared_object(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".so") || name.contains(".so.") || name.ends_with(".ko") || name.contains(".ko.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_files_are_for() {
        let file = |mode| Entry { kind: Kind::File, mode, uid: 0, gid: 0, size: 0, content: None, attributes: None };
        let cases = [
            ("/etc/init.d/nginx", 0o755, Class::Configuration),
            ("/usr/bin/jq", 0o755, Class::Program),
            ("/usr/lib/apt/methods/http", 0o755, Class::Program),
            ("/usr/lib/x86_64-linux-gnu/libc.so.6", 0o755, Class::Library),
            ("/usr/lib/modules/6.1.0/ext4.ko", 0o644, Class::Library),
            ("/usr/lib/python3/dist-packages/yaml.py", 0o644, Class::Library),
            ("/usr/share/doc/jq/copyright", 0o644, Class::Data),
            ("/var/lib/dpkg/status", 0o644, Class::Data),
            ("/var/lib/dpkg/info/jq.postinst", 0o755, Class::Data),
            ("/opt/tool/run", 0o755, Class::Program),
            ("/vmlinuz", 0o644, Class::Other),
        ];
        for (path, mode, wanted) in cases {
            assert_eq!(class(path, &file(mode)), wanted, "{path}");
        }
        let device = Entry { kind: Kind::CharacterDevice, ..file(0o600) };
        assert_eq!(class("/etc/odd", &device), Class::Other);
    }
}
